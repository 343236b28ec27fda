// scan_code and git_state over the files and the git of this machine.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "backends/system/local_files.hpp"
#include "backends/system/tool_process.hpp"
#include "core/base/hash.hpp"
#include "core/package/code_manifest.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr Timestamp k_long_after{4'000'000'000'000};

/// A repository with one commit of a.py and sub/b.py.
class Repository {
  public:
    Repository() {
        git({"init", "-q", "-b", "main"});
        write("a.py", "a");
        std::filesystem::create_directory(folder / "sub");
        write("sub/b.py", "b");
        git({"add", "."});
        git({"commit", "-q", "-m", "first"});
    }
    void git(std::vector<std::string> arguments) {
        std::vector<std::string> argv = {
            "git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        const ToolResult result = process.run(argv, folder.path(), 60);
        REQUIRE_MESSAGE(result.exit == 0, result.err);
    }
    void write(const std::string& name, const std::string& content) {
        std::ofstream(folder / name) << content;
    }
    std::vector<std::string> scan(const std::string& below = "") {
        const CodeManifest manifest =
            scan_code(files, process, store, folder.path() + below, {}, k_long_after);
        std::vector<std::string> paths;
        for (const CodeEntry& entry : manifest.entries) {
            paths.push_back(entry.path);
        }
        return paths;
    }
    GitState state() {
        const auto found = git_state(process, folder.path());
        REQUIRE(found);
        return *found;
    }

    TempFolder folder;
    LocalFiles files;
    ToolProcess process;
    MemoryStore store;
};

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("a repository's code is what git tracks or would add") {
    Repository repository;
    repository.write(".gitignore", "*.log\n");
    repository.write("run.log", "x");
    repository.write("new \xe9.py", "x");
    repository.git({"mv", "a.py", "c.py"});
    std::filesystem::create_symlink("c.py", repository.folder / "link");
    CHECK(repository.scan() == Paths{".gitignore", "c.py", "link", "new \xe9.py", "sub/b.py"});
    CHECK(repository.scan("/sub") == Paths{"b.py"});
    std::filesystem::remove(repository.folder / "c.py");
    CHECK(repository.scan() == Paths{".gitignore", "link", "new \xe9.py", "sub/b.py"});
}

TEST_CASE("repositories within are left out, a folder that git ignores is walked") {
    Repository repository;
    repository.git({"clone", "-q", ".", "nested"});
    CHECK(repository.scan() == Paths{"a.py", "sub/b.py"});
    repository.write(".gitignore", "own/\n");
    std::filesystem::create_directory(repository.folder / "own");
    repository.write("own/x.py", "x");
    CHECK(repository.scan("/own") == Paths{"x.py"});
}

TEST_CASE("the state of a repository") {
    Repository repository;
    const GitState clean = repository.state();
    CHECK(clean.commit.size() == 40);
    CHECK(clean.branch == "main");
    CHECK_FALSE(clean.dirty);
    repository.write("a.py", "other");
    CHECK(repository.state().dirty);
    repository.git({"checkout", "-q", "--detach", "-f"});
    CHECK_FALSE(repository.state().dirty);
    CHECK(repository.state().branch.empty());
    repository.write("new", "x");
    CHECK(repository.state().dirty);
}

TEST_CASE("no program that a repository's own configuration names is run") {
    Repository repository;
    const std::string witness = repository.folder / "witness";
    repository.git({"config", "core.fsmonitor", "touch '" + witness + "' ; false"});
    repository.state();
    repository.scan();
    CHECK_FALSE(std::filesystem::exists(witness));
}

TEST_CASE("without a repository there is no state, and all is listed") {
    const TempFolder folder;
    std::ofstream(folder / "a") << "a";
    LocalFiles files;
    ToolProcess process;
    MemoryStore store;
    CHECK_FALSE(git_state(process, folder.path()));
    const CodeManifest manifest = scan_code(files, process, store, folder.path(), {}, k_long_after);
    REQUIRE(manifest.entries.size() == 1);
    CHECK(manifest.entries[0].sha256 == sha256_hex("a"));
}
