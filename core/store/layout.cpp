#include "core/store/layout.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/base/hash.hpp"

namespace amp::layout {

std::string store_record() {
    return "store.json";
}

std::string object(std::string_view sha256, bool compressed) {
    return fmt::format("objects/{}/{}{}", sha256.substr(0, 2), sha256.substr(2), compressed ? ".zst" : "");
}

std::string run_prefix(std::string_view run) {
    return fmt::format("runs/{}/", run);
}
std::string run_record(std::string_view run) {
    return fmt::format("runs/{}/run.json", run);
}
std::string lease(std::string_view run) {
    return fmt::format("runs/{}/lease", run);
}
std::string lease_lock(std::string_view run, std::string_view token) {
    return fmt::format("runs/{}/lease-{}.lock", run, token);
}
std::string journal_prefix(std::string_view run) {
    return fmt::format("runs/{}/journal/", run);
}

std::string journal(std::string_view run, std::uint32_t epoch, std::uint32_t seq) {
    return fmt::format("runs/{}/journal/{:08}-{:08}", run, epoch, seq);
}

std::string pack_prefix(std::string_view run) {
    return fmt::format("runs/{}/packs/", run);
}

std::string pack(std::string_view run, std::uint32_t epoch, std::uint32_t seq) {
    return pack_of(pack_writer(run, epoch), seq);
}
std::string pack_writer(std::string_view run, std::uint32_t epoch) {
    return fmt::format("runs/{}/packs/{:08}-", run, epoch);
}
std::string pack_of(std::string_view writer, std::uint32_t seq) {
    return fmt::format("{}{:08}", writer, seq);
}

std::optional<std::uint32_t> epoch_of(std::string_view pack) {
    const std::string_view name = pack.substr(pack.rfind('/') + 1);
    const std::string_view digits = name.substr(0, name.find('-'));
    std::uint32_t epoch = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
    return failed == std::errc() && end == digits.data() + digits.size() ? std::optional(epoch)
                                                                         : std::nullopt;
}

std::string keeper_prefix(std::string_view run) {
    return fmt::format("runs/{}/keeper/", run);
}
std::string keeper_log(std::string_view run, std::uint32_t epoch) {
    return fmt::format("runs/{}/keeper/{:08}", run, epoch);
}
std::string starts_prefix(std::string_view run) {
    return fmt::format("runs/{}/starts/", run);
}
std::string starts_log(std::string_view run, std::uint32_t epoch) {
    return fmt::format("runs/{}/starts/{:08}", run, epoch);
}
std::string tag_prefix(std::string_view run) {
    return fmt::format("runs/{}/tags/", run);
}
std::string tag(std::string_view run, std::string_view name) {
    return fmt::format("runs/{}/tags/{}.json", run, sha256_hex(name).substr(0, 32));
}
std::string child_prefix(std::string_view run) {
    return fmt::format("runs/{}/children/", run);
}
std::string child(std::string_view run, std::string_view key) {
    return fmt::format("runs/{}/children/{}.json", run, sha256_hex(key).substr(0, 32));
}
std::string approval_prefix(std::string_view run) {
    return fmt::format("runs/{}/approvals/", run);
}
std::string approval(std::string_view run, std::string_view key) {
    return fmt::format("runs/{}/approvals/{}.json", run, sha256_hex(key).substr(0, 32));
}
std::string hold_prefix(std::string_view run) {
    return fmt::format("runs/{}/holds/", run);
}
std::string hold(std::string_view run, std::string_view task) {
    return fmt::format("runs/{}/holds/{}.json", run, sha256_hex(task).substr(0, 32));
}
std::string checkpoints_prefix(std::string_view run) {
    return fmt::format("runs/{}/checkpoints/", run);
}
std::string checkpoint_prefix(std::string_view run, std::string_view task) {
    return fmt::format("runs/{}/checkpoints/{}/", run, sha256_hex(task).substr(0, 32));
}
std::string checkpoint(std::string_view run, std::string_view task, std::uint32_t seq) {
    return fmt::format("{}{:08}.json", checkpoint_prefix(run, task), seq);
}
std::string tasks_prefix(std::string_view run) {
    return fmt::format("runs/{}/tasks/", run);
}
std::string task_commit(std::string_view run, std::string_view task) {
    return fmt::format("runs/{}/tasks/{}/commit", run, task);
}
std::string attempt_claim(std::string_view run, std::string_view task, std::uint32_t attempt) {
    return fmt::format("runs/{}/tasks/{}/{}/claim", run, task, attempt);
}
std::string attempt_result(std::string_view run, std::string_view task, std::uint32_t attempt) {
    return fmt::format("runs/{}/tasks/{}/{}/result.json", run, task, attempt);
}
std::string attempt_cancel(std::string_view run, std::string_view task, std::uint32_t attempt) {
    return fmt::format("runs/{}/tasks/{}/{}/cancel", run, task, attempt);
}
std::string attempt_log_writer(std::string_view run, std::string_view task, std::uint32_t attempt,
                               std::uint32_t execution) {
    return fmt::format("runs/{}/tasks/{}/{}/log/{:08}-", run, task, attempt, execution);
}
bool is_attempt_log(std::string_view key) {
    constexpr std::string_view k_tasks = "/tasks/";
    const std::size_t tasks = key.find(k_tasks);  // behind it: STEP/INDEX/N/log/…
    if (tasks == std::string_view::npos) {
        return false;
    }
    std::size_t at = tasks + k_tasks.size();
    for (int part = 0; part < 3; ++part) {
        const std::size_t end = key.find('/', at);
        if (end == std::string_view::npos) {
            return false;
        }
        at = end + 1;
    }
    return key.substr(at).starts_with("log/");
}
std::string result(std::string_view definition) {
    return fmt::format("{}{}/{}", k_results, definition.substr(0, 2), definition.substr(2));
}
std::string summary(std::string_view run) {
    return fmt::format("runs/{}/summary.json", run);
}
std::string far_note(std::string_view sha256) {
    return fmt::format("{}{}", k_far, sha256);
}

std::string orchestrator_log(std::string_view run) {
    return fmt::format("runs/{}/orchestrator.log", run);
}
std::string turn_prefix(std::string_view flow) {
    return fmt::format("flows/{}/", sha256_hex(flow).substr(0, 32));
}
std::string turn(std::string_view flow) {
    return turn_prefix(flow) + "turn";
}

std::string collector_lock() {
    return "gc/lock";
}
std::string collector_time() {
    return "gc/begun";
}
std::string collector_candidates() {
    return "gc/candidates";
}
std::string index_list() {
    return "index/runs";
}
std::string index_mark_prefix() {
    return "index/changed/";
}
std::string index_mark(std::string_view run, std::string_view token) {
    return fmt::format("index/changed/{}.{}", run, token);
}

std::string torn_copy(std::string_view run, std::string_view segment) {
    return fmt::format("quarantine/{}/{}.torn", run, segment.substr(segment.rfind('/') + 1));
}

}  // namespace amp::layout
