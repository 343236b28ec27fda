// execute() of the commands that work on runs, in a world of fakes: what they print, and how they exit.

#include <doctest/doctest.h>

#include <filesystem>

#include "cli/amp_main.hpp"
#include "core/base/json.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/recorded_run.hpp"
#include "tests/support/temp_folder.hpp"

namespace amp {
namespace {

constexpr const char* k_flow =
    "[flow]\nname = 'Demo'\n[params]\nlr = 0.1\n[step.a]\nrun = 'echo {{ params.lr }}'\noutputs = { loss = { "
    "path = 'loss.json', type = 'json' } }\n";

/// amp on a machine in memory.
struct Machine {
    explicit Machine(const std::string& flow = k_flow) : world(flow) {
        world.script = [](const TaskSpec&) {
            return test::succeed_with({{"loss", test::value_artifact(0.5)}});
        };
    }

    int amp(const std::vector<std::string>& arguments) {
        out.clear();
        err.clear();
        const Surroundings surroundings{{}, {}, [&](bool, const std::function<ExitCode(Services&)>& work) {
                                            return work(*world.services);
                                        }};
        const auto into = [](std::string& text) {
            return [&text](std::string_view part) {
                text += part;
                return 0;
            };
        };
        return amp_main(arguments, surroundings, into(out), into(err));
    }
    bool told(std::string_view text) const { return err.find(text) != std::string::npos; }
    std::string run_id() {
        amp({"run"});
        return out.substr(0, out.find('\n'));
    }

    test::FakeWorld world;
    std::string out;
    std::string err;
};

}  // namespace

TEST_CASE("amp run prints the id, and exits as the run ended") {
    Machine machine;
    CHECK(machine.amp({"run", "--lr", "0.2"}) == 0);
    CHECK(machine.out.size() == 19);
    CHECK(machine.amp({"show", "--json"}) == 0);
    CHECK(get_float(*json::parse(machine.out).find("params"), "lr") == 0.2);
    CHECK(machine.amp({"run", "--lr", "fast"}) == 3);
    CHECK(machine.out.empty());
    CHECK(machine.amp({"run", "missing.toml"}) == 7);
    machine.world.script = [](const TaskSpec&) { return test::fail(Cause::user, 3); };
    CHECK(machine.amp({"run", "--json"}) == 1);
    CHECK(get_string(json::parse(machine.out), "state") == "failed");
}

TEST_CASE("amp resume goes on with a run, and knows only runs that there are") {
    Machine machine;
    machine.world.script = [](const TaskSpec&) { return test::fail(Cause::user, 3); };
    CHECK(machine.amp({"run"}) == 1);
    machine.world.script = [](const TaskSpec&) { return test::succeed(); };
    CHECK(machine.amp({"resume"}) == 0);
    CHECK(machine.world.state("a/_") == "succeeded");
    CHECK(machine.world.attempt("a/_") == 2);
    CHECK(machine.amp({"resume", "260101-000000-zzzz"}) == 7);
}

TEST_CASE("amp logs prints what a task printed, and names the attempts that there are") {
    Machine machine;
    const std::string run = machine.run_id();
    PackWriter packs(machine.world.append_files, run, 9);
    packs.append(TaskName{"a", {}}, 1, "log", "hello\n", Timestamp{1000});
    CHECK(machine.amp({"logs", run + "/a"}) == 0);
    CHECK(machine.out == "hello\n");
    CHECK(machine.amp({"logs", run + "/a", "--attempt", "1"}) == 0);
    CHECK(machine.out == "hello\n");
    CHECK(machine.amp({"logs", run + "/a", "--attempt", "9"}) == 7);
    CHECK(machine.out.empty());
    CHECK(machine.told("no attempt 9 of 'a'"));
    CHECK(machine.told("there are: 1"));
    CHECK(machine.amp({"logs", run + "/b"}) == 7);
}

TEST_CASE("amp tag adds, lists and removes, and refuses what is no tag") {
    Machine machine;
    const std::string run = machine.run_id();
    CHECK(machine.amp({"tag", "add", "latest", "exp-1"}) == 0);
    CHECK(machine.amp({"tag", "list", run}) == 0);
    CHECK(machine.out == "exp-1\n");
    CHECK(machine.amp({"tag", "remove", "latest", "exp-1", "--json"}) == 0);
    CHECK(get_list(json::parse(machine.out), "tags").empty());
    CHECK(machine.amp({"tag", "add", "latest", "a\tb"}) == 2);
    CHECK(machine.amp({"tag", "add", "260101-000000-zzzz", "x"}) == 7);
}

TEST_CASE("amp cancel ends what is open, and says when there is nothing to end") {
    Machine machine;
    machine.world.waiter.terminate(15);
    CHECK(machine.amp({"run"}) == 143);
    machine.world.waiter.calm();
    CHECK(machine.amp({"cancel"}) == 0);
    CHECK(machine.told("is being cancelled"));
    CHECK(machine.world.view().state == "cancelled");
    CHECK(machine.amp({"cancel", "--json"}) == 0);
    CHECK_FALSE(get_bool(json::parse(machine.out), "was_open", true));
    CHECK(machine.amp({"cancel", "260101-000000-zzzz"}) == 7);
}

TEST_CASE("amp artifacts lists what tasks made") {
    Machine machine;
    const std::string run = machine.run_id();
    CHECK(machine.amp({"artifacts", run, "--json"}) == 0);
    const Value document = json::parse(machine.out);
    REQUIRE(get_list(document, "artifacts").size() == 1);
    CHECK(get_string(get_list(document, "artifacts")[0], "name") == "loss");
    CHECK(machine.amp({"artifacts", run + "/b"}) == 7);
    CHECK(machine.amp({"get", run, "loss"}) == 0);
    CHECK(machine.out == "0.5\n");
    CHECK(machine.amp({"get", run, "lost"}) == 7);
}

TEST_CASE("amp get prints a file's bytes, and names the path that was given when it cannot write") {
    Machine machine;
    std::string bytes("\0\x1b[2Jbytes\n", 11);
    const ObjectInfo object = Objects(*machine.world.store).put(bytes);
    machine.world.script = [&](const TaskSpec&) {
        return test::succeed_with(
            {{"model", Artifact{Artifact::Kind::file, {}, object.sha256, object.size_bytes, {}, 0}}});
    };
    const std::string run = machine.run_id();
    CHECK(machine.amp({"get", run, "model"}) == 0);
    CHECK(machine.out == bytes);
    CHECK(machine.amp({"get", run, "model", "-o", "-"}) == 0);
    CHECK(machine.out == bytes);
    const test::TempFolder folder;
    CHECK(machine.amp({"get", run, "model", "-o", folder / "none/x"}) == 7);
    CHECK(machine.told("'" + (folder / "none/x") + "'"));
    CHECK_FALSE(machine.told("~"));
    CHECK(machine.amp({"get", run, "model", "-o", folder / "x"}) == 0);
    CHECK(std::filesystem::file_size(folder / "x") == bytes.size());
}

TEST_CASE("files and secrets among the parameters are shown as what they are") {
    Machine machine(
        "[flow]\nname = 'P'\n[params]\ndata = { type = 'object', default = {} }\ntoken = { type = 'secret' "
        "}\n"
        "[step.a]\nrun = 'true'\n");
    machine.world.services->environment["AMP_PARAM_TOKEN"] = "hunter2";
    CHECK(machine.amp({"run", "-p", R"(data={"$file":{"path":"/etc/passwd","size_bytes":1}})"}) == 0);
    CHECK(machine.amp({"show", "--json"}) == 0);
    CHECK(machine.out.find("hunter2") == std::string::npos);
    const Value params = *json::parse(machine.out).find("params");
    CHECK(get_string(params, "token") == "secret");
    REQUIRE(params.find("data"));
    CHECK(json::dump(*params.find("data")) == R"({"$file":{"path":"/etc/passwd","size_bytes":1}})");
}

}  // namespace amp
