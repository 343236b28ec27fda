#include "core/base/line_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr int k_most_edits = 1000;
constexpr std::size_t k_context = 3;

using Lines = std::vector<std::string_view>;
using Kind = LineChange::Kind;

Lines lines_of(std::string_view text) {
    if (text.empty()) {
        return {};
    }
    if (text.back() == '\n') {
        text.remove_suffix(1);
    }
    return split(text, '\n');
}

/// Myers' greedy algorithm: the shortest script of removals and additions, from its end to its beginning.
/// False when it is longer than k_most_edits.
bool shortest_script(const Lines& a, const Lines& b, std::vector<Kind>& reversed) {
    const int n = static_cast<int>(a.size());
    const int m = static_cast<int>(b.size());
    const int most = std::min(n + m, k_most_edits);
    std::vector<std::vector<int>> furthest;  // by the number of edits: x by diagonal -d…d
    const auto from = [&](int d, int k) {
        return furthest[static_cast<std::size_t>(d)][static_cast<std::size_t>(k + d)];
    };
    const auto steps_down = [&](int d, int k) {
        return k == -d || (k != d && from(d - 1, k - 1) < from(d - 1, k + 1));
    };
    for (int d = 0; d <= most; ++d) {
        furthest.emplace_back(static_cast<std::size_t>(2 * d + 1), 0);
        for (int k = -d; k <= d; k += 2) {
            int x = d == 0 ? 0 : steps_down(d, k) ? from(d - 1, k + 1) : from(d - 1, k - 1) + 1;
            while (x < n && x - k < m &&
                   a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)]) {
                ++x;
            }
            furthest.back()[static_cast<std::size_t>(k + d)] = x;
            if (x < n || x - k < m) {
                continue;
            }
            for (int at = k; d > 0; --d) {
                const bool down = steps_down(d, at);
                const int before = down ? at + 1 : at - 1;
                const int start = down ? from(d - 1, before) : from(d - 1, before) + 1;
                reversed.insert(reversed.end(), static_cast<std::size_t>(x - start), Kind::same);
                reversed.push_back(down ? Kind::added : Kind::removed);
                x = from(d - 1, before);
                at = before;
            }
            reversed.insert(reversed.end(), static_cast<std::size_t>(x), Kind::same);
            return true;
        }
    }
    return false;
}

/// Lines from `begin` on as one hunk.
std::string hunk(const std::vector<LineChange>& changes, std::size_t begin, std::size_t end) {
    std::size_t old_count = 0;
    std::size_t new_count = 0;
    std::string body;
    for (std::size_t i = begin; i < end; ++i) {
        const Kind kind = changes[i].kind;
        old_count += kind != Kind::added ? 1 : 0;
        new_count += kind != Kind::removed ? 1 : 0;
        body += kind == Kind::same ? ' ' : kind == Kind::removed ? '-' : '+';
        body.append(changes[i].text).append("\n");
    }
    const std::size_t old_line = changes[begin].old_line - (old_count == 0 ? 1 : 0);
    const std::size_t new_line = changes[begin].new_line - (new_count == 0 ? 1 : 0);
    return fmt::format("@@ -{},{} +{},{} @@\n{}", old_line, old_count, new_line, new_count, body);
}

}  // namespace

std::vector<LineChange> diff_lines(std::string_view before, std::string_view after) {
    const Lines a = lines_of(before);
    const Lines b = lines_of(after);
    std::size_t head = 0;
    while (head < std::min(a.size(), b.size()) && a[head] == b[head]) {
        ++head;
    }
    std::size_t tail = 0;
    while (tail < std::min(a.size(), b.size()) - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
        ++tail;
    }
    const Lines middle_a(a.begin() + static_cast<std::ptrdiff_t>(head),
                         a.end() - static_cast<std::ptrdiff_t>(tail));
    const Lines middle_b(b.begin() + static_cast<std::ptrdiff_t>(head),
                         b.end() - static_cast<std::ptrdiff_t>(tail));
    std::vector<Kind> script(tail, Kind::same);
    if (!shortest_script(middle_a, middle_b, script)) {
        script.insert(script.end(), middle_b.size(), Kind::added);
        script.insert(script.end(), middle_a.size(), Kind::removed);
    }
    script.insert(script.end(), head, Kind::same);
    std::vector<LineChange> out;
    std::size_t i = 0;
    std::size_t j = 0;
    for (auto kind = script.rbegin(); kind != script.rend(); ++kind) {
        out.push_back({*kind, *kind == Kind::added ? b[j] : a[i], i + 1, j + 1});
        i += *kind != Kind::added ? 1 : 0;
        j += *kind != Kind::removed ? 1 : 0;
    }
    return out;
}

std::string unified_diff(std::string_view before, std::string_view after, std::string_view old_name,
                         std::string_view new_name) {
    const std::vector<LineChange> changes = diff_lines(before, after);
    std::string out;
    std::size_t told = 0;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (changes[i].kind == Kind::same) {
            continue;
        }
        const std::size_t begin = std::max(told, i - std::min(i, k_context));
        std::size_t last = i;  // of the changes in this hunk
        for (std::size_t next = i; next < changes.size() && next <= last + 2 * k_context; ++next) {
            last = changes[next].kind == Kind::same ? last : next;
        }
        told = std::min(changes.size(), last + 1 + k_context);
        out += hunk(changes, begin, told);
        i = told - 1;
    }
    return out.empty() ? out : fmt::format("--- {}\n+++ {}\n{}", old_name, new_name, out);
}

}  // namespace amp
