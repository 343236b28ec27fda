#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"

/// The pure parts of talking to another machine's shell.
namespace amp::ssh {

/// Why a text cannot be a host (as `ssh` takes it: HOST, USER@HOST, or a name of the user's ssh_config);
/// empty: it can. Nothing that ssh would take as an option, or that a shell would take apart, is one.
std::string host_mistake(std::string_view host);

/// `ssh` with all that must hold whatever the user's configuration says; all else is left to that.
std::vector<std::string> arguments(const std::string& host);

/// What the login shell there is given: a word for any shell (sh, csh, fish), the same at all times. What it
/// needs to know it reads from its standard input.
std::string remote_command();

/// `ssh` for somebody who enters a place there: `amp enter-place ROOT REQUEST` (in hexadecimal digits), by
/// the program of that hash, which must lie there.
/// @param terminal there is one there, which is ours; else there are three streams
/// @throws Error(invalid) for a root that some shell would change
std::vector<std::string> shell_arguments(const std::string& host, const std::string& root,
                                         const std::string& binary, const std::string& request,
                                         bool terminal);

/// What the script reads first.
struct Introduction {
    std::string marker;  ///< stands before each of its answers: 32 hexadecimal digits by chance
    std::string binary;  ///< SHA-256 of our program
    std::uint64_t size_bytes = 0;
    std::string root;  ///< as the profile has it; empty: the default
};
std::string encode(const Introduction& introduction);

/// An answer of the script: the line behind the marker.
struct Answer {
    enum class Kind {
        push,   ///< wants the program's bytes; `text` is `uname -sm`
        run,    ///< the agent's frames follow; `text` is the folder of the program
        failed  ///< `text` says why
    };
    Kind kind = Kind::failed;
    std::string text;
};

/// Finds answers in what comes, whatever shells, banners and profiles print around them.
class AnswerReader {
  public:
    explicit AnswerReader(std::string marker) : marker_(std::move(marker)) {}

    void feed(std::string_view bytes);
    /// @throws Error(mismatch) when the line behind the marker is none
    std::optional<Answer> next();
    /// What came behind the last answer.
    std::string rest() { return std::exchange(buffer_, {}); }

  private:
    std::string marker_;
    std::string buffer_;
};

/// What ssh has said before it ended, in a line: without the banner and the like.
std::string last_words(std::string_view stderr_text);
/// The error of a connection that could not be made.
Error contact_error(const std::string& host, std::string_view stderr_text);

}  // namespace amp::ssh
