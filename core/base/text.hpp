#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

bool is_utf8(std::string_view text);
/// `text` with each invalid byte replaced by U+FFFD.
std::string to_utf8(std::string_view text);
/// Untrusted text made safe for a terminal: control characters (but \n and \t), escapes, bidi controls and
/// invalid UTF-8 become visible forms (`\x1b`, `\u202e`).
std::string printable(std::string_view text);
/// `text` for POSIX shells: as it is when plain, else in single quotes. Never interpreted by any of sh, bash,
/// dash, zsh.
std::string shell_quote(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);

/// The candidate within an edit distance of 2 (1 for words of up to 3 letters), the nearest and then the
/// first; nullopt when none. A transposition counts as one.
std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// "1h30m", "90s", "250ms", "1.5h", "2d", or bare seconds "90" → seconds; nullopt when it is no duration.
std::optional<double> parse_duration(std::string_view text);
/// 5400.0 → "1h30m"; below a minute "4.2s".
std::string format_duration(double seconds);
/// "64G" (10⁹), "64Gi" (2³⁰), also B K M T P; a number without a unit is none. → bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// 1288490188 → "1.2 GiB".
std::string format_size(std::uint64_t bytes);

}  // namespace amp
