#include "backends/ssh/arriving_ends.hpp"

#include <fmt/format.h>

#include "backends/agent/object_stream.hpp"
#include "core/base/error.hpp"
#include "core/package/manifest.hpp"
#include "core/store/objects.hpp"

namespace amp {

std::vector<agent::SizedObject> files_of_folder(ObjectStore& store, const std::string& manifest) {
    std::vector<agent::SizedObject> files;
    const std::string text = Objects(store).get(manifest);
    try {
        for (const ManifestEntry& entry : manifest_from(text).entries) {
            if (entry.kind != ManifestEntry::Kind::file) {
                continue;
            }
            if (!agent::is_hash(entry.sha256)) {
                throw Error(ExitCode::mismatch, fmt::format("its '{}' names no object", entry.path));
            }
            files.push_back({entry.sha256, entry.size_bytes});
        }
    } catch (const Error& error) {
        throw Error(ExitCode::mismatch,
                    fmt::format("the list of a folder cannot be read: {}", error.message()), manifest);
    }
    return files;
}

bool ArrivingEnds::add(const AttemptResult& result) {
    const AttemptId id{result.task, result.attempt};
    const auto added = ends_.try_emplace(id);
    if (!added.second) {
        return false;
    }
    End& end = added.first->second;
    end.result = result;
    end.order = ++added_;
    look(id, end);
    return true;
}

/// The files of a folder are known when its manifest is here.
std::vector<agent::SizedObject> ArrivingEnds::needs_of(const AttemptResult& result) {
    std::vector<agent::SizedObject> needs;
    for (const auto& [name, artifact] : result.artifacts) {
        if (artifact.kind == Artifact::Kind::folder) {
            const agent::SizedObject manifest{artifact.sha256, agent::k_unknown_size};
            if (agent::object_present(store_, manifest)) {
                const auto files = files_of_folder(store_, artifact.sha256);
                needs.insert(needs.end(), files.begin(), files.end());
            } else {
                needs.push_back(manifest);
            }
        } else if (!artifact.value && artifact.pack.empty()) {
            needs.push_back({artifact.sha256, artifact.size_bytes});
        }
    }
    return needs;
}

/// What it lacks; nothing: it is complete.
void ArrivingEnds::look(const AttemptId& id, End& end) {
    std::vector<agent::SizedObject> needs;
    try {
        needs = needs_of(end.result);
    } catch (const Error& error) {
        if (error.code() != ExitCode::mismatch) {
            throw;
        }
        spoil(id, end, error.message());  // it is whole, and nonsense all the same
        return;
    }
    std::vector<agent::SizedObject> asked;
    for (const agent::SizedObject& object : needs) {
        if (end.wants.contains(object.sha256) || end.had.contains(object.sha256) ||
            agent::object_present(store_, object)) {
            continue;
        }
        end.wants.insert(object.sha256);
        Wanted& wanted = wanted_[object.sha256];
        if (wanted.by.empty()) {
            wanted.object = object;
            asked.push_back(object);
        }
        wanted.by.insert(id);
    }
    if (end.wants.empty()) {
        complete_.emplace(end.order, id);
    } else if (!asked.empty()) {
        ask_(asked);
    }
}

void ArrivingEnds::arrived(const std::string& sha256) {
    const auto found = wanted_.extract(sha256);
    if (found.empty()) {
        return;
    }
    for (const AttemptId& id : found.mapped().by) {
        End& end = ends_.at(id);
        end.wants.erase(sha256);
        end.had.insert(sha256);
        if (end.wants.empty()) {
            look(id, end);
        }
    }
}

void ArrivingEnds::gone(const std::string& sha256, const std::string& error) {
    const auto found = wanted_.extract(sha256);
    if (found.empty()) {
        return;
    }
    for (const AttemptId& id : found.mapped().by) {
        spoil(id, ends_.at(id), error);
    }
}

/// It is complete without its outputs.
void ArrivingEnds::spoil(const AttemptId& id, End& end, const std::string& error) {
    for (const std::string& other : end.wants) {
        const auto wanted = wanted_.find(other);
        if (wanted != wanted_.end() && wanted->second.by.erase(id) > 0 && wanted->second.by.empty()) {
            wanted_.erase(wanted);
        }
    }
    end.wants.clear();
    end.result.artifacts.clear();
    if (end.result.succeeded()) {
        end.result.cause = Cause::lost;
        end.result.message = fmt::format("its outputs cannot be fetched: {}", error);
    }
    complete_.emplace(end.order, id);
}

bool ArrivingEnds::waits(const std::function<bool(const AttemptId&)>& counts) const {
    for (const auto& [id, end] : ends_) {
        if (!end.wants.empty() && counts(id)) {
            return true;
        }
    }
    return false;
}

std::vector<AttemptResult> ArrivingEnds::take(const std::function<bool(const AttemptId&)>& counts) {
    std::vector<AttemptResult> taken;
    for (auto it = complete_.begin(); it != complete_.end();) {
        if (counts(it->second)) {
            taken.push_back(std::move(ends_.extract(it->second).mapped().result));
            it = complete_.erase(it);
        } else {
            ++it;
        }
    }
    return taken;
}

std::optional<agent::SizedObject> ArrivingEnds::wanted(const std::string& sha256) const {
    const auto found = wanted_.find(sha256);
    return found == wanted_.end() ? std::nullopt : std::optional(found->second.object);
}

std::vector<agent::SizedObject> ArrivingEnds::wanted() const {
    std::vector<agent::SizedObject> wanted;
    for (const auto& [sha256, each] : wanted_) {
        wanted.push_back(each.object);
    }
    return wanted;
}

}  // namespace amp
