#include "core/package/archive.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "core/base/error.hpp"
#include "core/package/compression.hpp"
#include "tests/support/packed_code.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

ExitCode code_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::ok;
}

std::string plain(const std::string& archive) {
    std::string out;
    compression::Decompressor decompressor([&](std::string_view bytes) { out += bytes; });
    decompressor.write(archive);
    decompressor.finish();
    return out;
}

void ignore(std::string_view /*bytes*/) {}

}  // namespace

TEST_CASE("an archive is headers and contents in the order of the manifest") {
    PackedCode code;
    code.file("b.py", "print(1)\n").file("a/run.sh", "true", true).link("a/z", "run.sh").folder("empty");
    CHECK(plain(code.archive()) == code.tar());
    CHECK(plain(PackedCode().archive()) == std::string(1024, '\0'));
}

TEST_CASE("the same code is the same bytes, over several frames too") {
    PackedCode code;
    std::string large(10'000'000, 'x');
    for (std::size_t i = 0; i < large.size(); i += 7) {
        large[i] = static_cast<char>(i * i >> 5U);
    }
    code.file("large", large).file("small", "s");
    const std::string first = code.archive();
    CHECK(first == code.archive());
    CHECK(plain(first) == code.tar());
}

TEST_CASE("a content that is not the manifest's ends it") {
    PackedCode code;
    code.file("a", "content");
    const CodeManifest manifest = code.manifest();
    for (const std::string_view other : {"CONTENT", "conten", "content!", ""}) {
        const ReadCode read = [&](const CodeEntry&, const TakeBytes& piece) { piece(other); };
        CHECK(code_of([&] { write_archive(manifest, read, ignore); }) == ExitCode::mismatch);
    }
}

TEST_CASE("what cannot be shipped is told before anything is written") {
    bool wrote = false;
    const TakeBytes out = [&](std::string_view) { wrote = true; };
    CodeEntry unread;
    unread.path = "model.bin";
    unread.size_bytes = 200'000'000;
    unread.mtime_ns = 1;
    CHECK(code_of([&] { write_archive(PackedCode().entry(unread).manifest(), {}, out); }) ==
          ExitCode::invalid);
    CHECK(code_of([&] { write_archive(PackedCode().link("data", "/mnt/data").manifest(), {}, out); }) ==
          ExitCode::invalid);
    CHECK(code_of([&] { write_archive(PackedCode().link("a/up", "../../x").manifest(), {}, out); }) ==
          ExitCode::invalid);
    CHECK_FALSE(wrote);
}

TEST_CASE("contents of a folder's files, which may change meanwhile") {
    const TempFolder folder;
    const auto put = [&](std::string_view content) { std::ofstream(folder / "a") << content; };
    const std::string large(1'000'000, 'l');
    put("one");
    std::ofstream(folder / "b") << large;
    PackedCode code;
    code.file("a", "one").file("b", large);
    const CodeManifest manifest = code.manifest();
    std::string out;
    const TakeBytes take = [&](std::string_view bytes) { out += bytes; };
    write_archive(manifest, code_in_folder(folder.path()), take);
    CHECK(out == code.archive());
    for (const char* other : {"two", "", "longer than before"}) {
        put(other);
        CHECK(code_of([&] { write_archive(manifest, code_in_folder(folder.path()), ignore); }) ==
              ExitCode::mismatch);
    }
    std::filesystem::remove(folder / "a");
    CHECK(code_of([&] { write_archive(manifest, code_in_folder(folder.path()), ignore); }) ==
          ExitCode::mismatch);
    std::ofstream(folder / "c") << "one";
    std::filesystem::create_symlink("c", folder / "a");
    CHECK(code_of([&] { write_archive(manifest, code_in_folder(folder.path()), ignore); }) ==
          ExitCode::mismatch);
}
