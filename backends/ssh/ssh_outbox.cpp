// Specs on their way to the other machine: first what they need.

#include <fmt/format.h>

#include <algorithm>

#include "backends/ssh/ssh_backend.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/package/layable.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

using agent::Kind;

bool has_content(const CodeEntry& entry) {
    return !entry.folder && entry.link_target.empty();
}

}  // namespace

void SshBackend::ask_for_objects() {
    bool needs_code = false;
    for (const AttemptId& id : unsent_) {
        const FarSpec& far = *held_.at(id).spec;
        uploads_.need(line_->channel(), far.needs);
        needs_code = needs_code || far.needs_code;
    }
    if (needs_code && code_ == Code::unknown && options_.code != nullptr) {
        ask_for_code();
    }
}

/// All its files, and the list of them. Without one of them nothing of it is sent.
void SshBackend::ask_for_code() {
    const std::vector<CodeEntry>& entries = options_.code->entries;
    if (code_manifest_.empty()) {
        const auto lost = std::find_if(entries.begin(), entries.end(), [this](const CodeEntry& entry) {
            return has_content(entry) && (entry.sha256.empty() || !objects_has(entry));
        });
        if (lost != entries.end()) {
            code_ = Code::failed;
            code_error_ = fmt::format("'{}' is too large or could not be read ({}); {}",
                                      printable(lost->path), format_size(lost->size_bytes), k_unfit_hint);
            return;
        }
        const ObjectInfo manifest = Objects(objects_).put(json::dump_record(to_value(*options_.code)));
        code_manifest_ = manifest.sha256;
        code_needs_.push_back({manifest.sha256, manifest.size_bytes});
        for (const CodeEntry& entry : entries) {
            if (has_content(entry)) {
                code_needs_.push_back({entry.sha256, entry.size_bytes});
            }
        }
    }
    code_ = Code::asked;
    uploads_.need(line_->channel(), code_needs_);
}

bool SshBackend::objects_has(const CodeEntry& entry) const {
    return agent::object_present(objects_, {entry.sha256, entry.size_bytes});
}

void SshBackend::lay_code() {
    if (code_ == Code::asked && uploads_.are_there(code_needs_)) {
        code_ = Code::laying;
        line_->channel().send(Kind::lay_code,
                              agent::encode_texts("hash", options_.code->hash, "manifest", code_manifest_));
    }
}

void SshBackend::code_laid(std::string_view payload) {
    code_error_ = agent::text_from(payload, "error");
    code_ = code_error_.empty() ? Code::ready : Code::failed;
    send_ready();
}

bool SshBackend::is_ready(const FarSpec& far) const {
    const bool code_waits =
        far.needs_code && options_.code != nullptr && code_ != Code::ready && code_ != Code::failed;
    return !code_waits && uploads_.are_there(far.needs);
}

void SshBackend::send_ready() {
    if (!may_speak()) {
        return;
    }
    lay_code();
    if (!may_submit() || unsent_.empty()) {
        return;
    }
    std::vector<TaskSpec> ready;
    std::deque<AttemptId> waiting;
    std::vector<AttemptId> failed;
    for (const AttemptId& id : unsent_) {
        Held& held = held_.at(id);
        if (!is_ready(*held.spec)) {
            waiting.push_back(id);
        } else if (held.spec->needs_code && code_ == Code::failed) {
            failed.push_back(id);
        } else {
            TaskSpec spec = held.spec->spec;
            place_far(
                spec, options_.project_folder,
                options_.code != nullptr ? welcome_.root + "/code/" + options_.code->hash : std::string());
            held.state = State::sent;
            ready.push_back(std::move(spec));
        }
    }
    unsent_ = std::move(waiting);
    for (const AttemptId& id : failed) {
        end(id, Cause::infra, fmt::format("the code cannot be laid on {}: {}", options_.host, code_error_));
    }
    for (const TaskSpec* large : agent::send_specs(line_->channel(), ready)) {
        end({large->task, large->attempt}, Cause::infra, "its description is over 16 MiB");
    }
}

/// No task that needs it can start.
void SshBackend::upload_failed(const agent::ObjectTrouble& trouble) {
    uploads_.failed(trouble.sha256);
    const auto needs = [&trouble](const std::vector<agent::SizedObject>& objects) {
        return std::any_of(objects.begin(), objects.end(),
                           [&trouble](const auto& object) { return object.sha256 == trouble.sha256; });
    };
    const std::string why = fmt::format("it cannot be sent to {}: {}", options_.host, trouble.error);
    if (needs(code_needs_)) {
        code_ = Code::failed;
        code_error_ = why;
    }
    std::vector<std::pair<AttemptId, std::string>> failed;
    std::string gone;  // what is gone is forgotten once, and told to all
    for (const AttemptId& id : unsent_) {
        const FarSpec& far = *held_.at(id).spec;
        if (needs(far.needs)) {
            const bool nowhere = trouble.code == ExitCode::not_found && gone.empty();
            gone = nowhere ? forget_what_is_gone(far.spec, trouble.sha256) : gone;
            failed.emplace_back(id, gone.empty() ? "an input of " + why : gone);
        }
    }
    for (const auto& [id, message] : failed) {
        end(id, Cause::infra, message);
    }
    send_ready();
}

/// Sends what waits: words first, then pieces of what is large.
void SshBackend::pump() {
    if (!line_ || line_->state() != FarLine::State::up) {
        return;
    }
    for (const agent::ObjectTrouble& trouble : uploads_.fill(line_->channel())) {
        upload_failed(trouble);
    }
    line_->flush(!uploads_.idle());
}

}  // namespace amp
