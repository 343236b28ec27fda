#include "backends/ssh/ssh_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "core/base/hex.hpp"
#include "core/base/text.hpp"

namespace amp::ssh {
namespace {

constexpr std::size_t k_most_noise = std::size_t{64} << 10;
constexpr std::size_t k_most_line = 4096;
constexpr std::size_t k_most_words = 400;

// All in one line without single quotes, exclamation marks and backslashes, so that sh, csh and fish pass it
// on as it is.

/// Where amp is to lie: $r as the profile has it.
constexpr std::string_view k_root =
    R"sh(u=$(id -u); )sh"
    R"sh(case "$r" in "") r="$HOME/.cache/amp";; "~") r="$HOME";; "~/"*) r="$HOME/${r#"~/"}";; /*) ;; *) r="$HOME/$r";; esac; )sh";

/// Programs lie only in folders that are ours alone: anybody can make one in /tmp, or in a root that others
/// may write to. That itself is as the user has it.
constexpr std::string_view k_places =
    R"sh(ours() { [ -d "$1" ] || { mkdir -p "$1" && chmod 700 "$1"; } 2>/dev/null || return 1; [ "$1" = "$r" ] && return 0; )sh"
    R"sh([ -h "$1" ] && return 1; set -- $(ls -ldn "$1"); case "$1" in drwx--[-S]---*) [ "$3" = "$u" ];; *) return 1;; esac; }; )sh"
    R"sh(x=$XDG_RUNTIME_DIR; [ -n "$x" ] && [ -d "$x" ] && ours "$x" && x="$x/amp" || x=; )sh";

constexpr std::string_view k_introduction =
    R"sh(IFS= read -r m && IFS= read -r h && IFS= read -r n && IFS= read -r r || exit 97; )sh"
    R"sh(f() { echo "$m failed $*"; exit 98; }; umask 077; )sh"
    R"sh(go() { echo "$m run $1"; exec "$1/bin/$h/amp" agent --stdio --root "$r"; f "$1/bin/$h/amp cannot be executed"; }; )sh";

// Is this program there, and does it start? Else, in the first folder where programs may be executed (a file
// without #! is a script for the shell that starts it), its bytes, whole, with the right hash and on the
// disk, and its name only then: a power cut may leave a name with no bytes, which is a script that does
// nothing, successfully.
constexpr std::string_view k_bring =
    R"sh(ours "$r" || f "the folder $r cannot be made"; )sh"
    R"sh(for d in "$r" "$x" "/dev/shm/amp-$u" "/tmp/amp-$u"; do ours "$d" && ours "$d/bin" || continue; )sh"
    R"sh([ -x "$d/bin/$h/amp" ] && k=$(wc -c <"$d/bin/$h/amp") && [ "$k" -eq "$n" ] && "$d/bin/$h/amp" --version >/dev/null 2>&1 && go "$d"; )sh"
    R"sh(b="$d/bin/$h"; mkdir -p "$b" 2>/dev/null || continue; t="$b/new.$$"; echo "exit 0" >"$t" && chmod 700 "$t" || continue; )sh"
    R"sh("$t" 2>/dev/null || { rm -f "$t"; continue; }; )sh"
    R"sh(echo "$m push $(uname -sm)"; head -c "$n" >"$t" || { rm -f "$t"; f "there is no room for amp in $b"; }; )sh"
    R"sh(k=$(wc -c <"$t"); [ "$k" -eq "$n" ] || { rm -f "$t"; f "only $k of $n bytes of amp came to $b"; }; )sh"
    R"sh(s=$( (sha256sum <"$t" || shasum -a 256 <"$t") 2>/dev/null | cut -c1-64); )sh"
    R"sh([ -z "$s" ] || [ "$s" = "$h" ] || { rm -f "$t"; f "other bytes of amp came to $b"; }; )sh"
    R"sh(chmod 700 "$t" && e=$("$t" --version 2>&1) || { rm -f "$t"; f "amp does not start there: $e"; }; )sh"
    R"sh(sync "$t" 2>/dev/null || sync; mv -f "$t" "$b/amp" || f "$b/amp cannot be made"; go "$d"; done; )sh"
    R"sh(f "there is no folder where amp may be executed (tried $r, ${x:+$x, }/dev/shm, /tmp)")sh";

/// Given: the root, the hash of our program, and what that is to enter.
constexpr std::string_view k_enter =
    R"sh(for d in "$r" "$x" "/dev/shm/amp-$u" "/tmp/amp-$u"; do a="$d/bin/$2/amp"; )sh"
    R"sh([ -x "$a" ] && ours "$d" && ours "$d/bin" && "$a" --version >/dev/null 2>&1 && exec "$a" enter-place "$r" "$3"; done; )sh"
    R"sh(echo "error: this version of amp does not lie there: another one holds the place" >&2; )sh"
    R"sh(echo "help: enter it with the version of amp that drives the run" >&2; exit 7)sh";

constexpr std::string_view k_unsafe = "'!\\\n";  // for some login shell there, also within quotes
constexpr std::string_view k_safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@:%[]+";

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// `ssh` with all that must hold whatever the user's configuration says, and what it is to do there.
std::vector<std::string> ssh_words(const char* terminal, std::initializer_list<const char*> options,
                                   const std::string& host, const std::string& command) {
    std::vector<std::string> words = {"ssh", terminal, "-a", "-x"};
    for (const char* option : {"ClearAllForwardings=yes", "PermitLocalCommand=no", "ControlMaster=no",
                               "ServerAliveInterval=15", "ServerAliveCountMax=4", "ConnectTimeout=15"}) {
        words.insert(words.end(), {"-o", option});
    }
    for (const char* option : options) {
        words.insert(words.end(), {"-o", option});
    }
    words.insert(words.end(), {"--", host, command});
    return words;
}

}  // namespace

std::string host_mistake(std::string_view host) {
    if (host.empty()) {
        return "a profile with backend = \"ssh\" needs host, the machine as ssh knows it";
    }
    if (host.front() == '-' || host.find_first_not_of(k_safe) != std::string_view::npos) {
        return fmt::format("'{}' cannot be a host", host);
    }
    return {};
}

std::vector<std::string> arguments(const std::string& host) {
    return ssh_words("-T", {"BatchMode=yes", "RequestTTY=no"}, host, remote_command());
}

std::string remote_command() {
    return fmt::format("exec /bin/sh -c '{}{}{}{}'", k_introduction, k_root, k_places, k_bring);
}

std::vector<std::string> shell_arguments(const std::string& host, const std::string& root,
                                         const std::string& binary, const std::string& request,
                                         bool terminal) {
    if (root.find_first_of(k_unsafe) != std::string::npos) {
        throw Error(ExitCode::invalid,
                    fmt::format("the root '{}' cannot be told to a shell", printable(root)), host,
                    "name a folder without quotes, exclamation marks and backslashes");
    }
    const std::string command = fmt::format("exec /bin/sh -c 'r=$1; {}{}{}' amp '{}' {} {}", k_root, k_places,
                                            k_enter, root, binary, to_hex(request));
    // What else it says would stand among what the shell says.
    return terminal ? ssh_words("-t", {"LogLevel=ERROR"}, host, command)
                    : ssh_words("-T", {"LogLevel=ERROR", "BatchMode=yes"}, host, command);
}

std::string encode(const Introduction& introduction) {
    return fmt::format("{}\n{}\n{}\n{}\n", introduction.marker, introduction.binary, introduction.size_bytes,
                       introduction.root);
}

void AnswerReader::feed(std::string_view bytes) {
    buffer_ += bytes;
    if (buffer_.size() > 2 * k_most_noise && buffer_.find(marker_) == std::string::npos) {
        buffer_.erase(0, buffer_.size() - k_most_noise);
    }
}

std::optional<Answer> AnswerReader::next() {
    const std::size_t at = buffer_.find(marker_);
    const std::size_t end = at == std::string::npos ? at : buffer_.find('\n', at);
    if (end == std::string::npos) {
        if (at != std::string::npos && buffer_.size() - at > k_most_line) {
            throw Error(ExitCode::mismatch, "the other machine's shell answers with nonsense");
        }
        return std::nullopt;
    }
    const std::string line = buffer_.substr(at + marker_.size(), end - at - marker_.size());
    buffer_.erase(0, end + 1);
    const std::array<std::pair<std::string_view, Answer::Kind>, 3> kinds = {
        {{" push ", Answer::Kind::push}, {" run ", Answer::Kind::run}, {" failed ", Answer::Kind::failed}}};
    for (const auto& kind : kinds) {
        if (line.starts_with(kind.first)) {
            return Answer{kind.second, line.substr(kind.first.size())};
        }
    }
    throw Error(ExitCode::mismatch, "the other machine's shell answers with nonsense");
}

// It tells the reason last; what was printed before may be a banner, which has no end to be known by.
std::string last_words(std::string_view stderr_text) {
    std::string words;
    for (const std::string_view line : split(stderr_text, '\n')) {
        const std::string_view text = line.substr(0, line.find_last_not_of(" \r\t") + 1);
        const bool consequence =  // of what was said before
            text.starts_with("Connection closed by") || text.starts_with("Connection to ") ||
            text.starts_with("kex_exchange_identification:") || text.starts_with("stdio forwarding failed");
        if (!text.empty() && (!consequence || words.empty())) {
            words = std::string(text);
        }
    }
    return words.substr(0, k_most_words);
}

Error contact_error(const std::string& host, std::string_view stderr_text) {
    const std::string words = last_words(stderr_text);
    const std::string quoted = words.empty() ? std::string("ssh ended without a word") : words;
    if (has(stderr_text, "REMOTE HOST IDENTIFICATION HAS CHANGED")) {
        return {ExitCode::authentication,
                fmt::format("the host key of {} is not the one that is known: {}", host, quoted), host,
                "ask its administrator whether the key was replaced; if so, remove the old one with "
                "`ssh-keygen -R`"};
    }
    if (has(stderr_text, "Host key verification failed")) {
        return {ExitCode::authentication, fmt::format("the host key of {} is not known: {}", host, quoted),
                host, fmt::format("`ssh {}` shows it, and asks whether it is right", host)};
    }
    if (has(stderr_text, "Permission denied") || has(stderr_text, "Too many authentication failures")) {
        return {
            ExitCode::authentication, fmt::format("{} does not let us in: {}", host, quoted), host,
            fmt::format("`ssh {} true` must work without a question: load your key into the agent (ssh-add)",
                        host)};
    }
    return {ExitCode::infrastructure, fmt::format("{} cannot be reached: {}", host, quoted), host,
            fmt::format("try `ssh {} true`", host)};
}

}  // namespace amp::ssh
