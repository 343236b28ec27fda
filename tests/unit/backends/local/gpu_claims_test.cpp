#include "backends/local/gpu_claims.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/temp_folder.hpp"
#include "tests/unit/backends/local/local_harness.hpp"

using namespace amp;
using namespace amp::test;

using Devices = std::vector<std::string>;

TEST_CASE("a GPU belongs to one task of one run") {
    TempFolder folder;
    GpuClaims one({"0", "1", "2"}, folder / "gpu");
    GpuClaims other({"0", "1", "2"}, folder / "gpu");
    CHECK(one.claim(2) == Devices{"0", "1"});
    CHECK_FALSE(other.claim(2));
    CHECK(other.claim(1) == Devices{"2"});
    CHECK_FALSE(one.claim(1));
    one.release({"0"});
    CHECK(other.claim(1) == Devices{"0"});
    CHECK_FALSE(one.claim(1));
}

TEST_CASE("lists of GPUs") {
    CHECK(parse_gpu_list("0, 2") == Devices{"0", "2"});
    CHECK(parse_gpu_list("GPU-abc") == Devices{"GPU-abc"});
    CHECK(parse_gpu_list("1,-1,2") == Devices{"1"});
    CHECK(parse_gpu_list("").empty());
    CHECK(parse_gpu_list("../x").empty());
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
