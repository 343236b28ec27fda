#include "backends/ssh/arriving_ends.hpp"

#include <doctest/doctest.h>

#include "core/package/manifest.hpp"
#include "core/store/objects.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::test;

namespace {

AttemptResult result(const char* task, std::map<std::string, Artifact> artifacts = {}) {
    AttemptResult made;
    made.task = TaskName::parse(task);
    made.artifacts = std::move(artifacts);
    return made;
}

Artifact file(const ObjectInfo& info) {
    return {Artifact::Kind::file, {}, info.sha256, info.size_bytes, {}, 0};
}

struct Bench {
    MemoryStore far;  // where the objects are
    MemoryStore store;
    Objects objects{far};
    std::vector<std::string> asked;
    ArrivingEnds ends{store, [this](const std::vector<agent::SizedObject>& wanted) {
                          for (const auto& object : wanted) {
                              asked.push_back(object.sha256);
                          }
                      }};

    void bring(const std::string& sha256) {
        Objects(store).put(objects.get(sha256));
        ends.arrived(sha256);
    }
    std::vector<std::string> complete() {
        std::vector<std::string> names;
        for (const AttemptResult& each : ends.take([](const AttemptId&) { return true; })) {
            names.push_back(each.task.step + (each.succeeded() ? "" : ": " + each.message));
        }
        return names;
    }
};

}  // namespace

TEST_CASE("an end without outputs is complete at once, and told once") {
    Bench bench;
    CHECK(bench.ends.add(result("a")));
    CHECK_FALSE(bench.ends.add(result("a")));
    Artifact value{Artifact::Kind::value, Value(1), "x", 1, {}, 0};
    Artifact packed{Artifact::Kind::value, {}, "y", 5000, "runs/r/packs/1-1", 7};
    CHECK(bench.ends.add(result("b", {{"value", value}, {"packed", packed}})));
    CHECK(bench.ends.take([](const AttemptId&) { return false; }).empty());
    CHECK(bench.complete() == std::vector<std::string>{"a", "b"});
    CHECK(bench.complete().empty());
    CHECK(bench.asked.empty());
}

TEST_CASE("files are asked for once, and an end waits for all of its own") {
    Bench bench;
    const ObjectInfo one = bench.objects.put("one");
    const ObjectInfo two = bench.objects.put("two");
    bench.ends.add(result("a", {{"x", file(one)}, {"y", file(two)}}));
    bench.ends.add(result("b", {{"x", file(one)}}));
    CHECK(bench.asked.size() == 2);
    CHECK(bench.ends.wanted().size() == 2);
    CHECK(bench.ends.waits([](const AttemptId& id) { return id.task.step == "b"; }));
    bench.bring(one.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"b"});
    bench.bring(two.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"a"});
    bench.ends.add(result("c", {{"x", file(two)}}));  // it is here
    CHECK(bench.complete() == std::vector<std::string>{"c"});
    CHECK(bench.ends.wanted().empty());
}

TEST_CASE("a folder's files are known when its manifest is here") {
    Bench bench;
    const ObjectInfo inner = bench.objects.put("inner");
    Manifest manifest;
    manifest.entries = {{ManifestEntry::Kind::folder, "empty", false, "", 0, ""},
                        {ManifestEntry::Kind::file, "f", false, "", inner.size_bytes, inner.sha256}};
    const ObjectInfo list = bench.objects.put(manifest_text(manifest));
    Artifact folder{Artifact::Kind::folder, {}, list.sha256, inner.size_bytes, {}, 0};
    bench.ends.add(result("a", {{"all", folder}}));
    CHECK(bench.asked == std::vector<std::string>{list.sha256});
    bench.bring(list.sha256);
    CHECK(bench.asked == std::vector<std::string>{list.sha256, inner.sha256});
    CHECK(bench.complete().empty());
    bench.bring(inner.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"a"});
}

TEST_CASE("what will never come ends those that need it, and nobody else") {
    Bench bench;
    const ObjectInfo one = bench.objects.put("one");
    const ObjectInfo two = bench.objects.put("two");
    bench.ends.add(result("a", {{"x", file(one)}, {"y", file(two)}}));
    bench.ends.add(result("b", {{"y", file(two)}}));
    bench.ends.gone(one.sha256, "it is not in the store");
    CHECK(bench.complete() ==
          std::vector<std::string>{"a: its outputs cannot be fetched: it is not in the store"});
    CHECK(bench.ends.wanted().size() == 1);
    bench.bring(two.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"b"});
    bench.ends.gone(one.sha256, "again");
    CHECK(bench.complete().empty());
}

TEST_CASE("a folder's list that is nonsense ends what waits for it") {
    for (const char* text : {"no list", R"({"schema":1,"entries":[{"path":"../x","folder":true}]})",
                             R"({"schema":1,"entries":[{"path":"x","size_bytes":1,"sha256":"zz"}]})"}) {
        Bench bench;
        const ObjectInfo list = bench.objects.put(text);
        const ObjectInfo one = bench.objects.put("one");
        Artifact folder{Artifact::Kind::folder, {}, list.sha256, 1, {}, 0};
        bench.ends.add(result("a", {{"all", folder}, {"x", file(one)}}));
        bench.ends.add(result("b", {{"x", file(one)}}));
        bench.bring(list.sha256);
        CHECK(bench.complete().empty());  // it waits for the other as well
        bench.bring(one.sha256);
        const auto complete = bench.complete();
        REQUIRE(complete.size() == 2);
        CHECK(complete[0].starts_with(
            "a: its outputs cannot be fetched: the list of a folder cannot be read: "));
        CHECK(complete[1] == "b");
        CHECK(bench.ends.wanted().empty());
        bench.ends.add(result("c", {{"all", folder}}));  // it is here
        CHECK(bench.complete().size() == 1);
    }
}
