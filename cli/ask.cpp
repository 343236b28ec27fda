#include "cli/ask.hpp"

#include <unistd.h>

#include <cerrno>

#include "cli/session.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

/// A line of the terminal; what it is when that is closed, or Ctrl-D was typed.
std::string read_answer() {
    constexpr std::size_t k_longest = 1024;
    std::string line;
    char next = 0;
    while (line.size() < k_longest) {
        const ssize_t size = ::read(STDIN_FILENO, &next, 1);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0 || next == '\n') {
            break;
        }
        line += next;
    }
    return line;
}

}  // namespace

std::string hanging_place(const Session& session) {
    const Presentation& presentation = session.out.presentation();
    const bool notebook = presentation.progress == Presentation::Progress::notebook ||
                          is_notebook(session.services.environment, false);
    return notebook ? "a notebook" : presentation.ci ? "CI" : "";
}

bool can_ask(const Session& session) {
    return !session.common.no_input && hanging_place(session).empty() && isatty(STDIN_FILENO) == 1 &&
           isatty(STDERR_FILENO) == 1;
}

void confirm(const Session& session, const std::string& question) {
    if (!can_ask(session)) {
        return;
    }
    session.out.flush();
    session.out.draw(session.out.worded(question + " [y/N] "));
    const std::string answer = lower(trim(read_answer()));
    if (answer != "y" && answer != "yes") {
        throw Error(ExitCode::interrupted, "nothing was removed", "", "--yes asks no question");
    }
}

}  // namespace amp
