#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The names of all keys in a store (design: "The store"). Nobody else builds a key.
namespace amp::layout {

inline constexpr int k_version = 1;

std::string store_record();                                    // store.json
std::string object(std::string_view sha256, bool compressed);  // objects/ab/<62 hex>[.zst]
std::string run_prefix(std::string_view run);                  // runs/RUN/
std::string run_record(std::string_view run);                  // runs/RUN/run.json
std::string lease(std::string_view run);                       // runs/RUN/lease
/// The lock file of one holder of the lease; shows on its host whether it lives.
std::string lease_lock(std::string_view run, std::string_view token);  // runs/RUN/lease-TOKEN.lock
std::string journal_prefix(std::string_view run);                      // runs/RUN/journal/
std::string journal(std::string_view run, std::uint32_t epoch,
                    std::uint32_t seq);         // …/journal/00000001-00000001
std::string pack_prefix(std::string_view run);  // runs/RUN/packs/
std::string pack(std::string_view run, std::uint32_t epoch, std::uint32_t seq);  // …/packs/00000001-00000001
/// The epoch in a pack's key.
std::optional<std::uint32_t> epoch_of(std::string_view pack);
/// What the keys of one writer's packs begin with, and the whole key.
std::string pack_writer(std::string_view run, std::uint32_t epoch);  // …/packs/00000001-
std::string pack_of(std::string_view writer, std::uint32_t seq);     // …/packs/00000001-00000001
std::string keeper_prefix(std::string_view run);                     // runs/RUN/keeper/
std::string keeper_log(std::string_view run, std::uint32_t epoch);   // …/keeper/00000001
std::string starts_prefix(std::string_view run);                     // runs/RUN/starts/
std::string starts_log(std::string_view run, std::uint32_t epoch);   // …/starts/00000001
std::string tag(std::string_view run, std::string_view name);        // …/tags/<sha256(tag)[:32]>.json
std::string tag_prefix(std::string_view run);
/// The run that is a task of `run`, or was spawned by one: …/children/<sha256(key)[:32]>.json
std::string child(std::string_view run, std::string_view key);
std::string child_prefix(std::string_view run);
/// What was said to a task that waits for approval: …/approvals/<sha256(key)[:32]>.json
std::string approval(std::string_view run, std::string_view key);
std::string approval_prefix(std::string_view run);
/// The place of a task that is kept for people, and until when: …/holds/<sha256(task)[:32]>.json
std::string hold(std::string_view run, std::string_view task);
std::string hold_prefix(std::string_view run);
/// What a task has saved of its checkpoint: …/checkpoints/<sha256(task)[:32]>/<8 digits>.json
std::string checkpoints_prefix(std::string_view run);
std::string checkpoint_prefix(std::string_view run, std::string_view task);
std::string checkpoint(std::string_view run, std::string_view task, std::uint32_t seq);
/// What attempts keep that run where no keeper is (core/task/claim): runs/RUN/tasks/STEP/INDEX/commit, and
/// …/STEP/INDEX/N/{claim, result.json, cancel}. `task` is "STEP/INDEX".
std::string tasks_prefix(std::string_view run);  // runs/RUN/tasks/
std::string task_commit(std::string_view run, std::string_view task);
std::string attempt_claim(std::string_view run, std::string_view task, std::uint32_t attempt);
std::string attempt_result(std::string_view run, std::string_view task, std::uint32_t attempt);
std::string attempt_cancel(std::string_view run, std::string_view task, std::uint32_t attempt);
/// The packs of one execution of such an attempt, as pack_writer: …/N/log/00000001-
std::string attempt_log_writer(std::string_view run, std::string_view task, std::uint32_t attempt,
                               std::uint32_t execution);
bool is_attempt_log(std::string_view key);
/// The result of a definition: cache/results/ab/<62 hex>
std::string result(std::string_view definition);
inline constexpr std::string_view k_results = "cache/results/";
std::string summary(std::string_view run);  // …/summary.json
/// Where an artifact is that is not here, by its hash: far/SHA256
std::string far_note(std::string_view sha256);
inline constexpr std::string_view k_far = "far/";
/// What the orchestrator of a detached run has printed.
std::string orchestrator_log(std::string_view run);  // …/orchestrator.log
/// Whose turn it is among the runs of a flow: flows/<sha256(name)[:32]>/turn
std::string turn_prefix(std::string_view flow);
std::string turn(std::string_view flow);
inline constexpr std::string_view k_flows = "flows/";
inline constexpr std::string_view k_objects = "objects/";
inline constexpr std::string_view k_runs = "runs/";
inline constexpr std::string_view k_index = "index/";
inline constexpr std::string_view k_cache = "cache/";
inline constexpr std::string_view k_quarantine = "quarantine/";
/// Of the collector: its lock, when it began, and what it may take the next time.
std::string collector_lock();        // gc/lock
std::string collector_time();        // gc/begun
std::string collector_candidates();  // gc/candidates
/// The list of runs, and the marks of those that have changed since: caches.
std::string index_list();                                              // index/runs
std::string index_mark_prefix();                                       // index/changed/
std::string index_mark(std::string_view run, std::string_view token);  // index/changed/RUN.TOKEN
/// A copy of what a dead driver left unfinished at the end of a journal segment (a key).
std::string torn_copy(std::string_view run, std::string_view segment);  // quarantine/RUN/EPOCH-SEQ.torn

}  // namespace amp::layout
