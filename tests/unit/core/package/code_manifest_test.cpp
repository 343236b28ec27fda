#include "core/package/code_manifest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "tests/support/fake_process.hpp"
#include "tests/support/memory_files.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr std::int64_t k_second = 1'000'000'000;
const std::vector<std::string> k_list = {
    "git", "--no-optional-locks", "-c", "core.fsmonitor=false", "ls-files",
    "-co", "--exclude-standard",  "-z"};
const std::string k_cache = "cache/code-" + sha256_hex("/project");

/// A project whose files are a minute old at the first scan; a scan a minute.
struct Project {
    Project() {
        files.now_ns = 940 * k_second;
        files.add("/project/a.py", "a");
        files.add("/project/src/run.sh", "run", true);
        files.add("/project/src/util.py", "util");
        files.now_ns = 1000 * k_second;
    }

    /// @param listed by git; nothing: no work tree
    CodeManifest scan(const std::vector<std::string>& listed = {}, CodeSelection selection = {}) {
        selection.limits = limits;
        ToolResult result;
        result.exit = listed.empty() ? 128 : 0;
        for (const std::string& path : listed) {
            result.out += path + '\0';
        }
        FakeProcess process;
        process.expect(k_list, result);
        files.reads.clear();
        kept.clear();
        const KeepContent keep_them = [this](std::string_view content) {
            kept.emplace_back(content);
            return sha256_hex(content);
        };
        CodeManifest manifest = scan_code(files, process, store, "/project", selection,
                                          {files.now_ns / 1'000'000}, keep ? keep_them : KeepContent{});
        files.now_ns += 60 * k_second;
        return manifest;
    }

    MemoryFiles files;
    MemoryStore store;
    CodeLimits limits;
    bool keep = false;
    std::vector<std::string> kept;
};

std::vector<std::string> paths_of(const CodeManifest& manifest) {
    std::vector<std::string> paths;
    for (const CodeEntry& entry : manifest.entries) {
        paths.push_back(entry.path);
    }
    return paths;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("outside git all files are listed, with their hashes, sorted by bytes") {
    Project project;
    project.files.add("/project/src-b", "x");
    project.files.add_link("/project/link", "src/util.py");
    project.files.add_socket("/project/socket");
    const CodeManifest manifest = project.scan();
    CHECK(paths_of(manifest) == Paths{"a.py", "link", "src-b", "src/run.sh", "src/util.py"});
    CHECK(manifest.entries[0] == CodeEntry{"a.py", false, {}, 1, sha256_hex("a"), 0});
    CHECK(manifest.entries[1] == CodeEntry{"link", false, "src/util.py", 0, {}, 0});
    CHECK(manifest.entries[3] == CodeEntry{"src/run.sh", true, {}, 3, sha256_hex("run"), 0});
    CHECK(manifest.hash == hash_of(manifest.entries));
    CHECK_FALSE(manifest.truncated);
}

TEST_CASE("what can never be code is left out, at any depth") {
    Project project;
    for (const char* path : {".git/config", ".amp/store.json", "sub/.git", "sub/.amp/store.json",
                             "__pycache__/a.pyc", "src/__pycache__/b.pyc", "venv/pyvenv.cfg", "venv/lib/x.py",
                             "store/store.json", "store/.gitignore", "store/runs/x"}) {
        project.files.add("/project/" + std::string(path), "x");
    }
    CHECK(paths_of(project.scan()) == Paths{"a.py", "src/run.sh", "src/util.py"});
    project.files.add("/project/pyvenv.cfg", "x");  // the project's own folder is what was asked for
    CHECK(paths_of(project.scan()) == Paths{"a.py", "pyvenv.cfg", "src/run.sh", "src/util.py"});
}

TEST_CASE("outside git, folders with nothing in them are part of the code") {
    Project project;
    const std::string before = project.scan().hash;
    project.files.add("/project/filled/__pycache__/a.pyc", "x");
    CHECK(project.scan().hash == before);  // not empty, and nothing in it is code
    project.files.add_folder("/project/src/deep/empty");
    project.files.add_folder("/project/__pycache__");
    project.files.add_folder("/project/.amp");
    const CodeManifest manifest = project.scan();
    CHECK(paths_of(manifest) == Paths{"a.py", "src/deep/empty", "src/run.sh", "src/util.py"});
    CHECK(manifest.entries[1].folder);
    CHECK_FALSE(manifest.truncated);
    CHECK(manifest.hash != before);
    CHECK(code_manifest_from(to_value(manifest)).entries == manifest.entries);
    project.files.forbid("/project/src/deep/empty");
    CHECK(paths_of(project.scan()) == Paths{"a.py", "src/run.sh", "src/util.py"});
}

TEST_CASE("in git, folders with nothing in them are no part of the code") {
    Project project;
    project.files.add_folder("/project/empty");
    CHECK(paths_of(project.scan({"a.py"})) == Paths{"a.py"});
}

TEST_CASE("in git what it lists is taken, without what is gone, folders and doubles") {
    Project project;
    project.files.add("/project/not listed", "x");
    project.files.add("/project/submodule/a.py", "x");
    const CodeManifest manifest = project.scan(
        {"src/util.py", "a.py", "a.py", "deleted.py", "submodule", "nested/", ".amp/x", "a.py/below a file"});
    CHECK(paths_of(manifest) == Paths{"a.py", "src/util.py"});
    CHECK_FALSE(manifest.truncated);
}

TEST_CASE("names that are not UTF-8 are kept as they are") {
    Project project;
    project.files.add("/project/\xe9\n", "x");
    CHECK(paths_of(project.scan({"\xe9\n"})) == Paths{"\xe9\n"});
}

TEST_CASE(".ampignore, include and exclude") {
    Project project;
    project.files.add("/project/.ampignore", "# data\n*.bin\nout/\n!keep.bin\n");
    for (const char* path : {"a.bin", "src/keep.bin", "out/x", "src/out/y"}) {
        project.files.add("/project/" + std::string(path), "x");
    }
    CHECK(paths_of(project.scan()) ==
          Paths{".ampignore", "a.py", "src/keep.bin", "src/run.sh", "src/util.py"});
    CHECK(paths_of(project.scan({"a.py", "a.bin", "out/x", "src/keep.bin"})) ==
          Paths{"a.py", "src/keep.bin"});
    CHECK(paths_of(project.scan({}, {{"*.py"}, {}})) == Paths{"a.py", "src/util.py"});
    CHECK(paths_of(project.scan({}, {{"src/"}, {"*.bin"}})) == Paths{"src/run.sh", "src/util.py"});
    CHECK(paths_of(project.scan({}, {{}, {"/src"}})) == Paths{".ampignore", "a.py"});
    CHECK(paths_of(project.scan({}, {{}, {"!.amp", "!.git"}})).size() == 5);
}

TEST_CASE("an unchanged file is not read again") {
    Project project;
    const CodeManifest first = project.scan();
    CHECK(project.files.reads == Paths{"/project/a.py", "/project/src/run.sh", "/project/src/util.py"});
    const CodeManifest second = project.scan();
    CHECK(project.files.reads.empty());
    CHECK(second.entries == first.entries);
    CHECK(second.hash == first.hash);
    project.files.add("/project/a.py", "b");
    project.files.remove("/project/src/run.sh");
    project.files.add("/project/new", "n");
    const CodeManifest third = project.scan();
    CHECK(project.files.reads == Paths{"/project/a.py", "/project/new"});
    CHECK(third.entries[0].sha256 == sha256_hex("b"));
    const std::vector<CodeDifference> expected = {
        {"a.py", "changed"}, {"new", "added"}, {"src/run.sh", "removed"}};
    CHECK(differences(first, third) == expected);
}

TEST_CASE("an unchanged project writes nothing") {
    Project project;
    project.scan();
    const std::size_t calls = project.store.calls();
    project.scan();
    CHECK(project.store.calls() == calls + 1);
}

TEST_CASE("a file that changed just before a scan is read again at the next") {
    Project project;
    project.files.add("/project/a.py", "x");
    project.scan();
    project.files.change_secretly("/project/a.py", "y");  // within the same tick of the file system's clock
    const CodeManifest second = project.scan();
    CHECK(second.entries[0].sha256 == sha256_hex("y"));
    CHECK(project.files.reads == Paths{"/project/a.py"});
    project.scan();
    CHECK(project.files.reads.empty());
}

TEST_CASE("a damaged cache is ignored, and so is a store that refuses it") {
    Project project;
    const CodeManifest first = project.scan();
    project.store.tamper(k_cache, "rubbish");
    CHECK(project.scan().hash == first.hash);
    CHECK(project.files.reads.size() == 3);
    project.store.fail_call(1);
    CHECK(project.scan().hash == first.hash);
    project.store.remove(k_cache);
    project.store.fail_call(2);
    CHECK(project.scan().hash == first.hash);
}

TEST_CASE("contents are kept once, and again before gc's grace is over") {
    Project project;
    project.scan();
    project.keep = true;
    project.scan();
    CHECK(project.kept == Paths{"a", "run", "util"});
    project.scan();
    CHECK(project.kept.empty());
    project.files.add("/project/new", "n");
    project.scan();
    CHECK(project.kept == Paths{"n"});
    project.keep = false;
    project.scan();
    project.keep = true;
    project.scan();
    CHECK(project.kept.empty());
    project.files.now_ns += 4 * 86400 * k_second;
    project.scan();
    CHECK(project.kept == Paths{"a", "n", "run", "util"});
}

TEST_CASE("what could not be stored ends the scan, and is not remembered as kept") {
    Project project;
    FakeProcess process;
    ToolResult none;
    none.exit = 128;
    process.expect(k_list, none);
    const KeepContent full = [](std::string_view) -> std::string {
        throw Error(ExitCode::store_full, "full");
    };
    CHECK_THROWS_AS(scan_code(project.files, process, project.store, "/project", {}, {1'000'000}, full),
                    Error);
    project.keep = true;
    project.scan();
    CHECK(project.kept.size() == 3);
}

TEST_CASE("files over the limit are listed by size and time") {
    Project project;
    project.limits.file_bytes = 3;
    const CodeManifest manifest = project.scan();
    CHECK(manifest.truncated);
    CHECK(manifest.entries[2] == CodeEntry{"src/util.py", false, {}, 4, {}, 940 * k_second});
    CHECK(manifest.entries[1].sha256 == sha256_hex("run"));
    project.files.add("/project/src/util.py", "litu");
    const std::vector<CodeDifference> expected = {{"src/util.py", "changed"}};
    CHECK(differences(manifest, project.scan()) == expected);
}

TEST_CASE("a project over the limit loses its largest files first, in no order of names") {
    Project project;
    project.files.add("/project/b1", "1234");
    project.limits.total_bytes = 5;
    const CodeManifest manifest = project.scan();  // 4 + 4 + 3 + 1
    CHECK(manifest.truncated);
    for (const CodeEntry& entry : manifest.entries) {
        CHECK(entry.sha256.empty() == (entry.size_bytes == 4));
    }
    project.limits.total_bytes = 12;
    CHECK_FALSE(project.scan().truncated);
    project.limits.total_bytes = 0;
    CHECK(project.scan().entries.size() == 4);
}

TEST_CASE("an endless folder ends") {
    Project project;
    project.limits.walked_files = 2;
    const CodeManifest manifest = project.scan();
    CHECK(manifest.truncated);
    CHECK(manifest.entries.size() <= 2);
}

TEST_CASE("what cannot be read is listed, and said") {
    Project project;
    project.files.forbid("/project/a.py");
    project.files.forbid("/project/src");
    const CodeManifest manifest = project.scan();
    CHECK(manifest.truncated);
    CHECK(paths_of(manifest) == Paths{"a.py"});
    CHECK(manifest.entries[0].sha256.empty());
    CHECK(manifest.entries[0].mtime_ns == 940 * k_second);
}

TEST_CASE("a file that vanishes while we look is left out") {
    class Vanishing : public MemoryFiles {
      public:
        std::string read(const std::string& path, std::uint64_t max_bytes) override {
            remove("/project/a.py");
            return MemoryFiles::read(path, max_bytes);
        }
    };
    Vanishing files;
    files.add("/project/a.py", "a");
    files.add("/project/b.py", "b");
    FakeProcess process;
    process.expect_missing(k_list);
    MemoryStore store;
    const CodeManifest manifest = scan_code(files, process, store, "/project", {}, {1'000'000});
    CHECK(paths_of(manifest) == Paths{"b.py"});
    CHECK_FALSE(manifest.truncated);
}

TEST_CASE("an empty project has a hash too") {
    MemoryFiles files;
    MemoryStore store;
    FakeProcess process;
    process.expect_missing(k_list);
    CHECK(scan_code(files, process, store, "/project", {}, {0}).hash == sha256_hex("[]"));
}
