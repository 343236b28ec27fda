#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/task_spec.hpp"

namespace amp {

// Tasks in containers, by docker or podman: the words of their commands, and what they answer. Pure
// functions.

/// Where the container has what comes from us.
inline constexpr std::string_view k_inner_amp_folder = "/.amp/bin";  ///< with `amp` in it
inline constexpr std::string_view k_inner_python_folder = "/.amp/python";
inline constexpr std::string_view k_inner_order_folder = "/.amp/task";  ///< core/task/container_order
/// What stands behind `amp` there: the first process of the container.
inline constexpr std::string_view k_container_init = "container-init";

/// What is of no task, but of an engine: as its AMP_TOKEN.
inline constexpr std::string_view k_engine_token = "engine";

struct ContainerMount {
    std::string from;
    std::string to;
    bool writable = false;
};

/// A container of one process of one attempt.
struct ContainerRequest {
    std::string name;
    std::string run;   ///< a label
    std::string task;  ///< a label: STEP/INDEX
    std::string image;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  ///< further ones
    bool rootless = false;      ///< of the engine: its root is us
    double cpu = 0;             ///< 0: no limit
    std::uint64_t memory_bytes = 0;
    std::vector<std::string> gpus;
    std::vector<ContainerMount> mounts;
    bool interactive = false;  ///< it has our standard input
    bool terminal = false;     ///< which is a terminal
};

/// "amp-RUN-…": the same for the same attempt and rank, and it tells nobody the token.
std::string container_name(std::string_view run, std::string_view token, std::uint32_t rank);

// Words of `engine` ("docker" or "podman"), which is the first of them.

/// Runs it in front of us. The host's network and shared memory are its own: what meets by MASTER_ADDR and
/// ports, or shares batches with its workers, does so as without a container. Its first process is amp.
std::vector<std::string> run_words(const std::string& engine, const ContainerRequest& request);
/// Ends and removes them, with their anonymous volumes; those that are not there are no mistake.
std::vector<std::string> remove_words(const std::string& engine, const std::vector<std::string>& names);
/// The names of all of a run's containers, a line each.
std::vector<std::string> list_words(const std::string& engine, std::string_view run);
/// Was it killed for want of memory? "true" or "false".
std::vector<std::string> oom_words(const std::string& engine, const std::string& name);
std::vector<std::string> version_words(const std::string& engine);
std::vector<std::string> image_words(const std::string& engine, const std::string& image);
std::vector<std::string> pull_words(const std::string& engine, const std::string& image);

/// What version_words is answered with.
struct EngineVersion {
    std::string version;
    bool rootless = false;
};
std::optional<EngineVersion> engine_version_from(std::string_view answer);

/// What image_words is answered with: what names exactly this image.
struct ImageIdentity {
    std::string digest;     ///< "sha256:…", of its manifest where it came from a registry, else its id
    std::string reference;  ///< what to run: NAME@DIGEST, or the id
};
std::optional<ImageIdentity> image_identity_from(std::string_view answer, std::string_view image);

/// The line that tells, without the engine's own prefixes and advice.
std::string engine_words(std::string_view printed);
/// Nobody answers: neither the task's fault nor the image's.
bool is_engine_away(std::string_view printed);

/// Why a container did not come to run amp: of what the engine's client printed and exited with.
struct ContainerFailure {
    Cause cause = Cause::infra;
    std::string message;
};
ContainerFailure container_failure(int exit, std::string_view printed, const std::string& image,
                                   bool amp_is_static);

/// GPUs are numbered anew where only some are seen; other names than numbers stay good.
std::vector<std::string> inner_gpu_names(const std::vector<std::string>& gpus);

}  // namespace amp
