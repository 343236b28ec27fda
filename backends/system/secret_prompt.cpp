#include "backends/system/secret_prompt.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "backends/system/fd_io.hpp"
#include "core/base/error.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

constexpr const char* k_place = "/dev/tty";
constexpr std::size_t k_longest = std::size_t{64} << 10;
constexpr char k_interrupt = 3;
constexpr char k_end = 4;
constexpr char k_backspace = 8;
constexpr char k_erase_line = 21;
constexpr char k_delete = 127;

/// A terminal that gives each key as it is pressed and shows none, until the end of the scope. Keys that
/// would be signals are read as keys: nobody but us is to decide what they mean here.
class QuietTerminal {
  public:
    explicit QuietTerminal(int terminal) : terminal_(terminal) {
        if (tcgetattr(terminal_, &before_) != 0) {
            throw Error::system("cannot ask at", k_place, errno);
        }
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        quiet.c_cc[VMIN] = 1;
        quiet.c_cc[VTIME] = 0;
        tcsetattr(terminal_, TCSAFLUSH, &quiet);
    }
    ~QuietTerminal() { tcsetattr(terminal_, TCSAFLUSH, &before_); }
    QuietTerminal(const QuietTerminal&) = delete;
    QuietTerminal& operator=(const QuietTerminal&) = delete;

  private:
    int terminal_;
    termios before_{};
};

char read_key(int terminal) {
    char key = 0;
    ssize_t n = 0;
    do {
        n = read(terminal, &key, 1);
    } while (n < 0 && errno == EINTR);
    if (n <= 0 || key == k_end) {
        throw Error(ExitCode::terminated, "the terminal was closed before a secret was given");
    }
    if (key == k_interrupt) {
        throw Error(ExitCode::interrupted, "interrupted: nothing was started");
    }
    return key;
}

/// The last character, of however many bytes in UTF-8.
void erase_last(std::string& line) {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0U) == 0x80U) {
        line.pop_back();
    }
    if (!line.empty()) {
        line.pop_back();
    }
}

std::string read_line(int terminal) {
    std::string line;
    for (char key = read_key(terminal); key != '\n' && key != '\r'; key = read_key(terminal)) {
        if (key == k_delete || key == k_backspace) {
            erase_last(line);
        } else if (key == k_erase_line) {
            line.clear();
        } else if (line.size() <= k_longest) {
            line += key;
        }
    }
    return line;
}

}  // namespace

std::optional<std::string> prompt_for_secret(std::string_view question) {
    if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) {
        return std::nullopt;
    }
    const UniqueFd terminal(open(k_place, O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal || tcgetpgrp(terminal.get()) != getpgrp()) {
        return std::nullopt;
    }
    const QuietTerminal quiet(terminal.get());
    write_all(terminal.get(), question, k_place);
    std::string line = read_line(terminal.get());
    write_all(terminal.get(), "\r\n", k_place);
    return line;
}

}  // namespace amp
