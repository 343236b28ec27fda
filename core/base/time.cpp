#include "core/base/time.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace amp {

namespace {

/// Writes the last `count` digits of `number` to `at`.
void put_digits(char* at, unsigned number, std::size_t count) {
    for (; count > 0; --count, number /= 10) {
        at[count - 1] = static_cast<char>('0' + number % 10);
    }
}

}  // namespace

// By hand, since a table of a run has two a task.
std::string format_time(Timestamp time) {
    using namespace std::chrono;
    const sys_time<milliseconds> point{milliseconds{time.ms}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss clock{point - day};
    const int year = static_cast<int>(date.year());
    if (year < 0 || year > 9999) {
        return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year,
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                           clock.subseconds().count());
    }
    std::string text = "0000-00-00T00:00:00.000Z";
    put_digits(&text[0], static_cast<unsigned>(year), 4);
    put_digits(&text[5], static_cast<unsigned>(date.month()), 2);
    put_digits(&text[8], static_cast<unsigned>(date.day()), 2);
    put_digits(&text[11], static_cast<unsigned>(clock.hours().count()), 2);
    put_digits(&text[14], static_cast<unsigned>(clock.minutes().count()), 2);
    put_digits(&text[17], static_cast<unsigned>(clock.seconds().count()), 2);
    put_digits(&text[20], static_cast<unsigned>(clock.subseconds().count()), 3);
    return text;
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
