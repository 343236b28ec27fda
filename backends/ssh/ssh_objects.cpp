// Objects of a run there: what comes, what goes, and what stays (README.md, "What stays there").

#include <fmt/format.h>

#include <algorithm>

#include "backends/ssh/ssh_backend.hpp"
#include "core/base/error.hpp"
#include "core/store/far_notes.hpp"

namespace amp {

using agent::Kind;

void SshBackend::handle_object(const agent::Frame& frame) {
    switch (static_cast<Kind>(frame.kind)) {
        case Kind::there:
            uploads_.answered(frame.payload);
            hear_of_ends(frame.payload);
            send_ready();
            break;
        case Kind::stored:
            uploads_.stored(frame.payload);
            send_ready();
            break;
        case Kind::unstored:
            upload_failed(agent::object_trouble_from(frame.payload));
            break;
        case Kind::code:
            code_laid(frame.payload);
            break;
        case Kind::object:
            taker_.begin(frame.payload);
            break;
        case Kind::data:
            taker_.data(frame.payload);
            break;
        case Kind::object_end: {
            const agent::ObjectTrouble taken = taker_.end(frame.payload);
            if (taken.error.empty()) {
                unsynced_ = true;
                ends_.arrived(taken.sha256);
            } else if (taken.ours) {  // it is there all the same: whoever resumes fetches it
                throw Error(taken.code, taken.error);
            } else {
                ends_.gone(taken.sha256, taken.error);
            }
            break;
        }
        case Kind::gone: {
            const agent::ObjectTrouble trouble = agent::object_trouble_from(frame.payload);
            ends_.gone(trouble.sha256, trouble.error);
            break;
        }
        default:
            throw Error(ExitCode::mismatch,
                        fmt::format("amp on {} says {}, which is not known", options_.host, frame.kind));
    }
}

FarPlace SshBackend::place() const {
    return {options_.profile, "ssh", options_.host, options_.root, welcome_.store};
}

/// What ends leave there must be there.
void SshBackend::hear_of_ends(std::string_view payload) {
    for (const std::string& sha256 : agent::hashes_from(payload, "there")) {
        ends_.is_there(sha256);
    }
    for (const std::string& sha256 : agent::hashes_from(payload, "missing")) {
        if (ends_.stays(sha256)) {
            ends_.gone(sha256, "it is not in the store there");
        }
    }
}

/// Before it is told that they have ended.
void SshBackend::note_what_stays(const std::vector<AttemptResult>& results) {
    for (const AttemptResult& result : results) {
        for (const auto& [name, artifact] : result.artifacts) {
            if (ends_.stays(artifact) && !is_here(objects_, artifact)) {
                note_far(objects_, {artifact, place()});
            }
        }
    }
}

/// Once: what is asked for there is young, and stays for longer.
void SshBackend::use_what_stays() {
    if (std::exchange(used_what_stays_, true)) {
        return;
    }
    std::vector<agent::SizedObject> used;
    for (const std::string& sha256 : list_far(objects_)) {
        const auto note = read_far_note(objects_, sha256);
        if (!note || note->place !=
                         FarPlace{note->place.profile, "ssh", options_.host, options_.root, welcome_.store}) {
            continue;
        }
        try {
            const auto objects = objects_of(objects_, note->artifact);
            used.insert(used.end(), objects.begin(), objects.end());
        } catch (const Error& error) {
            if (error.code() != ExitCode::mismatch) {
                throw;
            }
        }
    }
    agent::send_objects(line_->channel(), Kind::have, used);
}

/// Was that it, which this spec needs and our store does not have, and is it there no more? Then it is
/// nowhere.
std::string SshBackend::forget_what_is_gone(const TaskSpec& spec, const std::string& sha256) {
    for (const TaskInput& input : spec.inputs) {
        const auto note = find_far(objects_, input.artifact);
        if (!note || !place().same_place(note->place)) {
            continue;
        }
        const auto needs = objects_of(objects_, input.artifact);
        if (std::none_of(needs.begin(), needs.end(),
                         [&](const auto& object) { return object.sha256 == sha256; })) {
            continue;
        }
        if (note->place.store != welcome_.store) {
            return fmt::format("its input '{}' stayed on {}, where the store is another one now", input.path,
                               note->place.profile);
        }
        forget_far(objects_, input.artifact.sha256);
        return fmt::format("its input '{}' stayed on {} and is there no more: `amp resume` makes it again",
                           input.path, note->place.profile);
    }
    return {};
}

}  // namespace amp
