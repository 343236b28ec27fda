#include "core/base/ids.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::string_view k_letters = "23456789bcdfghjkmnpqrstvwxz";  // in the order of their bytes
constexpr std::string_view k_base32 = "abcdefghijklmnopqrstuvwxyz234567";

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

[[noreturn]] void fail_index(std::string_view text) {
    throw Error(ExitCode::usage, fmt::format("'{}' is no task index", text), {},
                "an index is '_', or numbers with dots such as '3' or '3.0', with '@2' for a round");
}

std::uint32_t parse_number(std::string_view text, std::string_view whole) {
    std::uint32_t n = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    const bool padded = text.size() > 1 && text.front() == '0';
    if (text.empty() || padded || failed != std::errc() || end != text.data() + text.size()) {
        fail_index(whole);
    }
    return n;
}

}  // namespace

std::string make_run_id(Timestamp now, std::uint64_t random) {
    using namespace std::chrono;
    const sys_time<milliseconds> point{milliseconds{now.ms}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss clock{floor<seconds>(point - day)};
    std::string id = fmt::format("{:02}{:02}{:02}-{:02}{:02}{:02}-", static_cast<int>(date.year()) % 100,
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    // The first two letters tell the part of the second, so that ids sort by time within it; the others are
    // random.
    constexpr std::size_t k_base = k_letters.size();
    const auto millisecond = static_cast<std::size_t>((point - floor<seconds>(point)).count());
    const std::size_t part = millisecond * k_base * k_base / 1000;
    for (const std::size_t digit :
         {part / k_base, part % k_base, random % k_base, random / k_base % k_base}) {
        id += k_letters[digit];
    }
    return id;
}

bool is_run_id(std::string_view text) {
    return text.size() == 18 && text[6] == '-' && text[13] == '-' && all_digits(text.substr(0, 6)) &&
           all_digits(text.substr(7, 6)) &&
           text.substr(14).find_first_not_of(k_letters) == std::string_view::npos;
}

std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
        throw Error(ExitCode::bug, "the kernel gives no random numbers");
    }
    return bits;
}

std::string make_token() {
    std::string token;
    for (int half = 0; half < 2; ++half) {
        std::uint64_t bits = random_bits();
        for (int i = 0; i < 13; ++i, bits >>= 5) {
            token += k_base32[bits & 31];
        }
    }
    return token;
}

std::string TaskIndex::text() const {
    std::string out = path.empty() ? "_" : "";
    for (std::size_t i = 0; i < path.size(); ++i) {
        out += i == 0 ? "" : ".";
        out += fmt::format_int(path[i]).str();
    }
    if (round > 0) {
        out += fmt::format("@{}", round);
    }
    return out;
}

TaskIndex TaskIndex::parse(std::string_view text) {
    TaskIndex index;
    const std::size_t at = text.find('@');
    if (at != std::string_view::npos) {
        index.round = parse_number(text.substr(at + 1), text);
        if (index.round == 0) {
            fail_index(text);
        }
    }
    const std::string_view path = text.substr(0, at);
    if (path != "_") {
        for (const std::string_view part : split(path, '.')) {
            index.path.push_back(parse_number(part, text));
        }
    }
    return index;
}

TaskName TaskName::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (text.empty() || slash == 0) {
        throw Error(ExitCode::usage, fmt::format("'{}' names no task", text), {},
                    "a task is STEP or STEP/INDEX");
    }
    if (slash == std::string_view::npos) {
        return {std::string(text), {}};
    }
    return {std::string(text.substr(0, slash)), TaskIndex::parse(text.substr(slash + 1))};
}

}  // namespace amp
