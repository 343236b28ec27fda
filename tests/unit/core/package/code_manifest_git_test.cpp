#include "core/package/code_manifest_git.hpp"

#include <doctest/doctest.h>

#include "core/package/code_manifest.hpp"
#include "tests/support/fake_process.hpp"

using namespace amp;
using amp::test::FakeProcess;
using namespace std::string_literals;

namespace {

const std::vector<std::string> k_status = {
    "git",      "--no-optional-locks", "-c", "core.fsmonitor=false",    "status", "--porcelain=v2",
    "--branch", "--no-ahead-behind",   "-z", "--untracked-files=normal"};
const std::vector<std::string> k_list = {
    "git", "--no-optional-locks", "-c", "core.fsmonitor=false", "ls-files",
    "-co", "--exclude-standard",  "-z"};
const std::string k_commit = "0123456789abcdef0123456789abcdef01234567";

ToolResult says(std::string out, int exit = 0) {
    ToolResult result;
    result.exit = exit;
    result.out = std::move(out);
    return result;
}

std::optional<GitState> state_when(ToolResult result) {
    FakeProcess process;
    process.expect(k_status, std::move(result));
    return git_state(process, "/project");
}

}  // namespace

TEST_CASE("git tells commit, branch and whether the tree is clean") {
    const std::string head = "# branch.oid " + k_commit + "\0# branch.head main\0"s;
    const auto clean = state_when(says(head));
    REQUIRE(clean);
    CHECK(clean->commit == k_commit);
    CHECK(clean->branch == "main");
    CHECK_FALSE(clean->dirty);
    const std::string hashes = k_commit + " " + k_commit;
    CHECK(state_when(says(head + "1 .M N... 100644 100644 100644 " + hashes + " a.py\0"s))->dirty);
    CHECK(state_when(says(head + "? new file\0"s))->dirty);
    CHECK_FALSE(state_when(says(head + "# stash 2\0"s))->dirty);
}

TEST_CASE("a path cannot pose as a branch") {
    const auto state =
        state_when(says("# branch.oid (initial)\0# branch.head (detached)\0? x\0# branch.head evil\0"s));
    REQUIRE(state);
    CHECK(state->commit.empty());
    CHECK(state->branch.empty());
    CHECK(state->dirty);
}

TEST_CASE("without git, outside a work tree, or after a time-out there is no state") {
    CHECK_FALSE(state_when(says("", 128)));
    ToolResult late = says("# branch.oid " + k_commit + "\0"s);
    late.timed_out = true;
    CHECK_FALSE(state_when(late));
    FakeProcess process;
    process.expect_missing(k_status);
    CHECK_FALSE(git_state(process, "/project"));
    CHECK(process.folders == std::vector<std::string>{"/project"});
}

TEST_CASE("git's files come sorted and each once") {
    FakeProcess process;
    process.expect(k_list, says("b\0a b\0b\0b\0\xff\n\0nested/\0"s));
    CHECK(git_files(process, "/project") == std::vector<std::string>{"a b", "b", "nested/", "\xff\n"});
    process.expect(k_list, says("", 128));
    CHECK_FALSE(git_files(process, "/project"));
    ToolResult cut = says("a\0b\0"s);
    cut.truncated = true;
    process.expect(k_list, cut);
    CHECK_FALSE(git_files(process, "/project"));
}

TEST_CASE("git's refusal for a folder's owner is told from having no repository") {
    const std::vector<std::string> ask = {"git", "rev-parse", "--git-dir"};
    const auto refuses = [&](std::string err) {
        FakeProcess process;
        ToolResult result = says("", 128);
        result.err = std::move(err);
        process.expect(ask, std::move(result));
        return git_refuses(process, "/project");
    };
    CHECK(
        refuses("fatal: detected dubious ownership in repository at '/project'\nTo add an exception for this "
                "directory, call:\n\n\tgit config --global --add safe.directory /project\n"));
    CHECK_FALSE(refuses("fatal: not a git repository (or any of the parent directories): .git\n"));
    FakeProcess process;
    process.expect_missing(ask);
    CHECK_FALSE(git_refuses(process, "/project"));
}
