#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/process.hpp"
#include "core/ports/task_spec.hpp"
#include "core/task/container.hpp"

namespace amp {

/// The variable that says which engine runs containers; a contained task has that of its own engine.
inline constexpr std::string_view k_engine_variable = "AMP_CONTAINER_ENGINE";

/// A container engine of this machine.
struct Engine {
    std::string name;       ///< "docker" or "podman"
    bool rootless = false;  ///< its root is us
    std::string version;    ///< empty: not asked for
};

/// As the variable has it: "docker", "podman:rootless".
std::string engine_text(const Engine& engine);
/// @throws Error(usage) for what names none
Engine parse_engine(std::string_view text);

/// @param wanted as the variable has it; empty: docker where its daemon answers, else podman
/// @throws Error(infrastructure) when there is none that answers; Error(usage) for a name that is none
Engine find_engine(Process& process, const std::string& wanted);

/// Of a task that runs in a container; where its spec does not say, docker.
Engine engine_of(const TaskSpec& spec);

/// What the engine has under this name; nullopt: nothing.
std::optional<ImageIdentity> look_up_image(Process& process, const Engine& engine, const std::string& image);

/// Gets it, which may last.
/// @param go_on is asked a few times a second where `process` can be stopped
/// @return false: it was stopped
/// @throws Error(infrastructure) with the engine's words
bool pull_image(Process& process, const Engine& engine, const std::string& image,
                const std::function<bool()>& go_on);

}  // namespace amp
