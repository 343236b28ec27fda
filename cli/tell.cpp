#include "cli/tell.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <span>

#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "core/task/report_line.hpp"

namespace amp {
namespace {

Error usage(std::string message, std::string hint = {}) {
    return {ExitCode::usage, std::move(message), "", std::move(hint)};
}

/// The task's report. What is no file there is the task's own doing, is not read, and is never waited for.
UniqueFd open_report(const std::string& path) {
    UniqueFd file(
        ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    const int failed = file ? 0 : errno;
    struct stat info {};
    const bool other = file ? fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)
                            : failed == ENXIO || failed == EISDIR || failed == ELOOP;
    if (other) {
        throw Error(ExitCode::invalid, fmt::format("'{}' is no regular file, and is not read", path), path,
                    "something in this task has made it: remove that");
    }
    if (!file) {
        throw Error::system("open", path, failed);
    }
    return file;
}

/// All lines with one write, so that those of several processes do not mix.
void append(const std::string& folder, std::string_view lines) {
    const std::string path = folder + "/report";
    const UniqueFd file = open_report(path);
    while (!lines.empty()) {
        const ssize_t written = ::write(file.get(), lines.data(), lines.size());
        if (written < 0 && errno != EINTR) {
            throw Error::system("write", path, errno);
        }
        lines.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
}

ExitCode tell(Session& session, std::span<ReportLine> lines) {
    const auto folder = session.services.environment.find("AMP_TASK_DIR");
    if (folder == session.services.environment.end() || folder->second.empty()) {
        session.out.say("this is not a task of amp: nobody was told (AMP_TASK_DIR is not set)");
        return ExitCode::ok;
    }
    std::string text;
    for (ReportLine& line : lines) {
        line.at = session.services.clock.now();
        text += report_line_text(line);
    }
    append(folder->second, text);
    return ExitCode::ok;
}

std::optional<double> parse_number(std::string_view text) {
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number)
                                                                                      : std::nullopt;
}

ReportLine text_line(ReportLine::Kind kind, const std::string& text) {
    ReportLine line;
    line.kind = kind;
    line.text = to_utf8(text);
    return line;
}

}  // namespace

ExitCode execute(Session& session, const MetricCommand& command) {
    std::vector<ReportLine> lines;
    for (const std::string& value : command.values) {
        const std::size_t equals = value.rfind('=');
        const auto number = equals == std::string::npos
                                ? std::nullopt
                                : parse_number(std::string_view(value).substr(equals + 1));
        if (!number || equals == 0) {
            throw usage(fmt::format("'{}' is no NAME=NUMBER", printable(value)),
                        "for instance: amp metric loss=0.31 --step 100");
        }
        if (is_system_metric(value)) {
            throw usage(fmt::format("'{}': names that begin with {} are amp's own", printable(value),
                                    k_system_prefix),
                        "they hold what the task uses of the machine: amp metrics --system");
        }
        if (equals > k_longest_metric_name) {
            throw usage("the name of a metric has at most 256 bytes");
        }
        ReportLine line = text_line(ReportLine::Kind::metric, value.substr(0, equals));
        line.value = *number;
        line.step = command.step;
        lines.push_back(std::move(line));
    }
    return tell(session, lines);
}

ExitCode execute(Session& session, const NoteCommand& command) {
    ReportLine line = text_line(ReportLine::Kind::note, join(command.words, " "));
    if (line.text.empty()) {
        throw usage("the note is empty");
    }
    return tell(session, {&line, 1});
}

ExitCode execute(Session& session, const LinkCommand& command) {
    if (command.title.empty() || command.url.empty()) {
        throw usage("a link has a title and a URL", "for instance: amp link TensorBoard http://gpu1:6006");
    }
    ReportLine line = text_line(ReportLine::Kind::link, command.title);
    line.url = to_utf8(command.url);
    return tell(session, {&line, 1});
}

ExitCode execute(Session& session, const ProgressCommand& command) {
    const bool percent = command.done.ends_with('%');
    const auto number =
        parse_number(std::string_view(command.done).substr(0, command.done.size() - (percent ? 1 : 0)));
    const double done = number.value_or(-1) / (percent ? 100 : 1);
    if (!number || !(done >= 0 && done <= 1)) {
        throw usage(fmt::format("'{}' is no progress", printable(command.done)), "from 0 to 1, or 40%");
    }
    ReportLine line = text_line(ReportLine::Kind::progress, join(command.words, " "));
    line.value = done;
    return tell(session, {&line, 1});
}

}  // namespace amp
