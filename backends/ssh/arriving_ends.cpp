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

std::vector<agent::SizedObject> objects_of(ObjectStore& store, const Artifact& artifact) {
    if (artifact.kind != Artifact::Kind::folder) {
        return {{artifact.sha256, artifact.size_bytes}};
    }
    const agent::SizedObject manifest{artifact.sha256, agent::k_unknown_size};
    return agent::object_present(store, manifest) ? files_of_folder(store, artifact.sha256)
                                                  : std::vector{manifest};
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

/// What it lacks; nothing: it is complete. The files of a folder are known when its manifest is here, which
/// always comes.
void ArrivingEnds::look(const AttemptId& id, End& end) {
    std::vector<agent::SizedObject> come;
    std::vector<agent::SizedObject> stay;
    const auto want = [&](const agent::SizedObject& object, bool stays) {
        if (end.had.contains(object.sha256) || (stays && end.there.contains(object.sha256)) ||
            agent::object_present(store_, object)) {
            return;
        }
        end.wants.insert(object.sha256);
        Wanted& wanted = wanted_[object.sha256];
        const bool known = !wanted.by.empty() && (stays || !wanted.stays);
        wanted.object = object;
        wanted.by.insert(id);
        wanted.stays = wanted.stays && stays;
        if (!known) {
            (stays ? stay : come).push_back(object);
        }
    };
    try {
        for (const auto& [name, artifact] : end.result.artifacts) {
            const bool in_line = artifact.value || !artifact.pack.empty();
            if (artifact.kind != Artifact::Kind::folder && in_line) {
                continue;
            }
            for (const agent::SizedObject& object : objects_of(store_, artifact)) {
                const bool manifest =
                    artifact.kind == Artifact::Kind::folder && object.sha256 == artifact.sha256;
                want(object, stays(artifact) && !manifest);
            }
        }
    } catch (const Error& error) {
        if (error.code() != ExitCode::mismatch) {
            throw;
        }
        spoil(id, end, error.message());  // it is whole, and nonsense all the same
        return;
    }
    if (end.wants.empty()) {
        complete_.emplace(end.order, id);
        return;
    }
    for (const auto& [objects, stays] : {std::pair(come, false), std::pair(stay, true)}) {
        if (!objects.empty()) {
            ask_(objects, stays);
        }
    }
}

/// All that it was wanted for has what it needs.
void ArrivingEnds::settle(const std::string& sha256) {
    const auto found = wanted_.extract(sha256);
    if (found.empty()) {
        return;
    }
    for (const AttemptId& id : found.mapped().by) {
        End& end = ends_.at(id);
        end.wants.erase(sha256);
        (found.mapped().stays ? end.there : end.had).insert(sha256);
        if (end.wants.empty()) {
            look(id, end);
        }
    }
}

/// Whatever it was asked for.
void ArrivingEnds::arrived(const std::string& sha256) {
    if (const auto found = wanted_.find(sha256); found != wanted_.end()) {
        found->second.stays = false;
    }
    settle(sha256);
}

bool ArrivingEnds::stays(const std::string& sha256) const {
    const auto found = wanted_.find(sha256);
    return found != wanted_.end() && found->second.stays;
}

void ArrivingEnds::is_there(const std::string& sha256) {
    if (stays(sha256)) {
        settle(sha256);
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
    return found == wanted_.end() || found->second.stays ? std::nullopt : std::optional(found->second.object);
}

void ArrivingEnds::ask_again() const {
    std::vector<agent::SizedObject> come;
    std::vector<agent::SizedObject> stay;
    for (const auto& [sha256, each] : wanted_) {
        (each.stays ? stay : come).push_back(each.object);
    }
    ask_(come, false);
    ask_(stay, true);
}

}  // namespace amp
