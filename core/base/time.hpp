#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace amp {

/// A point in time: milliseconds since 1970-01-01 UTC. Order events by their sequence, never by this.
struct Timestamp {
    std::int64_t ms = 0;
    auto operator<=>(const Timestamp&) const =
        default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads it
    Timestamp plus_seconds(double s) const { return {ms + static_cast<std::int64_t>(s * 1000)}; }
    double seconds_since(Timestamp earlier) const { return static_cast<double>(ms - earlier.ms) / 1000; }
};

/// "2026-11-20T08:15:30.123Z" (RFC 3339, UTC, milliseconds).
std::string format_time(Timestamp time);
/// What format_time wrote, also without milliseconds, or a date alone; nullopt otherwise.
std::optional<Timestamp> parse_time(std::string_view text);

}  // namespace amp
