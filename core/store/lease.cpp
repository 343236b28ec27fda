#include "core/store/lease.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/store/far_lease.hpp"
#include "core/store/layout.hpp"
#include "core/store/sealed.hpp"

namespace amp {
namespace {

constexpr int k_schema = 1;
constexpr double k_lease_s = 60;
constexpr double k_renew_s = 20;
/// Enough for any honest race: each lost round means that another driver won it.
constexpr int k_attempts = 5;

std::string to_json(const LeaseRecord& record) {
    return seal(Object{{"schema", k_schema},
                       {"epoch", std::uint64_t{record.epoch}},
                       {"host", record.host},
                       {"pid", record.pid},
                       {"user", record.user},
                       {"until", format_time(record.until)},
                       {"released", record.released},
                       {"lock", record.lock}});
}

LeaseRecord from_json(std::string_view text, const std::string& run) {
    const Value value = unseal(text, layout::lease(run));
    if (get_int(value, "schema") > k_schema) {
        throw Error(ExitCode::invalid, fmt::format("the lease of {} was written by a newer amp", run), run,
                    "use that amp");
    }
    LeaseRecord record;
    record.epoch = static_cast<std::uint32_t>(get_int(value, "epoch"));
    record.host = get_string(value, "host");
    record.pid = get_int(value, "pid");
    record.user = get_string(value, "user");
    record.until = parse_time(get_string(value, "until")).value_or(Timestamp{});
    record.released = get_bool(value, "released");
    record.lock = get_string(value, "lock");
    return record;
}

/// On the holder's host its lock tells; from elsewhere only the time does. A lock file that is not there
/// belongs to a machine of the same name with another disk.
bool is_alive(const LeaseRecord& record, AppendFiles& files, Clock& clock, const std::string& host) {
    if (record.released) {
        return false;
    }
    const bool here = record.host == host && is_store_key(record.lock);
    if (here && files.read(record.lock, 0, 0)) {
        return files.locked(record.lock);
    }
    return clock.now() < record.until;
}

[[noreturn]] void fail_busy(const std::string& run, const LeaseRecord& holder, const std::string& host) {
    const bool elsewhere = holder.host != host;
    const std::string until =
        elsewhere ? fmt::format(", until {} unless renewed", format_time(holder.until)) : "";
    throw Error(ExitCode::busy,
                fmt::format("run {} is driven by pid {} of '{}' on '{}'{}", run, holder.pid, holder.user,
                            holder.host, until),
                run, "wait for it, or take the run over with --take-over");
}

}  // namespace

class Lease::Impl {
  public:
    Impl(ObjectStore& store, Clock& clock, std::string run)
        : store_(store), clock_(clock), run_(std::move(run)) {}
    ~Impl() { release(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// One round. False when somebody else was faster.
    bool try_acquire(AppendFiles& files, const Identity& self, bool take_over) {
        const std::optional<Stored> before = store_.get(layout::lease(run_));
        LeaseRecord holder;
        if (before) {
            holder = from_json(before->bytes, run_);
            if (!take_over && is_alive(holder, files, clock_, self.host)) {
                fail_busy(run_, holder, self.host);
            }
        }
        LeaseRecord mine{holder.epoch + 1,
                         self.host,
                         self.pid,
                         self.user,
                         {},
                         false,
                         layout::lease_lock(run_, make_token())};
        // The lock first, so that whoever reads the record sees us alive.
        lock_ = files.open(mine.lock, 0);
        record_ = mine;
        if (lock_ && write(before)) {
            held_ = true;
            if (is_store_key(holder.lock)) {
                store_.remove(holder.lock);
            }
            return true;
        }
        lock_.reset();
        store_.remove(mine.lock);
        return false;
    }

    void renew() {
        if (!held_) {
            throw Error(ExitCode::bug, fmt::format("the lease of {} is not held", run_), run_);
        }
        if (!write(Stored{{}, version_}) && !renew_unheard()) {
            fail_taken_over();
        }
    }

    void check() {
        const std::optional<LeaseRecord> now = read_lease(store_, run_);
        if (!held_ || !now || now->lock != record_.lock) {
            fail_taken_over();
        }
    }

    void release() noexcept {
        if (!held_) {
            return;
        }
        held_ = false;
        try {
            record_.released = true;
            write(Stored{{}, version_});
            lock_.reset();
            store_.remove(record_.lock);
        } catch (const std::exception&) {
            // It runs out by itself.
        }
        lock_.reset();
    }

    std::uint32_t epoch() const { return record_.epoch; }
    double renew_at() const { return renew_at_; }

  private:
    [[noreturn]] void fail_taken_over() {
        held_ = false;
        const LeaseRecord holder = read_lease(store_, run_).value_or(LeaseRecord{});
        throw Error(ExitCode::busy,
                    fmt::format("run {} was taken over by pid {} of '{}' on '{}'", run_, holder.pid,
                                holder.user, holder.host),
                    run_, "this driver stops; the other one goes on");
    }

    /// Replaces what `before` was. False when that has changed.
    bool write(const std::optional<Stored>& before) {
        const double steady = clock_.steady_seconds();
        record_.until = clock_.now().plus_seconds(k_lease_s);
        const std::string key = layout::lease(run_);
        const std::string bytes = to_json(record_);
        const PutResult result =
            before ? store_.compare_and_swap(key, bytes, before->version) : store_.put_if_absent(key, bytes);
        if (result != PutResult::stored) {
            return false;
        }
        const std::optional<Stored> now = store_.get(key);
        if (!now || now->bytes != bytes) {
            return false;
        }
        version_ = now->version;
        renew_at_ = steady + k_renew_s;
        return true;
    }

    /// A write that was done although its answer got lost leaves our own record there with another version.
    bool renew_unheard() {
        const std::optional<Stored> now = store_.get(layout::lease(run_));
        return now && from_json(now->bytes, run_).lock == record_.lock && write(now);
    }

    ObjectStore& store_;
    Clock& clock_;
    std::string run_;
    LeaseRecord record_;
    std::string version_;
    double renew_at_ = 0;
    std::unique_ptr<AppendFile> lock_;
    bool held_ = false;
};

Lease::Lease(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lease::~Lease() = default;
Lease::Lease(Lease&&) noexcept = default;

Lease Lease::acquire(ObjectStore& store, AppendFiles& files, Clock& clock, const std::string& run,
                     const Identity& self, bool take_over) {
    auto impl = std::make_unique<Impl>(store, clock, run);
    for (int attempt = 0; attempt < k_attempts; ++attempt) {
        if (impl->try_acquire(files, self, take_over)) {
            return Lease(std::move(impl));
        }
    }
    throw Error(ExitCode::busy, fmt::format("other processes are taking run {} at this moment", run), run,
                "try again");
}

std::uint32_t Lease::epoch() const {
    return impl_->epoch();
}
double Lease::renew_at() const {
    return impl_->renew_at();
}
void Lease::renew() {
    impl_->renew();
}
void Lease::check() {
    impl_->check();
}
void Lease::release() noexcept {
    impl_->release();
}

std::optional<LeaseRecord> read_lease(ObjectStore& store, const std::string& run) {
    const std::optional<Stored> stored = store.get(layout::lease(run));
    return stored ? std::optional(from_json(stored->bytes, run)) : std::nullopt;
}

void write_released_lease(ObjectStore& store, const std::string& run, std::uint32_t epoch) {
    LeaseRecord record;
    record.epoch = epoch;
    record.released = true;
    store.put_if_absent(layout::lease(run), to_json(record));
}

std::uint32_t raise_lease(ObjectStore& store, const std::string& run, std::uint32_t epoch) {
    LeaseRecord record;
    record.epoch = epoch;
    record.released = true;
    const std::string key = layout::lease(run);
    for (int attempt = 0; attempt < k_attempts; ++attempt) {
        const std::optional<Stored> before = store.get(key);
        const std::uint32_t stands = before ? from_json(before->bytes, run).epoch : 0;
        if (before && stands >= epoch) {
            return stands;
        }
        const PutResult result = before ? store.compare_and_swap(key, to_json(record), before->version)
                                        : store.put_if_absent(key, to_json(record));
        if (result == PutResult::stored) {
            return epoch;
        }
    }
    throw Error(ExitCode::busy, fmt::format("many drivers reach for run {} at once", run), run);
}

bool is_driven(ObjectStore& store, AppendFiles& files, Clock& clock, const std::string& run,
               const std::string& host) {
    const std::optional<LeaseRecord> record = read_lease(store, run);
    return record && is_alive(*record, files, clock, host);
}

}  // namespace amp
