#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unique_fd.hpp"

namespace amp {

/// "TERM" for 15; "RTMIN+3" and plain numbers for the rest.
std::string signal_name(int signal);

/// The processes whose parent is the thread that made it. It needs no descriptor but the one that it holds:
/// who has run out of them can still tell what has ended.
class ChildList {
  public:
    ChildList();

    /// Zombies too. Falls back to a look through /proc.
    std::vector<pid_t> read();

  private:
    UniqueFd file_;
    std::string text_;
};

/// The value of AMP_TOKEN that the process was started with; empty when it has none or we may not look.
/// @throws Error when there are no descriptors to look with
std::string process_token(pid_t pid);

/// All living processes of this machine that were started with one of the tokens.
/// @throws Error when there are no descriptors to look with
std::vector<pid_t> processes_with_token(const std::set<std::string>& tokens);

/// Kills (KILL) all processes that carry one of the tokens and returns when they are gone.
/// @throws Error(infrastructure) naming a survivor after 30 seconds; as processes_with_token()
void kill_processes_with_token(const std::set<std::string>& tokens);

/// True while a process of the group lives, other than its leader. Looks through /proc.
/// @throws Error when there are no descriptors to look with
bool group_has_others(pid_t group);

/// gethostname(2).
std::string host_name();

}  // namespace amp
