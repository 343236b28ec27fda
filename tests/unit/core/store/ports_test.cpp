// The fakes pass the contracts that the real ones pass.
#include <doctest/doctest.h>

#include <memory>

#include "core/base/error.hpp"
#include "tests/support/memory_append_files.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/store_contract.hpp"

using namespace amp::test;

TEST_CASE("the store in memory keeps the store's contract") {
    MemoryStore store;
    check_object_store(store);
}

TEST_CASE("threads race for keys of the store in memory") {
    std::shared_ptr<amp::ObjectStore> store = std::make_shared<MemoryStore>();
    check_object_store_races([&] { return store; });
}

TEST_CASE("append files in memory keep the contract") {
    MemoryAppendFiles files;
    check_append_files(files);
}

TEST_CASE("the store in memory fails when told") {
    MemoryStore store;
    store.fail_call(2);
    CHECK(store.put_if_absent("a", "x") == amp::PutResult::stored);
    CHECK_THROWS_AS(store.put_if_absent("b", "x"), amp::Error);
    CHECK_FALSE(store.get("b").has_value());
    store.lose_answer(1);
    CHECK_THROWS_AS(store.put_if_absent("b", "x"), amp::Error);
    CHECK(store.get("b")->bytes == "x");
}

TEST_CASE("a power cut in memory takes what was not synced") {
    MemoryAppendFiles files;
    const auto kept = files.open("kept", 0);
    kept->append("synced");
    kept->sync();
    kept->append(" lost");
    const auto never = files.open("never", 0);
    never->append("x");
    files.power_cut();
    CHECK(files.bytes("kept") == "synced");
    CHECK_FALSE(files.read("never", 0, 9).has_value());
    CHECK_FALSE(files.locked("kept"));
    kept->append("from the dead");
    CHECK(files.bytes("kept") == "synced");
}
