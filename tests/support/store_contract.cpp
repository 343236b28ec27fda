#include "tests/support/store_contract.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.hpp"

namespace amp::test {
namespace {

using Keys = std::vector<std::string>;

constexpr std::size_t k_all = 1000;
constexpr std::uint64_t k_much = 1 << 20;

void check_put_and_get(ObjectStore& store) {
    const std::string binary("\0\n\xff zero", 8);
    CHECK_FALSE(store.get("a/b").has_value());
    CHECK_FALSE(store.get_range("a/b", 0, 9).has_value());
    CHECK_FALSE(store.size("a/b").has_value());
    CHECK(store.put_if_absent("a/b", binary) == PutResult::stored);
    CHECK(store.put_if_absent("a/b", "other") == PutResult::exists);
    CHECK(store.get("a/b")->bytes == binary);
    CHECK(*store.size("a/b") == binary.size());
}

void check_odd_puts(ObjectStore& store) {
    CHECK(store.put_if_absent("a/b", "01234567") == PutResult::stored);
    CHECK(*store.get_range("a/b", 2, 3) == "234");
    CHECK(*store.get_range("a/b", 6, 100) == "67");
    CHECK(store.get_range("a/b", 100, 5)->empty());
    CHECK(store.put_if_absent("empty", "") == PutResult::stored);
    CHECK(store.get("empty")->bytes.empty());
    CHECK_FALSE(store.get("a").has_value());
    CHECK_FALSE(store.get("a/b/c").has_value());
    store.put("a/b", "new");
    CHECK(store.get("a/b")->bytes == "new");
}

void check_swap(ObjectStore& store) {
    CHECK(store.compare_and_swap("k", "1", "whatever") == PutResult::changed);
    CHECK_FALSE(store.get("k").has_value());
    store.put_if_absent("k", "0");
    const std::string zero = store.get("k")->version;
    CHECK(store.compare_and_swap("k", "1", zero) == PutResult::stored);
    CHECK(store.compare_and_swap("k", "2", zero) == PutResult::changed);
    CHECK(store.get("k")->bytes == "1");
    const std::string one = store.get("k")->version;
    store.remove("k");
    CHECK(store.compare_and_swap("k", "2", one) == PutResult::changed);
    CHECK_FALSE(store.get("k").has_value());
}

Keys list_in_pages(ObjectStore& store, std::size_t size) {
    Keys all;
    for (Keys page = store.list_after("", "", size); !page.empty();
         page = store.list_after("", page.back(), size)) {
        all.insert(all.end(), page.begin(), page.end());
    }
    return all;
}

void check_listing(ObjectStore& store) {
    // Byte order of whole keys: '-' and '.' sort before '/', digits and letters behind it.
    const Keys keys = {"r/a", "r/b-1", "r/b.x", "r/b/1", "r/b/2", "r/b0", "r/c/d/e", "s"};
    for (const std::string& key : keys) {
        store.put_if_absent(key, "x");
    }
    CHECK(store.list_after("", "", k_all) == keys);
    CHECK(store.list_after("r/b", "", k_all) == Keys{"r/b-1", "r/b.x", "r/b/1", "r/b/2", "r/b0"});
    CHECK(store.list_after("r/b/", "", k_all) == Keys{"r/b/1", "r/b/2"});
    CHECK(store.list_after("r/", "r/b/1", k_all) == Keys{"r/b/2", "r/b0", "r/c/d/e"});
    CHECK(store.list_after("r/", "r/b", 2) == Keys{"r/b-1", "r/b.x"});
    CHECK(store.list_after("none/", "", k_all).empty());
    for (std::size_t n = 1; n <= keys.size(); ++n) {
        CHECK(list_in_pages(store, n) == keys);
    }
}

void check_children(ObjectStore& store) {
    for (const char* key : {"r/a", "r/b-1", "r/b.x", "r/b/1", "r/b/2", "r/b0", "r/c/d/e", "s"}) {
        store.put_if_absent(key, "x");
    }
    CHECK(store.list_children("r/") == Keys{"a", "b", "b-1", "b.x", "b0", "c"});
    CHECK(store.list_children("r/c/") == Keys{"d"});
    CHECK(store.list_children("none/").empty());
    store.remove("r/c/d/e");
    store.remove("r/c/d/e");
    CHECK(store.list_children("r/") == Keys{"a", "b", "b-1", "b.x", "b0"});
    CHECK(store.put_if_absent("r/c/d/e", "again") == PutResult::stored);
}

void check_later(ObjectStore& store) {
    CHECK(store.put_if_absent("o/1", "one", Durability::later) == PutResult::stored);
    CHECK(store.put_if_absent("o/1", "two", Durability::later) == PutResult::exists);
    CHECK(store.get("o/1")->bytes == "one");
    CHECK(store.refresh("o/1"));
    CHECK_FALSE(store.refresh("o/2"));
    store.sync_pending();
    store.sync_pending();
    CHECK(store.get("o/1")->bytes == "one");
}

void check_ages(ObjectStore& store) {
    CHECK(store.put_if_absent("age/1", "one") == PutResult::stored);
    CHECK(store.put_if_absent("age/2", "three") == PutResult::stored);
    const std::vector<Listed> listed = store.list_details("age/", {}, 10);
    REQUIRE(listed.size() == 2);
    CHECK(listed[0].key == "age/1");
    CHECK(listed[1].size_bytes == 5);
    CHECK(store.list_details("age/", "age/1", 10).size() == 1);
    CHECK(store.list_details("age/", {}, 1).size() == 1);
    CHECK_FALSE(store.remove_older("age/1", listed[0].changed));
    CHECK(store.get("age/1").has_value());
    CHECK(store.remove_older("age/1", listed[0].changed.plus_seconds(1)));
    CHECK_FALSE(store.get("age/1").has_value());
    CHECK(store.remove_older("age/1", listed[0].changed));
    CHECK(store.refresh("age/2"));
    CHECK(store.list_details("age/", {}, 10).at(0).changed >= listed[1].changed);
    CHECK(store.remove_abandoned(listed[0].changed.plus_seconds(-3600), false) == 0);
    store.remove("age/2");
}

void check_writer(ObjectStore& store) {
    {
        const auto writer = store.create("w/1");
        writer->append("a");
        writer->append("");
        writer->append("bc");
        CHECK_FALSE(store.get("w/1").has_value());
        CHECK(store.list_after("w/", "", k_all).empty());
        CHECK(writer->commit(Durability::now) == PutResult::stored);
    }
    CHECK(store.get("w/1")->bytes == "abc");
    {
        const auto writer = store.create("w/1");
        writer->append("other");
        CHECK(writer->commit(Durability::later) == PutResult::exists);
    }
    store.create("w/2")->append("given up");
    CHECK(store.list_after("w/", "", k_all) == Keys{"w/1"});
    CHECK(store.get("w/1")->bytes == "abc");
}

void check_keys(ObjectStore& store) {
    for (const char* key :
         {"", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a b", "a\nb", "~1-2", "\xc3\xa4"}) {
        CAPTURE(key);
        CHECK_THROWS_AS(store.put_if_absent(key, "x"), Error);
        CHECK_THROWS_AS(store.get(key), Error);
        CHECK_THROWS_AS(store.remove(key), Error);
    }
    for (const std::string& key :
         {std::string("..."), std::string(".hidden/x"), std::string("a@b+c-d_e.f"), std::string(200, 'k')}) {
        CAPTURE(key);
        CHECK(store.put_if_absent(key, "x") == PutResult::stored);
    }
}

/// `rounds` times: all threads call `act(round, thread)` at once; the number that returned true in each
/// round.
std::vector<int> race(int rounds, const std::function<std::shared_ptr<ObjectStore>()>& open,
                      const std::function<bool(ObjectStore&, int, int)>& act) {
    constexpr int k_threads = 16;
    std::vector<std::atomic<int>> wins(static_cast<std::size_t>(rounds));
    std::barrier gate(k_threads);
    std::vector<std::jthread> threads;
    threads.reserve(k_threads);
    for (int t = 0; t < k_threads; ++t) {
        threads.emplace_back([&, t] {
            const auto store = open();
            for (int r = 0; r < rounds; ++r) {
                gate.arrive_and_wait();
                wins[static_cast<std::size_t>(r)] += act(*store, r, t) ? 1 : 0;
            }
        });
    }
    threads.clear();
    return {wins.begin(), wins.end()};
}

bool win_put(ObjectStore& store, int round, int thread) {
    return store.put_if_absent("put/" + std::to_string(round), std::to_string(thread)) == PutResult::stored;
}

/// Swaps what the round before left, unless this round has its winner.
bool win_swap(ObjectStore& store, int round, int thread) {
    const std::string mark = std::to_string(round) + ".";
    for (;;) {
        const Stored found = *store.get("swap");
        if (found.bytes.starts_with(mark)) {
            return false;
        }
        if (store.compare_and_swap("swap", mark + std::to_string(thread), found.version) ==
            PutResult::stored) {
            return true;
        }
    }
}

/// A counter that all increase: no increase may be lost.
bool increase(ObjectStore& store, int, int) {
    for (;;) {
        const Stored found = *store.get("count");
        const std::string next = std::to_string(std::stoi(found.bytes) + 1);
        if (store.compare_and_swap("count", next, found.version) == PutResult::stored) {
            return true;
        }
    }
}

void check_writing(AppendFiles& files) {
    const auto file = files.open("r/1", 0);
    REQUIRE(file);
    CHECK(files.read("r/1", 0, k_much)->empty());
    file->append("hello ");
    file->append("world");
    CHECK(file->size() == 11);
    CHECK(*files.read("r/1", 0, k_much) == "hello world");
    file->sync();
    file->sync();
    CHECK(files.locked("r/1"));
    CHECK_FALSE(files.open("r/1", 0));
    CHECK(*files.read("r/1", 0, k_much) == "hello world");
}

void check_files_listed(AppendFiles& files) {
    for (const char* key : {"r/0", "r/0-1/x", "q"}) {
        CHECK(files.open(key, 0) != nullptr);
    }
    CHECK(files.list("r/") == Keys{"r/0", "r/0-1/x", "r/1"});
    CHECK(files.list("r/0") == Keys{"r/0", "r/0-1/x"});
    CHECK(files.list("z").empty());
}

void check_cutting(AppendFiles& files) {
    const auto file = files.open("r/1", 5);
    REQUIRE(file);
    CHECK(file->size() == 5);
    CHECK(*files.read("r/1", 0, k_much) == "hello");
    CHECK(*files.read("r/1", 1, 3) == "ell");
    CHECK(files.read("r/1", 50, 3)->empty());
    file->append("!");
    CHECK(*files.read("r/1", 0, k_much) == "hello!");
    CHECK_FALSE(files.open("r/1", 6));
}

}  // namespace

void check_object_store(ObjectStore& store) {
    SUBCASE("put and get") {
        check_put_and_get(store);
    }
    SUBCASE("odd puts") {
        check_odd_puts(store);
    }
    SUBCASE("compare and swap") {
        check_swap(store);
    }
    SUBCASE("ages") {
        check_ages(store);
    }
    SUBCASE("list") {
        check_listing(store);
    }
    SUBCASE("children") {
        check_children(store);
    }
    SUBCASE("durable later") {
        check_later(store);
    }
    SUBCASE("in pieces") {
        check_writer(store);
    }
    SUBCASE("keys") {
        check_keys(store);
    }
}

void check_object_store_races(const std::function<std::shared_ptr<ObjectStore>()>& open) {
    constexpr int k_rounds = 25;
    const std::vector<int> one_each(k_rounds, 1);
    CHECK(race(k_rounds, open, win_put) == one_each);
    const auto store = open();
    store->put_if_absent("swap", "start");
    CHECK(race(k_rounds, open, win_swap) == one_each);
    store->put_if_absent("count", "0");
    race(5, open, increase);
    CHECK(store->get("count")->bytes == "80");
}

void check_append_files(AppendFiles& files) {
    CHECK_FALSE(files.read("r/1", 0, k_much).has_value());
    CHECK_FALSE(files.locked("r/1"));
    check_writing(files);
    CHECK_FALSE(files.locked("r/1"));
    check_cutting(files);
    CHECK_THROWS_AS(files.open("r/1", 7), Error);
    CHECK_FALSE(files.locked("r/1"));
    CHECK_THROWS_AS(files.open("../x", 0), Error);
    check_files_listed(files);
}

}  // namespace amp::test
