#include "core/task/container.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/text.hpp"

using namespace amp;
namespace {

ContainerRequest request() {
    ContainerRequest request;
    request.name = "amp-R-0";
    request.run = "R";
    request.task = "train/1";
    request.image = "reg/ml:1";
    request.uid = 1000;
    request.gid = 100;
    request.groups = {20, 30};
    request.cpu = 2.5;
    request.memory_bytes = 64'000'000;
    request.mounts = {{"/p", "/p", true}, {"/a,b\"c", "/a,b\"c", false}};
    return request;
}

std::string line(const std::string& engine, const ContainerRequest& request) {
    return join(run_words(engine, request), " ");
}

bool has(const std::vector<std::string>& words, const std::string& first, const std::string& second) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (words[i] == first && words[i + 1] == second) {
            return true;
        }
    }
    return false;
}

}  // namespace

TEST_CASE("a container is run as us, with our folders, and its limits") {
    const auto words = run_words("docker", request());
    CHECK(words.front() == "docker");
    CHECK(words[1] == "run");
    CHECK(has(words, "--name", "amp-R-0"));
    CHECK(has(words, "--label", "amp.run=R"));
    CHECK(has(words, "--label", "amp.task=train/1"));
    CHECK(has(words, "--user", "1000:100"));
    CHECK(has(words, "--group-add", "20"));
    CHECK(has(words, "--group-add", "30"));
    CHECK(has(words, "--network", "host"));
    CHECK(has(words, "--ipc", "host"));
    CHECK(has(words, "--cpus", "2.50"));
    CHECK(has(words, "--memory", "64000000"));
    CHECK(has(words, "--memory-swap", "64000000"));
    CHECK(has(words, "--mount", R"(type=bind,"src=/p","dst=/p")"));
    CHECK(has(words, "--mount", R"(type=bind,"src=/a,b""c","dst=/a,b""c",readonly)"));
    CHECK(has(words, "--entrypoint", "/.amp/bin/amp"));
    CHECK(has(words, "reg/ml:1", "container-init"));
    CHECK(words.back() == "container-init");
    CHECK(std::find(words.begin(), words.end(), "--interactive") == words.end());
}

TEST_CASE("what is not limited has no limit, and what is little is what an engine takes") {
    ContainerRequest little = request();
    little.cpu = 0.001;
    little.memory_bytes = 1000;
    CHECK(has(run_words("docker", little), "--cpus", "0.01"));
    CHECK(has(run_words("docker", little), "--memory", "6291456"));
    little.cpu = 0;
    little.memory_bytes = 0;
    CHECK(line("docker", little).find("--cpus") == std::string::npos);
    CHECK(line("docker", little).find("--memory") == std::string::npos);
}

TEST_CASE("GPUs are named as each engine knows them") {
    ContainerRequest gpus = request();
    CHECK(line("docker", gpus).find("--gpus") == std::string::npos);
    gpus.gpus = {"0", "3"};
    CHECK(has(run_words("docker", gpus), "--gpus", "\"device=0,3\""));
    CHECK(has(run_words("podman", gpus), "--device", "nvidia.com/gpu=3"));
    CHECK(line("podman", gpus).find("--gpus") == std::string::npos);
}

TEST_CASE("only some GPUs are seen inside, under numbers of their own") {
    CHECK(inner_gpu_names({"2", "5"}) == std::vector<std::string>{"0", "1"});
    CHECK(inner_gpu_names({"GPU-12", "MIG-3"}) == std::vector<std::string>{"GPU-12", "MIG-3"});
    CHECK(inner_gpu_names({}).empty());
}

TEST_CASE("without root the engine's root is us, or we stay who we are") {
    ContainerRequest rootless = request();
    rootless.rootless = true;
    CHECK(has(run_words("docker", rootless), "--user", "0:0"));
    CHECK(has(run_words("podman", rootless), "--user", "1000:100"));
    CHECK(has(run_words("podman", rootless), "--userns", "keep-id"));
    CHECK(line("podman", rootless).find("--group-add") == std::string::npos);
}

TEST_CASE("a shell has our terminal") {
    ContainerRequest shell = request();
    shell.interactive = true;
    shell.terminal = true;
    const auto words = run_words("docker", shell);
    CHECK(std::find(words.begin(), words.end(), "--interactive") != words.end());
    CHECK(std::find(words.begin(), words.end(), "--tty") != words.end());
}

TEST_CASE("a container's name is its attempt's, and tells no token") {
    const std::string name = container_name("261120-081530-k3fx", "secret-token", 0);
    CHECK(name.starts_with("amp-261120-081530-k3fx-"));
    CHECK(name.find("secret") == std::string::npos);
    CHECK(name == container_name("261120-081530-k3fx", "secret-token", 0));
    CHECK(name != container_name("261120-081530-k3fx", "other-token", 0));
    CHECK(container_name("261120-081530-k3fx", "secret-token", 2) == name + "-2");
}

TEST_CASE("which engine answers, and whose root it is") {
    // docker info of 20.10 and of 28.2, podman info of 4.3
    auto version = engine_version_from("20.10.24+dfsg1 [\"name=seccomp,profile=default\"]\n");
    REQUIRE(version);
    CHECK(version->version == "20.10.24+dfsg1");
    CHECK_FALSE(version->rootless);
    version =
        engine_version_from("28.2.2 [\"name=seccomp,profile=builtin\",\"name=rootless\",\"name=cgroupns\"]");
    REQUIRE(version);
    CHECK(version->rootless);
    version = engine_version_from("4.3.1 rootless=true\n");
    REQUIRE(version);
    CHECK(version->rootless);
    CHECK_FALSE(engine_version_from("4.3.1 rootless=false\n")->rootless);
    CHECK_FALSE(engine_version_from(" null\n"));  // a client without a daemon
    CHECK_FALSE(engine_version_from(""));
    CHECK_FALSE(engine_version_from("template: :1:2: executing \"\" at <.ServerVersion>: reflect"));
}

TEST_CASE("an image is known by what names it exactly") {
    const std::string id = "sha256:d4091317be2207f37d53ab33f9f9f9fe99c7f9da11d32e9b8249777dbeb4436a";
    const std::string digest = "sha256:94c9db625d66d7430317818e865c8d141b062765cfe866176e8ffe46b1d28949";
    auto image = image_identity_from(id + " []\n", "amp/busybox:1");
    REQUIRE(image);
    CHECK(image->digest == id);
    CHECK(image->reference == id);

    image = image_identity_from(id + " [\"other@sha256:1\",\"reg:5000/ml/busybox@" + digest + "\"]",
                                "reg:5000/ml/busybox:1");
    REQUIRE(image);
    CHECK(image->digest == digest);
    CHECK(image->reference == "reg:5000/ml/busybox@" + digest);

    image = image_identity_from(id + " [\"docker.io/library/busybox@" + digest + "\"]", "busybox");
    REQUIRE(image);
    CHECK(image->reference == "docker.io/library/busybox@" + digest);

    // podman: an id without its kind, and a digest of what no registry knows
    image =
        image_identity_from(id.substr(7) + " [\"localhost/amp/busybox@" + digest + "\"]", "amp/busybox:1");
    REQUIRE(image);
    CHECK(image->digest == id);
    CHECK(image_identity_from(id + " null", "x")->digest == id);
    CHECK_FALSE(image_identity_from("", "x"));
}

TEST_CASE("what engines print, without what they always print") {
    CHECK(engine_words("Unable to find image 'nothere:1' locally\n"
                       "docker: Error response from daemon: pull access denied for nothere.\n\n"
                       "Run 'docker run --help' for more information\n") ==
          "pull access denied for nothere.");
    CHECK(engine_words("docker: Cannot connect to the Docker daemon at unix:///tmp/x. Is the docker daemon "
                       "running?.\nSee 'docker run --help'.\n")
              .starts_with("Cannot connect to the Docker daemon"));
    CHECK(engine_words("Trying to pull localhost/nothere:1...\n"
                       "time=\"2026-11-30T07:20:13Z\" level=warning msg=\"Failed, retrying\"\n"
                       "Error: initializing source docker://localhost/nothere:1: connection refused\n") ==
          "initializing source docker://localhost/nothere:1: connection refused");
    CHECK(engine_words("") == "");
}

TEST_CASE("whose fault it is that a container did not begin") {
    const auto cause = [](std::string_view printed) {
        return container_failure(125, printed, "ml:1", true).cause;
    };
    CHECK(cause("docker: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?") ==
          Cause::infra);
    CHECK(cause("docker: error during connect: Post \"http://x\": EOF") == Cause::infra);
    CHECK(cause("docker: Error response from daemon: No such image: sha256:01") == Cause::image);
    CHECK(cause("Unable to find image 'nothere:1' locally\ndocker: Error response from daemon: Get "
                "\"https://registry-1.docker.io/v2/\": dial tcp: network is unreachable") == Cause::image);
    CHECK(cause("Error: short-name \"nothere:1\" did not resolve to an alias") == Cause::image);
    CHECK(cause("Error: initializing source docker://localhost/nothere:1: connection refused") ==
          Cause::image);
    CHECK(cause("docker: invalid reference format.") == Cause::image);
    CHECK(cause("docker: Error response from daemon: could not select device driver \"\" with capabilities: "
                "[[gpu]].") == Cause::infra);
    CHECK(container_failure(125, "docker: Error response from daemon: pull access denied for x", "x", true)
              .message == "the image 'x' cannot be had: pull access denied for x");
}

TEST_CASE("an amp that the image has no libraries for says what to do") {
    const std::string_view printed =
        "docker: Error response from daemon: failed to create shim task: OCI runtime create failed: runc "
        "create "
        "failed: unable to start container process: exec: \"/.amp/bin/amp\": stat /.amp/bin/amp: no such "
        "file "
        "or directory: unknown.";
    const auto failure = container_failure(127, printed, "ml:1", false);
    CHECK(failure.cause == Cause::image);
    CHECK(failure.message.find("linked dynamically") != std::string::npos);
    CHECK(container_failure(127, printed, "ml:1", true).message.find("linked dynamically") ==
          std::string::npos);
    CHECK(container_failure(127,
                            "/.amp/bin/amp: error while loading shared libraries: libfmt.so.9: cannot open "
                            "shared object file",
                            "ml:1", false)
              .message.find("libfmt.so.9") != std::string::npos);
}

TEST_CASE("the other words") {
    CHECK(remove_words("podman", {"a", "b"}) ==
          std::vector<std::string>{"podman", "rm", "--force", "--volumes", "a", "b"});
    CHECK(has(list_words("docker", "R"), "--filter", "label=amp.run=R"));
    CHECK(oom_words("docker", "a").back() == "a");
    CHECK(image_words("docker", "ml:1").back() == "ml:1");
    CHECK(pull_words("docker", "ml:1").back() == "ml:1");
    CHECK(version_words("podman") != version_words("docker"));
}
