#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/package/manifest.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/fsck_parts.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/far_notes.hpp"
#include "core/store/keeper_log.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"
#include "core/store/sealed.hpp"
#include "core/store/store.hpp"

namespace amp::fsck {
namespace {

constexpr std::size_t k_all = std::numeric_limits<std::size_t>::max();

constexpr double k_patience_s = 3;
constexpr double k_pause_s = 0.01;

class RunCheck {
  public:
    RunCheck(Context& context, std::string run)
        : context_(context), store_(context.store), run_(std::move(run)), repair_(context.options.repair) {}

    void check() {
        if (in_use()) {
            context_.report.driven.push_back(run_);
            return;
        }
        if (!check_record()) {
            return;
        }
        read_logs();
        check_lease();
        check_journal();
        check_keeper_logs();
        check_packs();
        check_small_records();
        check_references();
    }

  private:
    /// A keeper that has nothing left to do ends soon after its driver.
    bool in_use() {
        const double began = context_.services.clock.steady_seconds();
        bool held = holds_lock();
        while (held && !is_lease_held() && context_.services.clock.steady_seconds() - began < k_patience_s) {
            context_.services.waiter.get().wait(-1, k_pause_s);
            held = holds_lock();
        }
        return held || is_lease_held();
    }

    /// Also where the lease cannot be read: living processes hold locks.
    bool holds_lock() {
        for (const std::string& key : store_.files->list(layout::run_prefix(run_))) {
            const bool lock = key.starts_with(layout::lease(run_) + "-") ||
                              key.starts_with(layout::keeper_prefix(run_)) || layout::is_attempt_log(key);
            if (lock && store_.files->locked(key)) {
                return true;
            }
        }
        return false;
    }

    bool is_lease_held() {
        try {
            return is_driven(*store_.objects, *store_.files, context_.services.clock, run_,
                             context_.services.host);
        } catch (const Error&) {
            return false;
        }
    }

    bool check_record() {
        std::string problem = "it is missing";
        try {
            if (const auto stored = store_.objects->get(layout::run_record(run_))) {
                record_ = run_record_from(unseal(stored->bytes, layout::run_record(run_)));
                return true;
            }
        } catch (const Error& error) {
            problem = error.message();
        }
        Finding& finding = context_.add(
            {layout::run_record(run_), problem, "the run cannot be read: what was asked for is not known",
             "what there is of it is moved to quarantine; its objects stay as long as that does"});
        if (repair_) {
            std::vector<std::string> keys = store_.objects->list_after(layout::run_prefix(run_), {}, k_all);
            const std::vector<std::string> more = store_.files->list(layout::run_prefix(run_));
            std::copy_if(more.begin(), more.end(), std::back_inserter(keys), is_append_file);
            std::sort(keys.begin(), keys.end());
            keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
            for (const std::string& key : keys) {
                context_.move_away(key);
            }
            finding.repaired = true;
        }
        return false;
    }

    void read_logs() {
        salvage_ = salvage_journal(*store_.files, run_, [this](const Record& record) { take(record); });
        highest_epoch_ = salvage_.end.epoch;
        for (const std::uint32_t epoch : keeper_epochs(store_, run_)) {
            salvage_keeper_log(*store_.files, run_, epoch, [this](const Record& record) {
                if (record.type == "driver") {
                    drivers_.insert(static_cast<std::uint32_t>(get_int(record.payload, "epoch")));
                }
            });
        }
        if (!drivers_.empty()) {
            highest_epoch_ = std::max(highest_epoch_, *drivers_.rbegin());
        }
    }

    void take(const Record& record) {
        if (record.type == "end" || record.type == "reused") {
            last_[get_string(record.payload, "task")] = record.payload;
        }
    }

    void check_lease() {
        std::string problem;
        std::optional<LeaseRecord> lease;
        try {
            lease = read_lease(*store_.objects, run_);
            if (highest_epoch_ > (lease ? lease->epoch : 0)) {
                problem =
                    lease ? fmt::format("it says epoch {}, and the journal {}", lease->epoch, highest_epoch_)
                          : "it is missing";
            }
        } catch (const Error& error) {
            problem = error.message();
        }
        if (!problem.empty()) {
            Finding& finding = context_.add({layout::lease(run_), problem, "the run cannot be resumed",
                                             "a lease that nobody holds is written, from the journal"});
            if (repair_) {
                write_free_lease();
                finding.repaired = true;
            }
        } else if (lease && !lease->released) {
            Finding& finding = context_.add(
                {layout::lease(run_),
                 fmt::format("its driver, pid {} on '{}', died", lease->pid, lease->host),
                 "nothing: `amp resume` goes on with the run", "the lease is given back", false});
            if (repair_) {
                take_lease();
                finding.repaired = true;
            }
        }
        clear_locks(lease && !lease->released && !repair_ ? lease->lock : std::string());
    }

    void clear_locks(const std::string& but) {
        for (const std::string& key : store_.files->list(layout::lease(run_) + "-")) {
            if (key == but) {
                continue;
            }
            Finding& finding = context_.add(
                {key, "a lock that a driver left", "nothing: nobody holds it", "it is removed", false});
            if (repair_) {
                store_.files->remove(key);
                finding.repaired = true;
            }
        }
    }

    void write_free_lease() {
        if (store_.objects->size(layout::lease(run_))) {
            context_.move_away(layout::lease(run_));
        }
        write_released_lease(*store_.objects, run_, highest_epoch_);
    }

    Lease take_lease() {
        return Lease::acquire(*store_.objects, *store_.files, context_.services.clock, run_,
                              {context_.services.host, context_.services.pid, context_.services.user});
    }

    /// A driver of which the keeper tells, and the journal has nothing: its segments are gone.
    std::string missing_segments() const {
        const bool missing = !drivers_.empty() && *drivers_.rbegin() > salvage_.end.epoch;
        return missing ? fmt::format("what the driver of epoch {} wrote is missing", *drivers_.rbegin())
                       : std::string();
    }

    void check_journal() {
        const std::string missing = salvage_.problems.empty() ? missing_segments() : "";
        if (salvage_.problems.empty() && missing.empty() && salvage_.end.torn_bytes == 0) {
            return;
        }
        std::vector<std::size_t> added;
        const auto add = [&](Finding finding) {
            context_.add(std::move(finding));
            added.push_back(context_.report.findings.size() - 1);
        };
        const std::string remedy = "the journal goes on behind the last sound record";
        const std::string lost = "what it says from there on is lost: those tasks run again on `amp resume`";
        for (const Salvage::Problem& problem : salvage_.problems) {
            add({problem.key, fmt::format("byte {}: {}", problem.offset, problem.what), lost, remedy});
        }
        if (!missing.empty()) {
            add({layout::journal_prefix(run_), missing, lost, remedy});
        }
        if (added.empty()) {
            add({layout::journal_prefix(run_) + salvage_.end.accepted.rbegin()->first,
                 fmt::format("{} bytes at the end are torn", salvage_.end.torn_bytes),
                 "nothing: they were never on the disk as a whole", "they are cut off", false});
        }
        if (repair_) {
            mend_journal();
            for (const std::size_t i : added) {
                context_.report.findings[i].repaired = true;
            }
        }
    }

    void mend_journal() {
        for (const std::string& key : store_.files->list(layout::journal_prefix(run_))) {
            context_.keep_copy(key);
        }
        const Lease lease = take_lease();
        LogEnd end = salvage_.end;
        JournalWriter journal(*store_.files, run_, lease.epoch(), end);
        journal.barrier();
        forget_summary();
    }

    void forget_summary() { store_.objects->remove(layout::summary(run_)); }

    void check_keeper_logs() {
        for (const std::uint32_t epoch : keeper_epochs(store_, run_)) {
            const std::string key = layout::keeper_log(run_, epoch);
            const auto nobody = [](const Record&) {};
            const std::uint64_t sound = salvage_keeper_log(*store_.files, run_, epoch, nobody);
            const std::uint64_t size = store_.files->size(key);
            if (sound == size) {
                continue;
            }
            std::string problem;
            try {
                read_keeper_log(*store_.files, run_, epoch, nobody);
            } catch (const Error& error) {
                problem = error.message();
            }
            const bool torn = problem.empty();
            Finding& finding =
                context_.add({key, torn ? fmt::format("{} bytes at the end are torn", size - sound) : problem,
                              torn ? "nothing: they were never on the disk as a whole"
                                   : "what only the keeper knew from there on is lost: those tasks run again "
                                     "on `amp resume`",
                              "it is cut off behind the last sound record", !torn});
            if (repair_) {
                context_.keep_copy(key);
                store_.files->replace(key, store_.files->read(key, 0, sound).value_or(""));
                finding.repaired = true;
            }
        }
    }

    void check_packs() {
        const PackLengths& accepted = salvage_.end.packs;
        for (const std::string& key : list_packs(*store_.files, run_)) {
            const auto limit = accepted.find(key);
            const bool limited = limit != accepted.end();
            const std::vector<PackGap> gaps =
                find_pack_gaps(*store_.files, key, limited ? limit->second : k_all);
            for (const PackGap& gap : gaps) {
                context_.add(
                    {key,
                     fmt::format("bytes {} to {} are {}", gap.offset, gap.offset + gap.length,
                                 gap.at_end ? "torn" : "damaged"),
                     gap.at_end ? "nothing, unless something names them, which is told of then"
                                : "that part of a task's output is lost; a task whose value it was runs "
                                  "again on `amp resume`",
                     gap.at_end ? "they are cut off" : "a remark is put in their place", !gap.at_end});
            }
            if (repair_ && !gaps.empty()) {
                context_.keep_copy(key);
                store_.files->replace(
                    key, without_gaps(
                             store_.files->read(key, 0, limited ? limit->second : k_all).value_or(""), gaps));
                for (std::size_t i = 0; i < gaps.size(); ++i) {
                    context_.report.findings[context_.report.findings.size() - 1 - i].repaired = true;
                }
            }
        }
    }

    void check_small_records() {
        const auto check = [this](const std::string& key, const char* means, bool damage) {
            const auto stored = store_.objects->get(key);
            if (!stored) {
                return;
            }
            try {
                unseal(stored->bytes, key);
            } catch (const Error& error) {
                Finding& finding =
                    context_.add({key, error.message(), means, "it is moved to quarantine", damage});
                if (repair_) {
                    context_.move_away(key);
                    finding.repaired = true;
                }
            }
        };
        for (const std::string& key : store_.objects->list_after(layout::tag_prefix(run_), {}, k_all)) {
            check(key, "the tag is lost, with its history", true);
        }
        for (const std::string& key : store_.objects->list_after(layout::tasks_prefix(run_), {}, k_all)) {
            if (!layout::is_attempt_log(key)) {
                check(key, "what a task runner has recorded of an attempt is lost", true);
            }
        }
        check(layout::summary(run_), "nothing: it is a cache", false);
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
                           salvage_.end.packs);
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

    void check_references() {
        for (const auto& [task, payload] : last_) {
            for (const auto& [name, value] : get_object(payload, "artifacts")) {
                const std::string problem = problem_of(artifact_from(value));
                if (problem.empty()) {
                    continue;
                }
                Finding& finding = context_.add({fmt::format("{}{}", layout::run_prefix(run_), task),
                                                 fmt::format("artifact '{}': {}", name, problem),
                                                 "the task counts as not done",
                                                 fmt::format("`amp resume {}` runs it again", run_)});
                if (repair_) {
                    forget_summary();
                    finding.repaired = true;
                }
            }
            check_log(task, payload);
        }
        check_code();
    }

    void check_log(const std::string& task, const Value& payload) {
        if (!payload.find("log")) {
            return;
        }
        const AttemptResult result = attempt_result_from(payload);
        for (const LogPiece& piece : result.log) {
            try {
                read_range(*store_.files, piece, result.task, result.attempt, salvage_.end.packs,
                           [](std::string_view) {});
            } catch (const Error& error) {
                context_.add({fmt::format("{}{}", layout::run_prefix(run_), task),
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
        for (const CodeEntry& entry : record_.code.entries) {
            if (entry.sha256.empty()) {
                continue;
            }
            context_.named.insert(entry.sha256);
            if (!objects.contains(entry.sha256, entry.size_bytes)) {
                first = missing++ == 0 ? entry.path : first;
            }
        }
        if (missing > 0) {
            context_.add({layout::run_record(run_),
                          fmt::format("the contents of {} files of its code are not there, '{}' first",
                                      missing, first),
                          "the code of this run cannot be checked out whole",
                          "a run of the same files puts them there again"});
        }
    }

    Context& context_;
    const OpenStore& store_;
    std::string run_;
    bool repair_;
    RunRecord record_;
    Salvage salvage_;
    std::uint32_t highest_epoch_ = 0;
    std::set<std::uint32_t> drivers_;
    std::map<std::string, Value> last_;  ///< how each task ended last
};

}  // namespace

void check_run(Context& context, const std::string& run) {
    RunCheck(context, run).check();
}

}  // namespace amp::fsck
