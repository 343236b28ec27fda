#include "core/store/store.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/store/layout.hpp"
#include "core/store/tags.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using amp::test::MemoryStore;

namespace {

const std::string k_now = "2026-11-20T08:15:30.123Z";

Error error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    return Error(ExitCode::ok, "no error");
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a store is made once and opened again") {
    MemoryStore store;
    const StoreRecord made = open_store(store, "group", k_now);
    CHECK(made.layout == layout::k_version);
    CHECK(made.sharing == "group");
    CHECK(made.created == k_now);
    CHECK(made.id.size() == 26);
    CHECK(open_store(store, "", "later").id == made.id);
    CHECK(open_store(store, "group", "later").created == k_now);
    CHECK(error_of([&] { open_store(store, "private", k_now); }).code() == ExitCode::invalid);
}

TEST_CASE("a store of a newer layout, or a broken one, is refused") {
    MemoryStore store;
    store.put("store.json", R"({"layout":2,"id":"x","later":true})");
    CHECK(error_of([&] { open_store(store, "", k_now); }).code() == ExitCode::invalid);
    store.put("store.json", R"({"layout":1,"id":"x","unknown":true})");
    CHECK(open_store(store, "", k_now).id == "x");
    for (const char* broken : {"", "{", "[]", "{}"}) {
        store.put("store.json", broken);
        CHECK(error_of([&] { open_store(store, "", k_now); }).code() == ExitCode::mismatch);
    }
}

TEST_CASE("runs are created once, listed by age, and read") {
    MemoryStore store;
    CHECK(list_runs(store).empty());
    CHECK(create_run(store, "261120-081530-k3fx", Object{{"flow", "a"}}));
    CHECK_FALSE(create_run(store, "261120-081530-k3fx", Object{{"flow", "b"}}));
    CHECK(create_run(store, "250101-000000-bbbb", Object{}));
    store.put("runs/stray", "x");
    CHECK(list_runs(store) == std::vector<std::string>{"250101-000000-bbbb", "261120-081530-k3fx"});
    CHECK(get_string(read_run(store, "261120-081530-k3fx"), "flow") == "a");
    const Error missing = error_of([&] { read_run(store, "261120-081530-k3fz"); });
    CHECK(missing.code() == ExitCode::not_found);
    CHECK(contains(missing.hint(), "261120-081530-k3fx"));
    CHECK(error_of([&] { read_run(store, "../../etc/passwd"); }).code() == ExitCode::not_found);
}

TEST_CASE("a summary is a cache") {
    MemoryStore store;
    const std::string run = "261120-081530-k3fx";
    CHECK_FALSE(read_summary(store, run));
    write_summary(store, run, Object{{"state", "running"}});
    write_summary(store, run, Object{{"state", "succeeded"}});
    CHECK(get_string(*read_summary(store, run), "state") == "succeeded");
}

TEST_CASE("tags are set, taken back, and remember") {
    MemoryStore store;
    const std::string run = "261120-081530-k3fx";
    CHECK(read_tags(store, run).empty());
    CHECK_FALSE(set_tag(store, run, "ready-for-prod", false, "ann", {1000}));
    CHECK(set_tag(store, run, "ready-for-prod", true, "ann", {1000}));
    CHECK_FALSE(set_tag(store, run, "ready-for-prod", true, "bob", {2000}));
    CHECK(set_tag(store, run, "ready-for-prod", false, "bob", {3000}));
    CHECK(set_tag(store, run, "grün …", true, "ann", {4000}));
    const std::vector<Tag> tags = read_tags(store, run);
    REQUIRE(tags.size() == 2);
    CHECK(tags[0].name == "grün …");
    CHECK(tags[0].active());
    CHECK(tags[1].name == "ready-for-prod");
    CHECK_FALSE(tags[1].active());
    REQUIRE(tags[1].history.size() == 2);
    CHECK(tags[1].history[1].user == "bob");
    CHECK(tags[1].history[1].at == Timestamp{3000});
    CHECK(read_tags(store, "261120-081530-zzzz").empty());
}

TEST_CASE("what cannot be a tag is refused") {
    MemoryStore store;
    for (const std::string& bad : {std::string(), std::string(129, 'x'), std::string("a\nb"),
                                   std::string("\xff"), std::string("\x7f")}) {
        CHECK(error_of([&] { set_tag(store, "261120-081530-k3fx", bad, true, "ann", {1}); }).code() ==
              ExitCode::usage);
    }
    CHECK(set_tag(store, "261120-081530-k3fx", std::string(128, 'x'), true, "ann", {1}));
}

TEST_CASE("every key of the layout is a key, and none is another's") {
    const std::string run = "261120-081530-k3fx";
    const std::string hash = sha256_hex("x");
    const std::vector<std::string> keys = {
        layout::store_record(),     layout::object(hash, false),
        layout::object(hash, true), layout::run_record(run),
        layout::lease(run),         layout::lease_lock(run, "abc"),
        layout::journal(run, 1, 2), layout::pack(run, 1, 2),
        layout::keeper_log(run, 1), layout::tag(run, "any tag \n"),
        layout::summary(run),       layout::torn_copy(run, layout::journal(run, 1, 2))};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        CHECK(is_store_key(keys[i]));
        for (std::size_t j = 0; j < i; ++j) {
            CHECK(keys[i] != keys[j]);
        }
    }
    CHECK(layout::journal(run, 1, 2).starts_with(layout::journal_prefix(run)));
    CHECK(layout::pack(run, 1, 2).starts_with(layout::pack_prefix(run)));
    CHECK(layout::keeper_log(run, 1).starts_with(layout::keeper_prefix(run)));
    CHECK(layout::tag(run, "x").starts_with(layout::tag_prefix(run)));
    CHECK(layout::object(hash, true) ==
          "objects/2d/711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881.zst");
}
