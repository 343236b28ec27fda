#include "cli/show_run.hpp"

#include <doctest/doctest.h>

#include "cli/run_text.hpp"
#include "core/base/json.hpp"
#include "tests/support/cpu_time.hpp"

namespace amp {
namespace {

constexpr Timestamp k_start{1'795'162'530'000};  // 2026-11-20T08:15:30Z

TaskView ended_task(const char* name, TaskState state, Cause cause, int exit, double begin, double seconds) {
    TaskView task;
    task.name = TaskName::parse(name);
    task.state = state;
    task.attempt = 1;
    AttemptResult result;
    result.task = task.name;
    result.cause = cause;
    result.exit = exit;
    result.started = k_start.plus_seconds(begin);
    result.ended = result.started.plus_seconds(seconds);
    task.attempts = {result};
    return task;
}

Plan::Counts counts(std::initializer_list<std::pair<TaskState, std::uint64_t>> pairs) {
    Plan::Counts out{};
    for (const auto& [state, count] : pairs) {
        out[static_cast<std::size_t>(state)] = count;
    }
    return out;
}

RunView sample() {
    RunView view;
    view.run = "261120-081530-k3fx";
    view.flow = "Finetune";
    view.state = "failed";
    view.user = "ann";
    view.host = "node7";
    view.commit = "0123456789abcdef0123";
    view.dirty = true;
    view.created = k_start;
    view.ended = k_start.plus_seconds(92);
    view.params = Object{{"lr", 0.1}, {"model", "t5"}};
    view.tags = {"exp-7"};
    view.steps = {{"prepare", counts({{TaskState::succeeded, 1}})},
                  {"train", counts({{TaskState::failed, 1}, {TaskState::succeeded, 1}})},
                  {"report", counts({{TaskState::blocked, 1}})}};
    view.tasks.push_back(ended_task("prepare/_", TaskState::succeeded, Cause::none, 0, 0, 4.2));
    view.tasks.push_back(ended_task("train/0", TaskState::succeeded, Cause::none, 0, 5, 60));
    view.tasks.back().item = "click";
    view.tasks.push_back(ended_task("train/1", TaskState::failed, Cause::oom, -1, 5, 80));
    view.tasks.back().item = "type";
    view.tasks.back().attempts[0].signal = 9;
    view.tasks.back().attempts[0].message = "killed by the kernel for want of memory";
    TaskView blocked;
    blocked.name = TaskName::parse("report");
    blocked.state = TaskState::blocked;
    view.tasks.push_back(blocked);
    return view;
}

}  // namespace

TEST_CASE("a repetition that came to its end says so") {
    RunView view = sample();
    view.tasks = {ended_task("loop/_@2", TaskState::failed, Cause::none, 0, 0, 1)};
    const std::string text = run_report(view, {});
    CHECK(text.find("failed loop/_@2: user: `until` did not become true by its last round\n") !=
          std::string::npos);
}

TEST_CASE("a run as text") {
    CHECK(run_report(sample(), {}) ==
          "run 261120-081530-k3fx  failed\n"
          "  flow     Finetune\n"
          "  started  2026-11-20 08:15:30 UTC, took 1m32s\n"
          "  by       ann@node7\n"
          "  code     0123456789ab (dirty)\n"
          "  params   lr=0.1 model=\"t5\"\n"
          "  tags     exp-7\n"
          "\n"
          "STEP     TASKS  STATES\n"
          "prepare      1  1 succeeded\n"
          "train        2  1 succeeded, 1 failed\n"
          "report       1  1 blocked\n"
          "\n"
          "TASK     STATE      TRY  EXIT  STARTED   ENDED      TOOK  ITEM\n"
          "prepare  succeeded    1     0  08:15:30  08:15:34   4.2s\n"
          "train/0  succeeded    1     0  08:15:35  08:16:35     1m  \"click\"\n"
          "train/1  failed       1  KILL  08:15:35  08:16:55  1m20s  \"type\"\n"
          "report   blocked\n"
          "\n"
          "failed train/1: oom: killed by the kernel for want of memory\n"
          "  log:    amp logs 261120-081530-k3fx/train/1\n"
          "  replay: amp replay 261120-081530-k3fx/train/1\n"
          "\n"
          "go on with: amp resume 261120-081530-k3fx\n");
}

TEST_CASE("a run as JSON holds everything") {
    const Value document = run_document(sample());
    CHECK(get_string(document, "schema") == "amp.run/1");
    CHECK(get_string(document, "state") == "failed");
    CHECK(get_string(document, "ended") == "2026-11-20T08:17:02.000Z");
    CHECK(document.find("origin")->is_null());
    const List& tasks = get_list(document, "tasks");
    REQUIRE(tasks.size() == 4);
    CHECK(get_string(tasks[2], "task") == "train/1");
    CHECK(get_string(tasks[2], "index") == "1");
    CHECK(get_string(tasks[2], "item") == "type");
    const List& attempts = get_list(tasks[2], "attempts");
    REQUIRE(attempts.size() == 1);
    CHECK(get_string(attempts[0], "cause") == "oom");
    CHECK(get_int(attempts[0], "signal") == 9);
    CHECK(get_list(tasks[3], "attempts").empty());
    CHECK(get_int(*get_list(document, "steps")[1].find("counts"), "failed") == 1);
}

TEST_CASE("ten thousand tasks are listed at once") {
    RunView view = sample();
    view.tasks.clear();
    for (int i = 0; i < 10000; ++i) {
        view.tasks.push_back(
            ended_task(("train/" + std::to_string(i)).c_str(), TaskState::failed, Cause::user, 1, i, 1));
    }
    const double begin = cpu_seconds();
    const std::string text = run_report(view, {});
    const std::string document = json::dump(run_document(view));
    CHECK(cpu_seconds() - begin < 5.0 * k_slower);
    CHECK(text.find("train/9999  failed") != std::string::npos);
    CHECK(text.find("\nand 9980 more failures\n") != std::string::npos);
    CHECK(document.find("\"train/9999\"") != std::string::npos);
}

TEST_CASE("a failure without an attempt says why there is no log") {
    RunView view = sample();
    view.tasks.resize(1);
    view.tasks[0].state = TaskState::failed;
    view.tasks[0].attempts.clear();
    CHECK(run_report(view, {}).find("failed prepare: never started") != std::string::npos);
}

TEST_CASE("runs as a table and as JSON") {
    RunSummary run;
    run.run = "261120-081530-k3fx";
    run.flow = "Finetune";
    run.state = "succeeded";
    run.created = k_start;
    run.ended = k_start.plus_seconds(3600);
    run.tasks = 42;
    run.succeeded = 40;
    run.tags = {"a", "b"};
    run.params = Object{{"lr", 0.1}};
    CHECK(runs_table({run}, {}) ==
          "RUN                 STATE      FLOW      STARTED              TOOK  TASKS  TAGS\n"
          "261120-081530-k3fx  succeeded  Finetune  2026-11-20 08:15:30    1h  40/42  a b\n");
    CHECK(json::dump(runs_document({run})) ==
          "{\"runs\":[{\"created\":\"2026-11-20T08:15:30.000Z\",\"ended\":\"2026-11-20T09:15:30.000Z\","
          "\"failed\":0,"
          "\"flow\":\"Finetune\",\"params\":{\"lr\":0.1},\"parent\":null,\"partial\":null,\"run\":\"261120-"
          "081530-k3fx\","
          "\"state\":"
          "\"succeeded\",\"succeeded\":40,"
          "\"tags\":[\"a\",\"b\"],\"tasks\":42,\"user\":null}],\"schema\":\"amp.runs/1\"}");
}

TEST_CASE("a partial run is marked wherever it is shown") {
    RunView view = sample();
    view.partial = "until train";
    view.outside = {"report", "clean"};
    const std::string text = run_report(view, {});
    CHECK(text.find("  partial  until train\n  outside  report, clean\n") != std::string::npos);
    CHECK(get_string(run_document(view), "partial") == "until train");
    CHECK(get_list(run_document(view), "outside").size() == 2);
    RunSummary run;
    run.flow = "F";
    run.partial = "only a";
    CHECK(runs_table({run}, {}).find("F (only a)") != std::string::npos);
    CHECK(json::dump(runs_document({run})).find("\"partial\":\"only a\"") != std::string::npos);
}

TEST_CASE("artifacts of the last attempts, chosen by step and index") {
    RunView view = sample();
    Artifact file;
    file.kind = Artifact::Kind::file;
    file.sha256 = std::string(64, 'a');
    file.size_bytes = 1536;
    Artifact value;
    value.value = Value(List{1, 2});
    value.sha256 = std::string(64, 'b');
    value.size_bytes = 5;
    view.tasks[0].attempts[0].artifacts = {{"dataset", file}};
    view.tasks[1].attempts[0].artifacts = {{"loss", value}};
    const auto all = made_artifacts(view, "", std::nullopt);
    CHECK(artifacts_table(all, {}) ==
          "TASK     NAME     KIND      SIZE  SHA256        VALUE\n"
          "prepare  dataset  file   1.5 KiB  aaaaaaaaaaaa\n"
          "train/0  loss     value      5 B  bbbbbbbbbbbb  [1,2]\n");
    CHECK(made_artifacts(view, "train", std::nullopt).size() == 1);
    CHECK(made_artifacts(view, "train", TaskIndex{{1}, 0}).empty());
    const Value document = artifacts_document("r", all);
    CHECK(get_string(get_list(document, "artifacts")[1], "task") == "train/0");
    CHECK(get_string(get_list(document, "artifacts")[1], "name") == "loss");
}

TEST_CASE("how an attempt ended, in words") {
    AttemptResult result;
    result.cause = Cause::user;
    result.exit = 3;
    CHECK(failure_text(result) == "user: exit status 3");
    CHECK(exit_text(result) == "3");
    result.message = "output 'model' is missing";
    CHECK(failure_text(result) == "user: output 'model' is missing");
    result.exit = -1;
    CHECK(exit_text(result) == "-");
    result.signal = 34;
    CHECK(exit_text(result) == "SIG34");
    CHECK(task_reference("r", TaskName::parse("a")) == "r/a");
    CHECK(task_reference("r", TaskName::parse("a/3.0@2")) == "r/a/3.0@2");
}

}  // namespace amp
