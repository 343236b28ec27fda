// Outputs of one task as inputs of the next, through the real store.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "core/store/objects.hpp"
#include "tests/unit/backends/local/local_harness.hpp"

using namespace amp;
using namespace amp::test;

TEST_CASE("what one task makes the next one finds, and cannot change") {
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    Seen seen;
    TaskSpec maker = shell_task(
        "maker",
        "head -c 300000 /dev/urandom > $AMP_OUT/raw; head -c 300000 /dev/zero > $AMP_OUT/packed;"
        "mkdir -p $AMP_OUT/tree/empty; echo text > $AMP_OUT/tree/file; echo '[1, 2]' > $AMP_OUT/list.json;"
        "echo 7 > here.json; sha256sum < $AMP_OUT/raw");
    maker.outputs = {{"here", "./here.json", TaskOutput::Type::json, false}};
    backend.submit({&maker, 1});
    watch_ends(backend, seen, 1);
    const AttemptResult& made = seen.result("maker");
    REQUIRE(made.message.empty());
    CHECK(made.artifacts.size() == 5);
    for (const char* name : {"raw", "packed"}) {
        CHECK(Objects(store.objects()).contains(made.artifacts.at(name).sha256, 300'000));
    }

    TaskSpec taker = shell_task(
        "taker",
        "sha256sum < $AMP_IN/maker/raw; cmp $AMP_IN/packed /dev/zero; wc -c < $AMP_IN/packed;"
        "cat $AMP_IN/tree/file $AMP_IN/list.json; ls $AMP_IN/tree; stat -L -c %A $AMP_IN/maker/raw");
    taker.inputs = {{"maker/raw", made.artifacts.at("raw")},
                    {"packed", made.artifacts.at("packed")},
                    {"tree", made.artifacts.at("tree")},
                    {"list", made.artifacts.at("list")}};
    backend.submit({&taker, 1});
    watch_ends(backend, seen, 2);
    const std::string log = log_of(store, seen.result("taker"));
    CHECK(log.substr(0, 64) == log_of(store, made).substr(0, 64));
    CHECK(log.find("300000\ntext\n[1,2]") != std::string::npos);
    CHECK(log.find("empty\nfile\n") != std::string::npos);
    CHECK(log.find("-r--------\n") != std::string::npos);
    backend.close();
}

TEST_CASE("a missing output fails the attempt; what there is is kept") {
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    Seen seen;
    TaskSpec spec = shell_task("task", "echo 1 > $AMP_OUT/score.json");
    spec.outputs = {{"model", "model.pt", TaskOutput::Type::file, false}};
    TaskSpec failing = shell_task("failing", "echo 1 > $AMP_OUT/score.json; exit 9");
    failing.outputs = spec.outputs;
    backend.submit({&spec, 1});
    watch_ends(backend, seen, 1);
    backend.go_on();
    backend.submit({&failing, 1});
    watch_ends(backend, seen, 2);
    CHECK(seen.result("task").cause == Cause::user);
    CHECK(seen.result("task").exit == 0);
    CHECK(seen.result("task").message ==
          "output 'model' is missing: 'model.pt' was not written; $AMP_OUT holds score.json");
    CHECK(seen.result("task").artifacts.contains("score"));
    CHECK(seen.result("failing").message == "exit status 9");
    CHECK(seen.result("failing").artifacts.contains("score"));
    backend.close();
}

TEST_CASE("an input that is gone is no fault of the task") {
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    Seen seen;
    TaskSpec spec = shell_task("task", "exit 0");
    spec.inputs = {{"x", {Artifact::Kind::file, {}, std::string(64, 'a'), 5, {}, 0}}};
    backend.submit({&spec, 1});
    watch_ends(backend, seen, 1);
    CHECK(seen.result("task").cause == Cause::infra);
    CHECK_FALSE(seen.has_started("task"));
    backend.close();
}

TEST_CASE("many tasks with files are stored in groups") {
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    Seen seen;
    std::vector<TaskSpec> specs;
    specs.reserve(40);
    for (int i = 0; i < 40; ++i) {
        specs.push_back(
            shell_task("task/" + std::to_string(i), "echo " + std::to_string(i) + " > $AMP_OUT/file"));
    }
    backend.submit(specs);
    watch_ends(backend, seen, specs.size(), 30);
    for (const auto& [id, result] : seen.ended) {
        CHECK(result.artifacts.contains("file"));
    }
    backend.close();
}
