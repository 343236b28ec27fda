#pragma once

#include <optional>
#include <string>

#include "backends/local/keeper_history.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {

/// The process of a living keeper: never another one that has got its number since.
class KeeperProcess {
  public:
    /// nullopt when the process that the log names does not hold that log open for writing: it is not the
    /// keeper, or we may not look.
    /// @param log path of the keeper's log
    static std::optional<KeeperProcess> find(const KeeperHistory& history, const std::string& log);

    void signal(int number) const;
    /// False when it has not ended after so many seconds.
    bool wait(double seconds) const;

  private:
    explicit KeeperProcess(UniqueFd pidfd) : pidfd_(std::move(pidfd)) {}

    UniqueFd pidfd_;
};

/// TERM, and KILL when that was in vain.
/// @return false when it lives on: it is not to be found, or not ours to signal
bool end_keeper(const KeeperHistory& history, const std::string& log, double patience_s);

/// Asks a keeper that lives to make its socket anew, where that was removed.
void ask_for_socket(const KeeperHistory& history, const std::string& log);

}  // namespace amp
