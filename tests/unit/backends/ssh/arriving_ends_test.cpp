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
    explicit Bench(std::uint64_t most = ArrivingEnds::k_keeps_nothing) : keep_above(most) {}

    MemoryStore far;  // where the objects are
    MemoryStore store;
    Objects objects{far};
    std::uint64_t keep_above;
    std::vector<std::string> asked;  // that it comes
    std::vector<std::string> stay;   // whether it is there
    ArrivingEnds ends{store,
                      [this](const std::vector<agent::SizedObject>& wanted, bool stays) {
                          for (const auto& object : wanted) {
                              (stays ? stay : asked).push_back(object.sha256);
                          }
                      },
                      keep_above};

    /// How much is on its way.
    std::size_t wanted() {
        asked.clear();
        ends.ask_again();
        return asked.size();
    }

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
    CHECK(bench.wanted() == 2);
    CHECK(bench.ends.waits([](const AttemptId& id) { return id.task.step == "b"; }));
    bench.bring(one.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"b"});
    bench.bring(two.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"a"});
    bench.ends.add(result("c", {{"x", file(two)}}));  // it is here
    CHECK(bench.complete() == std::vector<std::string>{"c"});
    CHECK(bench.wanted() == 0);
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
    CHECK(bench.wanted() == 1);
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
        CHECK(bench.wanted() == 0);
        bench.ends.add(result("c", {{"all", folder}}));  // it is here
        CHECK(bench.complete().size() == 1);
    }
}

TEST_CASE("what is large is asked for whether it is there, and what is not comes") {
    Bench bench(10);
    const ObjectInfo large = bench.objects.put("more than ten bytes");
    const ObjectInfo small = bench.objects.put("ten bytes!");
    Artifact value = file(large);
    value.kind = Artifact::Kind::value;  // an object, but what expressions read
    bench.ends.add(result("a", {{"large", file(large)}, {"small", file(small)}}));
    CHECK(bench.asked == std::vector<std::string>{small.sha256});
    CHECK(bench.stay == std::vector<std::string>{large.sha256});
    CHECK_FALSE(bench.ends.wanted(large.sha256));  // nobody may send it unasked
    bench.ends.is_there(small.sha256);             // which does not bring it
    bench.ends.is_there(large.sha256);
    CHECK(bench.complete().empty());
    bench.bring(small.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"a"});

    bench.ends.add(result("stays", {{"large", file(large)}}));
    bench.ends.add(result("comes", {{"large", value}}));
    CHECK(bench.asked.back() == large.sha256);
    CHECK(bench.ends.wanted(large.sha256));
    bench.ends.is_there(large.sha256);  // it comes now, for both
    CHECK(bench.complete().empty());
    bench.bring(large.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"stays", "comes"});
}

TEST_CASE("a large folder's manifest comes, and its files stay") {
    Bench bench(10);
    const ObjectInfo one = bench.objects.put("one file");
    const ObjectInfo two = bench.objects.put("two file");
    Manifest manifest;
    manifest.entries = {{ManifestEntry::Kind::file, "1", false, "", one.size_bytes, one.sha256},
                        {ManifestEntry::Kind::file, "2", false, "", two.size_bytes, two.sha256}};
    const ObjectInfo list = bench.objects.put(manifest_text(manifest));
    const Artifact folder{Artifact::Kind::folder, {}, list.sha256, 16, {}, 0};
    bench.ends.add(result("a", {{"all", folder}}));
    CHECK(bench.asked == std::vector<std::string>{list.sha256});
    bench.bring(list.sha256);
    CHECK(bench.stay == std::vector<std::string>{one.sha256, two.sha256});
    bench.ends.is_there(one.sha256);
    CHECK(bench.complete().empty());
    bench.ends.is_there(two.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"a"});
    CHECK(bench.asked.size() == 1);
    // A small folder with one of them needs that here, whatever stayed for another.
    manifest.entries.pop_back();
    const ObjectInfo part = bench.objects.put(manifest_text(manifest));
    const Artifact small{Artifact::Kind::folder, {}, part.sha256, 8, {}, 0};
    bench.ends.add(result("b", {{"all", folder}, {"part", small}}));
    bench.bring(part.sha256);
    bench.ends.is_there(one.sha256);
    bench.ends.is_there(two.sha256);
    CHECK(bench.complete().empty());
    bench.bring(one.sha256);
    CHECK(bench.complete() == std::vector<std::string>{"b"});
}

TEST_CASE("what should have stayed and is not there is as good as never made") {
    Bench bench(10);
    const ObjectInfo large = bench.objects.put("more than ten bytes");
    bench.ends.add(result("a", {{"large", file(large)}}));
    CHECK(bench.ends.stays(large.sha256));
    bench.ends.gone(large.sha256, "it is not in the store there");
    CHECK(bench.complete() ==
          std::vector<std::string>{"a: its outputs cannot be fetched: it is not in the store there"});
}
