#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/package/code_manifest.hpp"
#include "tests/support/fake_process.hpp"
#include "tests/support/memory_files.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::test;

// Code that is in an image, or all but what is not committed; and pointers of git-lfs.

namespace {

using Argv = std::vector<std::string>;
using Paths = std::vector<std::string>;

const std::string k_commit = "0123456789abcdef0123456789abcdef01234567";
const std::string k_pointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, '1') + "\nsize 1000000\n";

Argv git(const Argv& arguments) {
    Argv argv = {"git", "--no-optional-locks", "-c", "core.fsmonitor=false"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
}

const Argv k_status =
    git({"status", "--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--untracked-files=normal"});
const Argv k_diff = git({"diff", "HEAD", "--name-only", "--no-renames", "--no-ext-diff",
                         "--ignore-submodules=all", "--relative", "-z"});
const Argv k_others = git({"ls-files", "-o", "--exclude-standard", "-z"});
const Argv k_list = git({"ls-files", "-co", "--exclude-standard", "-z"});

ToolResult listing(const Paths& paths) {
    ToolResult result;
    for (const std::string& path : paths) {
        result.out += path + '\0';
    }
    return result;
}

ToolResult failing() {
    ToolResult result;
    result.exit = 128;
    return result;
}

struct Project {
    Project() {
        files.now_ns = 940'000'000'000;
        files.add("/project/kept.py", "kept");
        files.add("/project/changed.py", "changed");
        files.add("/project/new/file.py", "new");
        files.now_ns = 1'000'000'000'000;
    }

    CodeManifest scan(FakeProcess& process, CodeSelection selection) {
        files.now_ns += 60'000'000'000;
        return scan_code(files, process, store, "/project", selection, {files.now_ns / 1'000'000});
    }
    CodeManifest scan_diff(const Paths& changed, const Paths& unknown, CodeSelection selection = {}) {
        FakeProcess process;
        process.expect(k_status, listing({"# branch.oid " + k_commit, "# branch.head main"}));
        process.expect(k_diff, listing(changed));
        process.expect(k_others, listing(unknown));
        selection.mode = CodeMode::image_diff;
        return scan(process, selection);
    }
    CodeManifest scan_all() {
        FakeProcess process;
        process.expect(k_list, failing());
        return scan(process, {});
    }

    MemoryFiles files;
    MemoryStore store;
};

Paths paths_of(const CodeManifest& manifest) {
    Paths paths;
    for (const CodeEntry& entry : manifest.entries) {
        paths.push_back(entry.path);
    }
    return paths;
}

}  // namespace

TEST_CASE("what an image holds is not listed, and is known by its commit") {
    Project project;
    CodeSelection selection;
    selection.mode = CodeMode::image;
    FakeProcess process;
    process.expect(k_status, listing({"# branch.oid " + k_commit}));
    const CodeManifest code = project.scan(process, selection);
    CHECK(code.entries.empty());
    CHECK(code.base == k_commit);
    CHECK(project.files.reads.empty());
    CHECK(code.hash.size() == 64);
    CHECK(code.hash != hash_of(code.entries));
    FakeProcess without;
    without.expect(k_status, failing());
    const CodeManifest unknown = project.scan(without, selection);
    CHECK(unknown.base.empty());
    CHECK(unknown.hash != code.hash);
}

TEST_CASE("on top of an image is what is changed, new or deleted") {
    Project project;
    const CodeManifest code =
        project.scan_diff({"changed.py", "gone.py", "ignored.pyc"}, {"new/file.py", "__pycache__/x"});
    CHECK(paths_of(code) == Paths{"changed.py", "new/file.py"});
    CHECK(code.deleted == Paths{"gone.py", "ignored.pyc"});
    CHECK(code.entries[0].sha256 == sha256_hex("changed"));
    CodeSelection only;
    only.include = {"*.py"};
    CHECK(project.scan_diff({"changed.py", "gone.py", "gone.txt"}, {}, only).deleted == Paths{"gone.py"});
    CHECK(project.scan_diff({}, {}).entries.empty());
}

TEST_CASE("a folder where a file was deletes it, a socket too") {
    Project project;
    project.files.add_socket("/project/socket");
    const CodeManifest code = project.scan_diff({"new", "socket", "sub/"}, {"new/file.py"});
    CHECK(paths_of(code) == Paths{"new/file.py"});
    CHECK(code.deleted == Paths{"new", "socket"});
}

TEST_CASE("without a commit there is nothing to differ from") {
    Project project;
    FakeProcess process;
    process.expect(k_status, listing({"# branch.oid (initial)"}));
    process.expect(k_diff, failing());
    process.expect(k_others, listing({"a"}));
    CodeSelection selection;
    selection.mode = CodeMode::image_diff;
    try {
        project.scan(process, selection);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::invalid);
    }
}

TEST_CASE("the hashes of all files are still known after a scan of few") {
    Project project;
    project.scan_all();
    project.scan_diff({"changed.py"}, {});
    project.files.reads.clear();
    project.scan_all();
    CHECK(project.files.reads.empty());
}

TEST_CASE("code of an image survives its record, names that are not UTF-8 too") {
    Project project;
    const CodeManifest code = project.scan_diff({"changed.py", "gone", "\xff"}, {});
    const CodeManifest read = code_manifest_from(json::parse(json::dump(to_value(code))));
    CHECK(read.mode == CodeMode::image_diff);
    CHECK(read.base == k_commit);
    CHECK(read.deleted == code.deleted);
    CHECK(read.entries == code.entries);
    CHECK(hash_of(read) == code.hash);
    CHECK_THROWS_AS(code_manifest_from(Object{{"entries", List()}, {"from", "elsewhere"}}), Error);
    const CodeManifest files = project.scan_all();
    CHECK(to_value(files).find("from") == nullptr);
    CHECK(files.hash == hash_of(files.entries));
}

TEST_CASE("what was deleted, or came back, is a difference") {
    Project project;
    const CodeManifest before = project.scan_diff({"changed.py", "b"}, {});
    const CodeManifest after = project.scan_diff({"changed.py", "a"}, {});
    CHECK(differences(before, after) == std::vector<CodeDifference>{{"a", "removed"}, {"b", "added"}});
    CHECK(differences(before, before).empty());
}

TEST_CASE("pointers of git-lfs are told, also where their hashes are remembered") {
    Project project;
    project.files.now_ns -= 50'000'000'000;
    project.files.add("/project/model.bin", k_pointer);
    project.files.add("/project/real.bin", k_pointer + std::string(2000, 'x'));
    project.files.now_ns += 50'000'000'000;
    CHECK(project.scan_all().lfs_pointers == Paths{"model.bin"});
    project.files.reads.clear();
    CHECK(project.scan_all().lfs_pointers == Paths{"model.bin"});
    CHECK(project.files.reads.empty());
    project.files.add("/project/model.bin", "the content");
    CHECK(project.scan_all().lfs_pointers.empty());
}
