#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/run/observer.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"
#include "core/store/lease.hpp"

namespace amp {

/// Whose turn it is among the runs of one flow in a store, where they may not overlap (`concurrency`): one
/// record, flows/HASH/turn, which changes by compare-and-swap only: {on: who goes on, waiting: who came,
/// in order}. A run counts while somebody drives it, so that one which died blocks nobody; one that was
/// started with "allow" counts without standing in the record. Children of other runs neither wait nor count.
class Turns {
  public:
    Turns(Services& services, OpenStore& store, std::string flow);

    struct Place {
        bool on = false;           ///< it is the run's turn
        std::string behind;        ///< else: the run that it waits for
        std::string cancelled_by;  ///< it was cancelled while it waited, and no longer waits
    };
    /// Whether it is the turn of `run`, which is driven; while it is not, the run stands in the line.
    Place ask(const std::string& run);
    /// Takes the turn for a run that is about to be made; empty, or the run that is on and stays so.
    std::string claim(const std::string& run);
    /// Runs that are on, or wait before `run`.
    std::vector<std::string> ahead_of(const std::string& run);
    /// No longer in the line.
    void leave(const std::string& run);
    /// Asks a waiting run to be no more. False when it does not wait.
    bool cancel(const std::string& run, const std::string& who);
    /// The run that a waiting one waits for ("" when that has just ended); nullopt: it does not wait.
    std::optional<std::string> behind(const std::string& run);

  private:
    struct Entry {
        std::string run;
        Timestamp at;
        std::string cancelled_by;
    };
    struct Record {
        std::optional<Entry> on;
        std::vector<Entry> waiting;
        std::optional<Stored> stored;
    };
    Record read();
    bool write(const Record& record);
    bool lives(const Entry& entry);
    std::vector<std::string> ahead(const Record& record, const std::string& run);
    std::vector<std::string> unbound(const Record& record, const std::string& run);

    Services& services_;
    OpenStore& store_;
    std::string flow_;
};

/// What waiting for a turn came to.
struct TurnTaken {
    enum class Kind { on, skipped, cancelled, interrupted };
    Kind kind = Kind::on;
    std::string who;  ///< skipped: the run that is on; cancelled: by whom
};
/// Waits, as its concurrency says, until it is the run's turn; renews the lease meanwhile. "replace" cancels
/// those ahead. Ends early with a signal.
TurnTaken wait_for_turn(Services& services, OpenStore& store, const RunRecord& record,
                        const std::string& concurrency, Lease& lease, RunObserver& observer);

}  // namespace amp
