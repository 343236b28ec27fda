#include "core/task/claim.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "core/store/sealed.hpp"

namespace amp {
namespace {

constexpr int k_schema = 1;
constexpr int k_rounds = 8;  // each lost one means that another execution won it

Value claim_value(const Claim& claim) {
    Object out{{"schema", k_schema},
               {"task", claim.task.text()},
               {"attempt", std::uint64_t{claim.attempt}},
               {"token", claim.token},
               {"id", claim.id},
               {"epoch", std::uint64_t{claim.epoch}},
               {"execution", std::uint64_t{claim.execution}},
               {"host", claim.by.host},
               {"boot", claim.by.boot},
               {"pid_space", claim.by.pid_space},
               {"pid", claim.by.pid},
               {"began", claim.by.began},
               {"at", format_time(claim.at)}};
    if (!claim.job.empty()) {
        out["job"] = claim.job;
        out["restart"] = std::uint64_t{claim.restart};
    }
    return out;
}

void check_schema(const Value& value, const std::string& key) {
    if (get_int(value, "schema") > k_schema) {
        throw Error(ExitCode::mismatch, fmt::format("'{}' was written by a newer amp", key), key,
                    "use that amp");
    }
}

Claim claim_from(const Value& value, const std::string& key) {
    check_schema(value, key);
    Claim claim;
    claim.task = TaskName::parse(get_string(value, "task"));
    claim.attempt = static_cast<std::uint32_t>(get_int(value, "attempt", 1));
    claim.token = get_string(value, "token");
    claim.id = get_string(value, "id");
    claim.epoch = static_cast<std::uint32_t>(get_int(value, "epoch", 1));
    claim.execution = static_cast<std::uint32_t>(get_int(value, "execution", 1));
    claim.by = {get_string(value, "host"), get_string(value, "boot"), get_string(value, "pid_space"),
                get_int(value, "pid"), static_cast<std::uint64_t>(get_int(value, "began"))};
    claim.job = get_string(value, "job");
    claim.restart = static_cast<std::uint32_t>(get_int(value, "restart"));
    claim.at = parse_time(get_string(value, "at")).value_or(Timestamp{});
    return claim;
}

std::string record_text(const Claim& by, const AttemptResult& result) {
    return seal(Object{{"schema", k_schema}, {"by", claim_value(by)}, {"result", to_value(result)}});
}

AttemptRecord record_from(const std::string& bytes, const std::string& key) {
    const Value value = unseal(bytes, key);
    check_schema(value, key);
    const Value* by = value.find("by");
    const Value* result = value.find("result");
    return {claim_from(by == nullptr ? Value{} : *by, key),
            attempt_result_from(result == nullptr ? Value{} : *result)};
}

std::optional<AttemptRecord> read_record(ObjectStore& store, const std::string& key) {
    const std::optional<Stored> stored = store.get(key);
    return stored ? std::optional(record_from(stored->bytes, key)) : std::nullopt;
}

std::string place_of(const Claim& claim) {
    return fmt::format("pid {} on '{}'", claim.by.pid, claim.by.host);
}

/// Why an attempt is not to be done (any more); empty: it is. Makes good what one that died between its
/// commit and its result has left out.
std::string why_over(ObjectStore& store, const std::string& run, const TaskName& task,
                     std::uint32_t attempt) {
    const std::string key = layout::task_commit(run, task.text());
    if (const std::optional<Stored> stored = store.get(key)) {
        const AttemptRecord commit = record_from(stored->bytes, key);
        if (commit.by.attempt == attempt) {
            store.put_if_absent(layout::attempt_result(run, task.text(), attempt), stored->bytes);
        }
        return fmt::format("{} is done: attempt {}, {}, has succeeded", task.text(), commit.by.attempt,
                           place_of(commit.by));
    }
    if (const auto ended = read_attempt(store, run, task, attempt)) {
        return fmt::format("attempt {} of {} has ended: {}", attempt, task.text(),
                           cause_name(ended->result.cause));
    }
    return {};
}

/// True: it is ours. Also when the answer to our put got lost.
bool put_own(ObjectStore& store, const std::string& key, const std::string& text, const std::string& id) {
    if (store.put_if_absent(key, text) == PutResult::stored) {
        return true;
    }
    const auto there = read_record(store, key);
    return there && there->by.id == id;
}

}  // namespace

std::string why_not_take_over(const Claim& holder, const Claim& ours,
                              const std::function<bool(const ProcessIdentity&)>& lives) {
    const std::string what = fmt::format("attempt {} of {}", holder.attempt, holder.task.text());
    if (holder.token != ours.token) {
        return fmt::format("{} is another submission's, {}", what, place_of(holder));
    }
    if (holder.by.is_near(ours.by)) {
        return lives(holder.by) ? fmt::format("{} is being done by {}", what, place_of(holder)) : "";
    }
    if (!holder.job.empty() && holder.job == ours.job && ours.restart > holder.restart) {
        return {};  // the scheduler starts a job again only when it is gone
    }
    return fmt::format("{} was begun by {}, and whether that lives cannot be told from here", what,
                       place_of(holder));
}

ClaimOutcome claim_attempt(ObjectStore& store, const ClaimWish& wish) {
    Claim ours = wish.claim;
    const std::string key = layout::attempt_claim(wish.run, ours.task.text(), ours.attempt);
    std::optional<Claim> before;
    for (int round = 0; round < k_rounds; ++round) {
        const std::optional<Stored> stored = store.get(key);
        PutResult put = PutResult::stored;
        if (!stored) {
            put = store.put_if_absent(key, seal(claim_value(ours)));
        } else if (Claim holder = claim_from(unseal(stored->bytes, key), key); holder.id != ours.id) {
            before = std::move(holder);  // else the answer to our own put got lost
            if (std::string refusal = why_not_take_over(*before, ours, wish.lives); !refusal.empty()) {
                return {{}, std::move(before), std::move(refusal)};
            }
            ours.execution = before->execution + 1;
            put = store.compare_and_swap(key, seal(claim_value(ours)), stored->version);
        }
        if (put == PutResult::stored) {
            // Only now: whoever has ended since cannot be taken for one who died on the way.
            if (std::string over = why_over(store, wish.run, ours.task, ours.attempt); !over.empty()) {
                return {{}, std::move(before), std::move(over)};
            }
            return {std::move(ours), std::move(before), {}};
        }
    }
    return {{}, {}, "other processes are claiming the attempt at this moment"};
}

std::pair<std::string, std::uint32_t> scheduler_job(
    const std::map<std::string, std::string, std::less<>>& environment) {
    const auto text = [&](std::string_view name) {
        const auto found = environment.find(name);
        return found == environment.end() ? std::string() : found->second;
    };
    const auto number = [&](std::string_view name) {
        const std::string digits = text(name);
        std::uint32_t out = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return out;
    };
    if (const std::string id = text("SLURM_JOB_ID"); !id.empty()) {
        return {fmt::format("slurm:{}:{}", text("SLURM_CLUSTER_NAME"), id), number("SLURM_RESTART_COUNT")};
    }
    if (const std::string id = text("AWS_BATCH_JOB_ID"); !id.empty()) {
        return {"batch:" + id, number("AWS_BATCH_JOB_ATTEMPT")};
    }
    return {};
}

bool record_attempt(ObjectStore& store, const std::string& run, const Claim& ours,
                    const AttemptResult& result) {
    const std::optional<Claim> holder = read_claim(store, run, ours.task, ours.attempt);
    if (!holder || holder->id != ours.id) {
        return false;
    }
    const std::string text = record_text(ours, result);
    if (result.succeeded() && !put_own(store, layout::task_commit(run, ours.task.text()), text, ours.id)) {
        return false;
    }
    const bool told =
        put_own(store, layout::attempt_result(run, ours.task.text(), ours.attempt), text, ours.id);
    return told || result.succeeded();  // the commit counts
}

std::optional<AttemptRecord> read_commit(ObjectStore& store, const std::string& run, const TaskName& task) {
    return read_record(store, layout::task_commit(run, task.text()));
}

std::optional<AttemptRecord> read_attempt(ObjectStore& store, const std::string& run, const TaskName& task,
                                          std::uint32_t attempt) {
    std::optional<AttemptRecord> commit = read_commit(store, run, task);
    return commit && commit->by.attempt == attempt
               ? commit
               : read_record(store, layout::attempt_result(run, task.text(), attempt));
}

std::optional<Claim> read_claim(ObjectStore& store, const std::string& run, const TaskName& task,
                                std::uint32_t attempt) {
    const std::string key = layout::attempt_claim(run, task.text(), attempt);
    const std::optional<Stored> stored = store.get(key);
    return stored ? std::optional(claim_from(unseal(stored->bytes, key), key)) : std::nullopt;
}

void ask_to_cancel(ObjectStore& store, const std::string& run, const TaskName& task, std::uint32_t attempt) {
    store.put_if_absent(layout::attempt_cancel(run, task.text(), attempt),
                        seal(Object{{"schema", k_schema}}));
}

bool is_cancel_asked(ObjectStore& store, const std::string& run, const TaskName& task,
                     std::uint32_t attempt) {
    return store.size(layout::attempt_cancel(run, task.text(), attempt)).has_value();
}

}  // namespace amp
