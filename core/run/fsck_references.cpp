#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/package/manifest.hpp"
#include "core/ports/task_spec.hpp"
#include "core/run/fsck_parts.hpp"
#include "core/store/far_notes.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"
#include "core/store/sealed.hpp"
#include "core/store/store.hpp"

namespace amp::fsck {
namespace {

class ReferenceCheck {
  public:
    ReferenceCheck(Context& context, const RunNames& names)
        : context_(context), store_(context.store), names_(names) {}

    bool check() {
        read_losses();
        const std::set<std::string> known = losses_;
        for (const auto& [task, payload] : names_.last) {
            check_artifacts(task, payload);
            check_log(task, payload);
        }
        check_code();
        if (losses_ == known) {
            return false;
        }
        store_.objects->put(losses_key(), seal(Object{{"schema", "amp.losses/1"},
                                                      {"lost", List(losses_.begin(), losses_.end())}}));
        return true;
    }

  private:
    std::string losses_key() const { return layout::run_prefix(names_.run) + std::string(k_losses); }

    /// One that is damaged is none: the next repair writes it anew.
    void read_losses() {
        const auto stored = store_.objects->get(losses_key());
        if (!stored) {
            return;
        }
        try {
            const Value losses = unseal(stored->bytes, losses_key());
            for (const Value& lost : get_list(losses, "lost")) {
                losses_.insert(lost.as_string());
            }
        } catch (const Error&) {
            losses_.clear();
        }
    }

    bool is_named_object_there(const Artifact& artifact) {
        if (artifact.kind == Artifact::Kind::folder) {
            name_files(artifact);
        }
        return is_here(*store_.objects, artifact) || read_far_note(*store_.objects, artifact.sha256);
    }

    void name_files(const Artifact& folder) {
        try {
            for (const ManifestEntry& entry :
                 manifest_from(Objects(*store_.objects).get(folder.sha256)).entries) {
                if (entry.kind == ManifestEntry::Kind::file) {
                    context_.named.insert(entry.sha256);
                }
            }
        } catch (const Error&) {
            // It is told of as an artifact that is not there.
        }
    }

    /// What is wrong with an artifact; "" when it is whole.
    std::string problem_of(const Artifact& artifact) {
        if (artifact.value && artifact.kind == Artifact::Kind::value) {
            return {};
        }
        if (!artifact.pack.empty()) {
            try {
                read_piece(*store_.files,
                           {artifact.pack, artifact.pack_offset, artifact.size_bytes, artifact.sha256},
                           names_.journal_end.packs);
                return {};
            } catch (const Error& error) {
                return error.message();
            }
        }
        context_.named.insert(artifact.sha256);
        return is_named_object_there(artifact)
                   ? std::string()
                   : fmt::format("object {} is not there, or cut short", artifact.sha256);
    }

    void check_artifacts(const std::string& task, const Value& payload) {
        for (const auto& [name, value] : get_object(payload, "artifacts")) {
            const Artifact artifact = artifact_from(value);
            const std::string problem = problem_of(artifact);
            if (problem.empty()) {
                continue;
            }
            // Of the attempt: what the task makes when it runs again is lost anew, if it is.
            const std::string loss =
                fmt::format("{} {} {} {}", task, get_int(payload, "attempt"), name, artifact.sha256);
            const bool known = losses_.contains(loss);
            Finding& finding =
                context_.add({fmt::format("{}{}", layout::run_prefix(names_.run), task),
                              fmt::format("artifact '{}': {}", name, problem), "the task counts as not done",
                              fmt::format("`amp resume {}` runs it again", names_.run), !known});
            if (context_.options.repair && !known) {
                losses_.insert(loss);
                finding.repaired = true;
            }
        }
    }

    void check_log(const std::string& task, const Value& payload) {
        if (!payload.find("log")) {
            return;
        }
        const AttemptResult result = attempt_result_from(payload);
        for (const LogPiece& piece : result.log) {
            try {
                read_range(*store_.files, piece, result.task, result.attempt, names_.journal_end.packs,
                           [](std::string_view) {});
            } catch (const Error& error) {
                context_.add({fmt::format("{}{}", layout::run_prefix(names_.run), task),
                              "its output: " + error.message(), "that part of it is lost",
                              "nothing can bring it back; the run itself is not harmed", false});
                return;
            }
        }
    }

    void check_code() {
        Objects objects(*store_.objects);
        std::size_t missing = 0;
        std::string first;
        for (const CodeEntry& entry : names_.record.code.entries) {
            if (entry.sha256.empty()) {
                continue;
            }
            context_.named.insert(entry.sha256);
            if (!objects.contains(entry.sha256, entry.size_bytes)) {
                first = missing++ == 0 ? entry.path : first;
            }
        }
        if (missing > 0) {
            context_.add({layout::run_record(names_.run),
                          fmt::format("the contents of {} files of its code are not there, '{}' first",
                                      missing, first),
                          "the code of this run cannot be checked out whole",
                          "a run of the same files puts them there again"});
        }
    }

    Context& context_;
    const OpenStore& store_;
    const RunNames& names_;
    std::set<std::string> losses_;  ///< "TASK ATTEMPT NAME SHA256"
};

}  // namespace

bool check_references(Context& context, const RunNames& names) {
    return ReferenceCheck(context, names).check();
}

}  // namespace amp::fsck
