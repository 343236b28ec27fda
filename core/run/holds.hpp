#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/ports/backend.hpp"
#include "core/run/services.hpp"

namespace amp {

/// The place of a task that has failed, kept for people: runs/RUN/holds/. It is kept until `until`, and for
/// as long as somebody is inside, who says so again and again; and no longer than the record is there.
struct Hold {
    static constexpr int k_schema = 1;

    std::string task;  ///< STEP/INDEX
    std::uint32_t attempt = 1;
    std::string profile;  ///< whose backend keeps it; empty: this machine
    Timestamp until;
    Timestamp inside_until;  ///< 0: nobody is
    Timestamp over() const { return until < inside_until ? inside_until : until; }
};
Value to_value(const Hold& hold);
/// @throws Error(mismatch) for what a newer amp has written
Hold hold_from(const Value& value);

/// nullopt: the task's place is not kept (any more).
std::optional<Hold> read_hold(ObjectStore& objects, const std::string& run, const std::string& task);
/// All of a run.
std::vector<Hold> read_holds(ObjectStore& objects, const std::string& run);
/// Somebody is inside until then, or longer, or not any more. False when the place is not kept any more.
bool stay_inside(ObjectStore& objects, const std::string& run, const std::string& task, Timestamp until);
/// Ends it. Whoever drives the run frees the place.
void end_hold(ObjectStore& objects, const std::string& run, const std::string& task);

/// What a driver knows of them.
class Holds {
  public:
    Holds(Services& services, const OpenStore& store, std::string run);

    void add(const Hold& hold);
    /// Those that are over by now. Looks only when something may have come.
    std::vector<AttemptId> look();
    /// The places of these are gone.
    void end(std::span<const AttemptId> ids);
    /// All of them, which are over with this.
    std::vector<AttemptId> end_all();
    bool empty() const { return open_.empty(); }
    /// In how many seconds to look again; none is open: HUGE_VAL.
    double seconds_to_look() const;
    /// Readable when something may have come; -1: none.
    int fd() const { return watch_ ? watch_->fd() : -1; }

  private:
    bool is_over(const Hold& hold);

    Services& services_;
    const OpenStore& store_;
    std::string run_;
    std::vector<Hold> open_;
    double next_look_ = 0;  ///< steady seconds
    std::unique_ptr<Watch> watch_;
};

}  // namespace amp
