#include "backends/local/gpu_claims.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <set>

#include "backends/local/port_claims.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/backends/local/local_harness.hpp"

using namespace amp;
using namespace amp::test;

using Devices = std::vector<std::string>;

TEST_CASE("a GPU belongs to one task of one run") {
    TempFolder folder;
    const std::vector<Gpu> devices = {{"0", "GPU-a"}, {"1", "GPU-b"}, {"2", "GPU-c"}};
    GpuClaims one(devices, folder / "gpu");
    GpuClaims other(devices, folder / "gpu");
    CHECK(one.claim(2) == Devices{"0", "1"});
    CHECK_FALSE(other.claim(2));
    CHECK(other.claim(1) == Devices{"2"});
    CHECK_FALSE(one.claim(1));
    one.release({"0"});
    CHECK(other.claim(1) == Devices{"0"});
    CHECK_FALSE(one.claim(1));
}

TEST_CASE("one GPU under two names is one GPU") {
    TempFolder folder;
    GpuClaims one({{"1", "GPU-b"}}, folder / "gpu");
    GpuClaims other({{"GPU-b", "GPU-b"}}, folder / "gpu");
    CHECK(one.claim(1));
    CHECK_FALSE(other.claim(1));
}

TEST_CASE("locks are for everybody, in a folder that nobody else has made theirs") {
    TempFolder folder;
    const std::string claims = claims_folder(folder.path(), "gpu");
    CHECK(claims.ends_with("/amp-claims/gpu"));
    struct stat info {};
    REQUIRE(stat(claims.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 01777);
    const auto lock = ClaimFolder(claims).claim("x/y");
    REQUIRE(lock);
    REQUIRE(stat((claims + "/x_y.lock").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0444);
    CHECK_FALSE(ClaimFolder(claims).claim("x/y"));
    chmod((folder / "amp-claims").c_str(), 0755);
    CHECK(claims_folder(folder.path(), "gpu").find("/amp-claims/") == std::string::npos);
}

TEST_CASE("ports of gangs are free, and each belongs to one") {
    TempFolder folder;
    PortClaims one(folder / "port");
    PortClaims other(folder / "port");
    const auto ports = one.claim(50);
    const auto others = other.claim(50);
    REQUIRE(ports);
    REQUIRE(others);
    std::set<std::uint16_t> all(ports->begin(), ports->end());
    all.insert(others->begin(), others->end());
    CHECK(all.size() == 100);
    CHECK_FALSE(one.claim(100'000));
}

TEST_CASE("a task sees the GPUs that it asked for, and waits for those of another run") {
    setenv("CUDA_VISIBLE_DEVICES", "test-7,test-9", 1);
    TemporaryStore store;
    TemporaryStore other_store;
    LocalBackend backend(store.files(), options_for(store));
    LocalBackend other(other_store.files(), options_for(other_store));
    CHECK(backend.capacity().gpu == 2);
    const std::string gate = store.root() + "/gate";
    TaskSpec two =
        shell_task("two", "echo $CUDA_VISIBLE_DEVICES; while ! test -e " + gate + "; do sleep 0.01; done");
    two.resources.gpu = 2;
    backend.submit({&two, 1});
    Seen seen;
    watch(backend, seen, [&] { return seen.has_started("two"); });

    TaskSpec one = shell_task("one", "echo $CUDA_VISIBLE_DEVICES");
    one.resources.gpu = 1;
    other.submit({&one, 1});
    Seen other_seen;
    watch(other, other_seen, [&] { return !other_seen.queued.empty(); });
    CHECK(other_seen.queued[0].reason == "waits for 1 gpu that another run holds");
    const TaskSpec opener = shell_task("opener", "touch " + gate);
    backend.submit({&opener, 1});
    watch_ends(backend, seen, 2);
    CHECK(log_of(store, seen.result("two")) == "test-7,test-9\n");
    watch_ends(other, other_seen, 1);
    CHECK(log_of(other_store, other_seen.result("one")) == "test-7\n");
    backend.close();
    other.close();
    unsetenv("CUDA_VISIBLE_DEVICES");
}
