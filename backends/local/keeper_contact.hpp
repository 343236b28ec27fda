#pragma once

#include <functional>
#include <optional>
#include <string>

#include "backends/agent/channel.hpp"
#include "backends/agent/messages.hpp"
#include "backends/local/keeper_history.hpp"
#include "backends/local/keeper_options.hpp"

namespace amp {

/// Starts a keeper as a process of its own, which is no child of ours, and gives our end of the connection to
/// it.
/// @param run_in_child instead of `/proc/self/exe keeper …`: called in the new process, for tests
/// @throws Error(infrastructure)
agent::Channel start_keeper(const KeeperOptions& options,
                            const std::function<int(const KeeperOptions&)>& run_in_child = {});

/// A connection to a living keeper's socket; nullopt when there is nobody (any more).
std::optional<agent::Channel> reach_keeper(const KeeperHistory& history);

/// Says hello and waits for the answer. nullopt when the keeper ended meanwhile.
/// @throws Error(busy) when a later driver is in charge; Error(infrastructure) when it refuses or is silent
std::optional<agent::Welcome> greet(agent::Channel& channel, const agent::Hello& hello, double patience_s);

/// As greet, but nullopt also when it is silent.
std::optional<agent::Welcome> try_greet(agent::Channel& channel, const agent::Hello& hello,
                                        double patience_s);

/// What `amp spawn` does: asks the keeper for a run. `told` hears of the run; the last answer is given.
/// @throws Error(infrastructure) when the keeper cannot be reached, or falls silent
SpawnAnswer ask_keeper_to_spawn(const std::string& socket, const Value& request,
                                const std::function<void(const SpawnAnswer&)>& told);

/// What `amp cancel` does for a run that works on this machine: asks its keeper. False when no keeper lives
/// here.
bool ask_keeper_to_cancel(AppendFiles& files, const std::string& run, const std::string& who);

/// The place that a keeper on this machine holds of an attempt; nullopt: none does (any more).
std::optional<agent::OpenPlace> ask_keeper_for_place(AppendFiles& files, const std::string& run,
                                                     const AttemptId& id);

}  // namespace amp
