#include "core/base/time.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>

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

std::optional<Timestamp> parse_time(std::string_view text) {
    using namespace std::chrono;
    const std::string copy(text);
    int year_number = 0;
    unsigned month_number = 0;
    unsigned day_number = 0;
    int hour = 0;
    int minute = 0;
    double second = 0;
    char zone = 'Z';
    const int read = std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2d:%2d:%lf%c", &year_number, &month_number,
                                 &day_number, &hour, &minute, &second, &zone);
    const year_month_day date{year{year_number}, month{month_number}, day{day_number}};
    const bool clock_ok = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 61;
    if ((read != 3 && read != 7) || !date.ok() || !clock_ok || zone != 'Z') {
        return std::nullopt;
    }
    const auto point = sys_days{date} + hours{hour} + minutes{minute};
    return Timestamp{duration_cast<milliseconds>(point.time_since_epoch()).count() +
                     std::llround(second * 1000)};
}

}  // namespace amp
