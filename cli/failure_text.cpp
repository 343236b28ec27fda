#include "cli/failure_text.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/run/log_tail.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_tail_bytes = 4096;

/// As a terminal would show it in the end: of what was overwritten the last.
std::string tail_line(std::string_view line, const Style& style) {
    while (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    line.remove_prefix(line.rfind('\r') + 1);  // npos + 1: from the start
    if (line.find('\x1b') == std::string_view::npos) {
        return printable(line);
    }
    std::string out = safe_for_terminal(line);
    if (style.color()) {
        return out + "\x1b[0m";
    }
    for (std::size_t at = out.find('\x1b'); at != std::string::npos; at = out.find('\x1b')) {
        out.erase(at, out.find('m', at) + 1 - at);  // nothing but colours is left
    }
    return out;
}

}  // namespace

LogTail make_log_tail(Services& services, const Project& project) {
    return [&services, folder = project.store_folder](const AttemptResult& result) -> std::string {
        try {
            const OpenStore store = services.open_store(folder, false);
            return log_tail(*store.files, result, k_tail_bytes);
        } catch (const Error&) {
            return "";  // a service only: `amp logs` says what is wrong
        }
    };
}

std::string indented_tail(std::string_view text, std::size_t most, bool complete_start, const Style& style) {
    const std::vector<std::string_view> lines =
        split(text.ends_with('\n') ? text.substr(0, text.size() - 1) : text, '\n');
    const std::size_t skip = lines.size() > most ? lines.size() - most : 0;
    std::string out = skip > 0 || !complete_start ? "\n    | ..." : "";
    for (std::size_t i = skip; i < lines.size(); ++i) {
        out += "\n    " + style.faint("|") + " " + tail_line(lines[i], style);
    }
    return out.substr(std::min<std::size_t>(1, out.size()));
}

std::string indented_tail(const LogTail& tail, const AttemptResult& result, std::size_t most,
                          const Style& style) {
    const std::string text = result.log.empty() || !tail ? "" : tail(result);
    return text.empty() ? "" : indented_tail(text, most, text.size() >= result.log_bytes, style);
}

}  // namespace amp
