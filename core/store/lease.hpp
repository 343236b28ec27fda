#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/ports/append_files.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Who drives a run: runs/RUN/lease.
struct LeaseRecord {
    std::uint32_t epoch = 0;
    std::string host;
    std::int64_t pid = 0;
    std::string user;
    Timestamp until;
    bool released = false;  ///< given back by a driver that ended in peace
    std::string lock;       ///< key of the holder's lock file
};

/// The right to drive a run, held while this lives. On one host a lock file shows at once that a driver is
/// dead; from another host the lease must run out (60 s, renewed every 20 s), or be taken over on request.
class Lease {
  public:
    struct Identity {
        std::string host;
        std::int64_t pid = 0;
        std::string user;
    };

    /// Takes the lease with the next epoch, durably, by compare-and-swap.
    /// @throws Error(busy) naming the holder when somebody else drives the run
    static Lease acquire(ObjectStore& store, AppendFiles& files, Clock& clock, const std::string& run,
                         const Identity& self, bool take_over = false);
    ~Lease();  ///< releases
    Lease(Lease&&) noexcept;

    std::uint32_t epoch() const;
    /// When the next renew is due, in seconds of Clock::steady_seconds.
    double renew_at() const;
    /// Extends it. @throws Error(busy) when another driver has taken over: stop at once, write nothing more
    void renew();
    /// One read. @throws Error(busy) as renew
    void check();
    /// Gives it back; errors are ignored (it runs out by itself).
    void release() noexcept;

  private:
    class Impl;
    explicit Lease(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

std::optional<LeaseRecord> read_lease(ObjectStore& store, const std::string& run);
/// Writes a lease that nobody holds, where there is none: the next driver gets the epoch behind this one.
void write_released_lease(ObjectStore& store, const std::string& run, std::uint32_t epoch);
/// Does a living driver hold it? By lock on this host, by time from another.
bool is_driven(ObjectStore& store, AppendFiles& files, Clock& clock, const std::string& run,
               const std::string& host);

}  // namespace amp
