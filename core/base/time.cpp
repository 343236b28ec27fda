#include "core/base/time.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace amp {

std::string format_time(Timestamp time) {
    using namespace std::chrono;
    const sys_time<milliseconds> point{milliseconds{time.ms}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss clock{point - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

namespace {

/// The digits at the start of `text`, exactly `count`, which are taken off; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t count) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (i >= text.size() || text[i] < '0' || text[i] > '9') {
            return -1;
        }
        number = number * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, char c) {
    const bool there = text.starts_with(c);
    text.remove_prefix(there ? 1 : 0);
    return there;
}

}  // namespace

std::optional<Timestamp> parse_time(std::string_view text) {
    using namespace std::chrono;
    const int y = take_digits(text, 4);
    const int m = y >= 0 && take(text, '-') ? take_digits(text, 2) : -1;
    const int d = m >= 0 && take(text, '-') ? take_digits(text, 2) : -1;
    const year_month_day date{year{y}, month{static_cast<unsigned>(m)}, day{static_cast<unsigned>(d)}};
    if (d < 0 || !date.ok()) {
        return std::nullopt;
    }
    const std::int64_t midnight = duration_cast<milliseconds>(sys_days{date}.time_since_epoch()).count();
    if (text.empty()) {
        return Timestamp{midnight};
    }
    const int hour = take(text, 'T') ? take_digits(text, 2) : -1;
    const int minute = hour >= 0 && take(text, ':') ? take_digits(text, 2) : -1;
    const int second = minute >= 0 && take(text, ':') ? take_digits(text, 2) : -1;
    const int ms = take(text, '.') ? take_digits(text, 3) : 0;
    const bool whole = second >= 0 && ms >= 0 && text == "Z";
    if (!whole || hour > 23 || minute > 59 || second > 60) {  // 60: a leap second
        return std::nullopt;
    }
    return Timestamp{midnight + ((hour * 60 + minute) * 60 + second) * std::int64_t{1000} + ms};
}

}  // namespace amp
