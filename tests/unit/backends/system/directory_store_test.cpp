#include "backends/system/directory_store.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/error.hpp"
#include "tests/support/store_contract.hpp"
#include "tests/support/temp_folder.hpp"

using amp::DirectoryStore;
using amp::Durability;
using amp::Error;
using amp::PutResult;
using amp::Sharing;
using amp::test::TempFolder;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const std::string& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777;
}

std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

/// Sets the umask for a while.
class Umask {
  public:
    explicit Umask(mode_t mask) : before_(::umask(mask)) {}
    ~Umask() { ::umask(before_); }
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;

  private:
    mode_t before_;
};

}  // namespace

TEST_CASE("a directory store keeps the store's contract") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    amp::test::check_object_store(store);
}

TEST_CASE("threads and processes race for a directory store's keys") {
    const TempFolder folder;
    amp::test::check_object_store_races([&] { return std::make_shared<DirectoryStore>(folder / "store"); });
}

TEST_CASE("modes follow the sharing and not the umask") {
    const TempFolder folder;
    for (const mode_t mask : {mode_t{0}, mode_t{077}}) {
        const Umask umask(mask);
        const std::string root = folder / std::to_string(mask);
        SUBCASE("private") {
            DirectoryStore store(root);
            store.put_if_absent("a/b/c", "x");
            CHECK(mode_of(root) == 0700);
            CHECK(mode_of(root + "/a/b") == 0700);
            CHECK(mode_of(root + "/a/b/c") == 0600);
        }
        SUBCASE("group") {
            DirectoryStore store(root, Sharing::group);
            store.put_if_absent("a/b/c", "x");
            store.put("a/d", "x");
            CHECK(mode_of(root) == 02770);
            CHECK(mode_of(root + "/a/b") == 02770);
            CHECK(mode_of(root + "/a/b/c") == 0660);
            CHECK(mode_of(root + "/a/d") == 0660);
            CHECK(mode_of(root + "/.gitignore") == 0660);
            CHECK(DirectoryStore(root).sharing() == Sharing::group);  // an existing store tells its own
        }
    }
}

TEST_CASE("a store ignores itself in git, and does so in a folder that somebody made before") {
    const TempFolder folder;
    const DirectoryStore made(folder / "deep/er/store");
    CHECK(content_of(folder / "deep/er/store/.gitignore") == "*\n");
    fs::create_directory(folder / "before");
    fs::permissions(folder / "before", fs::perms(0755));
    const DirectoryStore taken(folder / "before");
    CHECK(content_of(folder / "before/.gitignore") == "*\n");
    CHECK(mode_of(folder / "before") == 0700);
    CHECK_THROWS_AS(DirectoryStore(folder / "before/.gitignore"), Error);
    DirectoryStore store(folder / "before");
    CHECK_THROWS_AS(store.get(".gitignore"), Error);
    CHECK_THROWS_AS(store.put(".locks/00", "x"), Error);
}

TEST_CASE("what a dead process left is neither read nor listed") {
    const TempFolder folder;
    DirectoryStore store(folder.path());
    store.put_if_absent("r/a", "x");
    std::ofstream(folder / "r/~99-0123456789abcdef") << "half";
    CHECK(store.list_after("", "", 99) == std::vector<std::string>{"r/a"});
    CHECK(store.list_children("r/") == std::vector<std::string>{"a"});
    store.remove("r/a");
    CHECK(store.list_after("", "", 99).empty());
}

TEST_CASE("no temporary file is left behind by any outcome") {
    const TempFolder folder;
    DirectoryStore store(folder.path());
    store.put_if_absent("r/a", "x");
    store.create("r/a")->commit(Durability::now);
    store.create("r/b")->append("given up");
    store.put("r/a", "y");
    CHECK(store.compare_and_swap("r/a", "z", "wrong") == PutResult::changed);
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder / "r")) {
        names.push_back(entry.path().filename());
    }
    CHECK(names == std::vector<std::string>{"a"});
}

TEST_CASE("links are not followed") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    store.put_if_absent("r/a", "x");
    std::ofstream(folder / "secret") << "secret";
    fs::create_symlink(folder / "secret", folder / "store/r/link");
    CHECK_THROWS_AS(store.get("r/link"), Error);
    CHECK_FALSE(store.size("r/link").has_value());
    CHECK_THROWS_AS(store.put_if_absent("r/link", "y"), Error);
    store.put("r/link", "own");  // replaces the link itself
    CHECK(content_of(folder / "secret") == "secret");
    CHECK(store.get("r/link")->bytes == "own");
}

TEST_CASE("a store that cannot be written says so") {
    if (::geteuid() == 0) {
        return;  // root may write anything
    }
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    fs::permissions(folder / "store", fs::perms(0500));
    CHECK_THROWS_AS(store.put_if_absent("a", "x"), Error);
    fs::permissions(folder / "store", fs::perms(0700));
}

TEST_CASE("opening a store is cheap") {
    const TempFolder folder;
    { const DirectoryStore store(folder.path()); }
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) {
        const DirectoryStore store(folder.path());
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    MESSAGE("opening a store takes " << took.count() / 100 << " us");
}
