#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace amp {

// What the keeper and the first process of a container tell each other, in a folder that both see. Neither
// the task's variables nor its words go by way of the engine, which would show them to whoever may ask it
// (`docker inspect`, `ps`), and has no room for bytes that are no UTF-8.

inline constexpr std::string_view k_order_file = "order";      ///< gone once it is read
inline constexpr std::string_view k_control_pipe = "control";  ///< at its end the keeper is gone
inline constexpr std::string_view k_output_pipe = "output";    ///< what the task prints
inline constexpr std::string_view k_end_file = "end";          ///< how it ended
/// Locked (fcntl) by the first process while it lives: who asks for the lock is told that process's number,
/// as it is outside.
inline constexpr std::string_view k_lock_file = "lock";
inline constexpr std::string_view k_words_file = "words";  ///< what the engine's client prints

// What is written to the control pipe.
inline constexpr char k_ask_to_end = 'T';  ///< TERM to the task's group
inline constexpr char k_kill = 'K';        ///< KILL to all

/// What is to be run.
struct ContainerOrder {
    std::string cwd;
    std::vector<std::string> words;
    std::vector<std::string> environment;  ///< "NAME=value", over those of the image
    /// Variables that only stand where the image has none.
    std::vector<std::string> defaults;
    /// Below the user's home there, and where that leads to.
    std::vector<std::pair<std::string, std::string>> home_links;
    std::string spare_home;    ///< where the image's own cannot be written
    bool interactive = false;  ///< it has the container's standard streams
    bool operator==(const ContainerOrder&) const = default;
};
/// Any bytes but NUL come through.
std::string order_text(const ContainerOrder& order);
/// @throws Error(mismatch)
ContainerOrder order_from(std::string_view text);

/// How the task's main process ended.
struct ContainerEnd {
    int exit = 0;  ///< -1 when it died of a signal
    int signal = 0;
    double cpu_s = 0;
    std::uint64_t max_rss_bytes = 0;
    bool oom = false;        ///< the kernel has killed a process of the container for want of memory
    bool leftovers = false;  ///< it had left others running, which were ended
    std::string problem;     ///< it could not be started, for this
    bool operator==(const ContainerEnd&) const = default;
};
std::string end_text(const ContainerEnd& end);
/// nullopt: it is no such text.
std::optional<ContainerEnd> end_from(std::string_view text);

}  // namespace amp
