#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "cli/declarations.hpp"
#include "core/base/error.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"

/// Thin words around what a Declaration takes, so that each command reads as a list (declarations.cpp).
namespace amp {

using Given = Declaration::Given;

inline Error usage_error(std::string message, std::string hint = {}) {
    return {ExitCode::usage, std::move(message), "", std::move(hint)};
}

inline void declare_flag(Declaration& app, const char* names, bool& into, const char* help) {
    app.flag(
        names, [&into](std::int64_t) { into = true; }, help);
}

inline void declare_text(Declaration& app, const char* names, std::string& into, const char* metavar,
                         const char* help, Given need = Given::optional) {
    app.value(
        names, [&into](const std::string& text) { into = text; }, metavar, help, need);
}

inline void declare_texts(Declaration& app, const char* names, std::vector<std::string>& into,
                          const char* metavar, const char* help, Given need = Given::optional) {
    app.values(
        names, [&into](const std::vector<std::string>& texts) { into = texts; }, metavar, help, need);
}

/// @param least where 0 would read as "none", and is a slip: 1
template <class Whole, class Target>
inline void declare_count(Declaration& app, const std::string& name, Target& into, const char* help,
                          Whole least = 0) {
    const auto parse = [&into, name, least](const std::string& text) {
        Whole number{};
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failed != std::errc() || end != text.data() + text.size()) {
            throw usage_error(
                fmt::format("option '{}' takes a whole number, not '{}'", name, printable(text)));
        }
        if (number < least) {
            throw usage_error(
                fmt::format("option '{}' takes at least {}, not {}", name, least, printable(text)),
                "without it there is no limit");
        }
        into = number;
    };
    app.value(name, parse, "N", help);
}

/// An option whose values are words; `into` gets the place of the word.
template <class Set>
inline void declare_choice(Declaration& app, const std::string& name, std::vector<std::string> words, Set set,
                           const char* help, Given need = Given::optional) {
    const std::string metavar = join(words, "|");
    const auto parse = [name, words = std::move(words), set](const std::string& text) {
        const auto it = std::find(words.begin(), words.end(), text);
        if (it == words.end()) {
            const std::string what =
                name.starts_with('-') ? fmt::format("option '{}' takes", name) : "expected one of";
            throw usage_error(fmt::format("{} {}, not '{}'", what, join(words, ", "), printable(text)),
                              near_hint(text, words));
        }
        set(static_cast<std::size_t>(it - words.begin()));
    };
    app.value(name, parse, metavar, help, need);
}

/// A repeatable NAME=VALUE.
inline void declare_pairs(Declaration& app, const char* names, NameValues& into, const char* metavar,
                          const char* help) {
    const auto parse = [&into, metavar](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) {
            const std::size_t equals = text.find('=');
            if (equals == std::string::npos || equals == 0) {
                throw usage_error(fmt::format("'{}' is no {}", printable(text), metavar));
            }
            into.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    };
    app.values(names, parse, metavar, help);
}

}  // namespace amp
