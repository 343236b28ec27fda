#include "backends/local/remains.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "backends/local/scratch.hpp"
#include "core/base/error.hpp"
#include "core/base/unique_fd.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_id = "261120-081530-k3fx";

UniqueFd bind_socket(const std::string& path, bool answer) {
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    if (answer) {
        REQUIRE(listen(socket.get(), 1) == 0);
    }
    return socket;
}

void make_old(const std::string& path) {
    const timespec old{1'700'000'000, 0};
    const timespec times[] = {old, old};
    REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

}  // namespace

TEST_CASE("what dead keepers left is pruned, what living ones use stays") {
    TempFolder temp;
    const std::string folder = private_folder(temp.path());
    const auto place = [&](const char* rest) { return fmt::format("{}/{}{}", folder, k_id, rest); };
    for (const char* name : {"-1-10", "-1-11", "-1-12"}) {
        std::filesystem::create_directories(place(name) + "/1/out");
    }
    std::filesystem::create_directories(folder + "/cache/ab");
    const UniqueFd lock(open(place("-1-11").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(flock(lock.get(), LOCK_EX) == 0);
    const UniqueFd living = bind_socket(place("-aaaaaa.sock"), true);
    bind_socket(place("-bbbbbb.sock"), false);
    for (const std::string& path :
         {place("-1-10"), place("-1-11"), place("-aaaaaa.sock"), place("-bbbbbb.sock"), folder + "/cache"}) {
        make_old(path);
    }
    prune_remains(folder);
    CHECK_FALSE(std::filesystem::exists(place("-1-10")));
    CHECK(std::filesystem::exists(place("-1-11")));  // locked
    CHECK(std::filesystem::exists(place("-1-12")));  // young
    CHECK(std::filesystem::exists(place("-aaaaaa.sock")));
    CHECK_FALSE(std::filesystem::exists(place("-bbbbbb.sock")));
    CHECK(std::filesystem::exists(folder + "/cache/ab"));
}

TEST_CASE("a log cannot make us remove what is not ours") {
    TempFolder temp;
    const std::string folder = private_folder(temp.path());
    const auto make = [](const std::string& path) {
        std::filesystem::create_directories(path);
        return path;
    };
    const std::string foreign = make(temp / (std::string(k_id) + "-1-1"));
    const std::string other = make(folder + "/other");
    const std::string ours = make(fmt::format("{}/{}-1-1", folder, k_id));
    remove_remains(foreign, k_id);
    remove_remains(other, k_id);
    remove_remains(folder + "/../" + std::string(k_id) + "-1-1", k_id);
    remove_remains("", k_id);
    CHECK(std::filesystem::exists(foreign));
    CHECK(std::filesystem::exists(other));
    remove_remains(ours, k_id);
    CHECK_FALSE(std::filesystem::exists(ours));
}

TEST_CASE("a folder that others can enter is no private folder") {
    TempFolder temp;
    const std::string folder = private_folder(temp.path());
    CHECK(private_folder(temp.path()) == folder);
    chmod(folder.c_str(), 0755);
    CHECK_THROWS_AS(private_folder(temp.path()), Error);
    std::filesystem::remove_all(folder);
    std::filesystem::create_symlink("/etc", folder);
    CHECK_THROWS_AS(private_folder(temp.path()), Error);
    std::filesystem::remove(folder);
}
