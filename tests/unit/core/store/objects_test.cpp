#include "core/store/objects.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/store/layout.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using amp::test::MemoryStore;
using amp::test::TempFolder;

namespace {

std::string noise(std::size_t length, unsigned seed = 1) {
    std::mt19937_64 random(seed);
    std::string out(length, '\0');
    for (char& c : out) {
        c = static_cast<char>(random());
    }
    return out;
}

std::string text(std::size_t length) {
    std::string out;
    while (out.size() < length) {
        out += "step " + std::to_string(out.size()) + " loss 0.25\n";
    }
    out.resize(length);
    return out;
}

void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

ExitCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::ok;
}

std::string flipped(std::string bytes, std::size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    return bytes;
}

/// Refused, or right all the same: a flip in a field of zstd that means nothing is harmless.
bool damage_is_seen(Objects& objects, const std::string& sha256, const std::string& truth) {
    std::string got;
    const ExitCode code = code_of([&] { got = objects.get(sha256); });
    return code == (got == truth ? ExitCode::ok : ExitCode::mismatch);
}

const std::vector<std::string>& samples() {
    static const std::vector<std::string> k_samples = {"",
                                                       "x",
                                                       text(100),
                                                       text(5000),
                                                       text((1 << 20) - 1),
                                                       text(1 << 20),
                                                       text((1 << 20) + 1),
                                                       text(3'500'000),
                                                       noise(1),
                                                       noise(5000),
                                                       noise(1 << 20),
                                                       noise(2'500'000),
                                                       noise(1 << 20) + text(1 << 21)};
    return k_samples;
}

}  // namespace

TEST_CASE("objects come back, from memory and from files") {
    const TempFolder folder;
    for (const std::string& bytes : samples()) {
        CAPTURE(bytes.size());
        for (const bool from_file : {false, true}) {
            MemoryStore store;
            Objects objects(store);
            write_file(folder / "in", bytes);
            const ObjectInfo info = from_file ? objects.put_file(folder / "in") : objects.put(bytes);
            CHECK(info.sha256 == sha256_hex(bytes));
            CHECK(info.size_bytes == bytes.size());
            CHECK(objects.get(info.sha256) == bytes);
            CHECK(objects.contains(info.sha256, info.size_bytes));
            CHECK(store.pending().size() == 1);
            objects.get_to_file(info.sha256, folder / "out");
            CHECK(read_file(folder / "out") == bytes);
            struct stat out {};
            REQUIRE(::stat((folder / "out").c_str(), &out) == 0);
            CHECK((out.st_mode & 07777) == 0444);
            std::remove((folder / "out").c_str());
            // The same again, in either way, changes nothing.
            objects.put(bytes);
            objects.put_file(folder / "in");
            CHECK(store.list_after("", "", 99).size() == 1);
        }
    }
}

TEST_CASE("what shrinks is compressed, what does not is raw") {
    MemoryStore store;
    Objects objects(store);
    const ObjectInfo shrinks = objects.put(text(100'000));
    const ObjectInfo stays = objects.put(noise(100'000));
    CHECK(store.size(layout::object(shrinks.sha256, true)).value_or(0) < 20'000);
    CHECK_FALSE(store.size(layout::object(shrinks.sha256, false)));
    CHECK(store.size(layout::object(stays.sha256, false)) == 100'000);
    CHECK_FALSE(store.size(layout::object(stays.sha256, true)));
}

TEST_CASE("an object that is not there is not found") {
    MemoryStore store;
    Objects objects(store);
    CHECK(code_of([&] { objects.get(sha256_hex("absent")); }) == ExitCode::not_found);
    CHECK_FALSE(objects.contains(sha256_hex("absent"), 6));
}

TEST_CASE("an object with bytes behind it is seen") {
    for (const std::string& bytes : {text(3000), noise(3000)}) {
        MemoryStore store;
        Objects objects(store);
        const std::string sha256 = objects.put(bytes).sha256;
        const std::string key = store.list_after("", "", 99).front();
        store.tamper(key, store.get(key)->bytes + "x");
        CHECK(code_of([&] { objects.get(sha256); }) == ExitCode::mismatch);
    }
}

TEST_CASE("a flipped or cut object is seen") {
    for (const std::string& bytes : {text(3000), noise(3000)}) {
        MemoryStore store;
        Objects objects(store);
        const std::string sha256 = objects.put(bytes).sha256;
        const std::string key = store.list_after("", "", 99).front();
        const std::string sound = store.get(key)->bytes;
        const std::size_t step = 1 + sound.size() / 200;
        std::size_t unseen = 0;
        for (std::size_t at = 0; at < sound.size(); at += step) {
            store.tamper(key, flipped(sound, at));
            unseen += damage_is_seen(objects, sha256, bytes) ? 0 : 1;
            store.tamper(key, sound.substr(0, at));
            unseen += code_of([&] { objects.get(sha256); }) == ExitCode::mismatch ? 0 : 1;
        }
        CHECK(unseen == 0);
    }
}

TEST_CASE("a raw object of the wrong length is not contained") {
    MemoryStore store;
    Objects objects(store);
    const ObjectInfo info = objects.put(noise(5000));
    store.tamper(layout::object(info.sha256, false), noise(4999));
    CHECK_FALSE(objects.contains(info.sha256, 5000));
}

TEST_CASE("putting an object heals a damaged one") {
    const TempFolder folder;
    for (const std::string& bytes : {text(3000), noise(3000), text(3'000'000), noise(3'000'000)}) {
        write_file(folder / "in", bytes);
        for (const bool from_file : {false, true}) {
            MemoryStore store;
            Objects objects(store);
            const ObjectInfo info = objects.put(bytes);
            const std::string key = store.list_after("", "", 99).front();
            store.tamper(key, store.get(key)->bytes.substr(0, store.get(key)->bytes.size() / 2));
            from_file ? objects.put_file(folder / "in") : objects.put(bytes);
            CHECK(objects.get(info.sha256) == bytes);
        }
    }
}

TEST_CASE("a damaged object never becomes a file") {
    const TempFolder folder;
    MemoryStore store;
    Objects objects(store);
    const ObjectInfo info = objects.put(noise(5000));
    store.tamper(layout::object(info.sha256, false), noise(5000, 2));
    CHECK(code_of([&] { objects.get_to_file(info.sha256, folder / "out"); }) == ExitCode::mismatch);
    CHECK(std::filesystem::is_empty(folder.path()));
    CHECK(code_of([&] { objects.get_to_file(sha256_hex("absent"), folder / "out"); }) == ExitCode::not_found);
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a file that is not there is not found") {
    MemoryStore store;
    Objects objects(store);
    CHECK(code_of([&] { objects.put_file("/nonexistent/file"); }) == ExitCode::not_found);
}

TEST_CASE("a store that fails says so, and the next try succeeds") {
    const TempFolder folder;
    const std::string bytes = noise(2'500'000);
    write_file(folder / "in", bytes);
    bool failed = true;
    for (std::size_t n = 1; failed; ++n) {  // each call of a put, until there is no n-th
        MemoryStore store;
        Objects objects(store);
        store.fail_call(n, ExitCode::store_full);
        const ExitCode code = code_of([&] { objects.put_file(folder / "in"); });
        failed = code != ExitCode::ok;
        CHECK((!failed || code == ExitCode::store_full));
        CHECK(failed == (store.calls() >= n));
        if (failed) {
            CHECK(objects.get(objects.put_file(folder / "in").sha256) == bytes);
        }
    }
}
