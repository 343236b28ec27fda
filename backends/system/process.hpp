#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// "TERM" for 15; "RTMIN+3" and plain numbers for the rest.
std::string signal_name(int signal);

/// Processes whose parent is the calling thread, zombies too. Falls back to a look through /proc.
std::vector<pid_t> own_children();

/// The value of AMP_TOKEN that the process was started with; empty when it has none or we may not look.
std::string process_token(pid_t pid);

/// All living processes of this machine that were started with one of the tokens.
std::vector<pid_t> processes_with_token(const std::set<std::string>& tokens);

/// Kills (KILL) all processes that carry one of the tokens and returns when they are gone.
/// @throws Error(infrastructure) naming a survivor after 30 seconds
void kill_processes_with_token(const std::set<std::string>& tokens);

/// True while the group has a member, zombies too.
bool process_group_lives(pid_t group);

/// gethostname(2).
std::string host_name();

}  // namespace amp
