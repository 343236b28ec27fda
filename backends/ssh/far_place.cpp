#include "backends/ssh/far_place.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "backends/local/foreground.hpp"
#include "backends/local/held_place.hpp"
#include "backends/local/keeper_contact.hpp"
#include "backends/system/directory_store.hpp"
#include "backends/system/local_append_files.hpp"
#include "core/base/error.hpp"
#include "core/base/hex.hpp"
#include "core/base/json.hpp"
#include "core/task/shell_place.hpp"

namespace amp {
namespace {

constexpr int k_of_ssh = 255;
constexpr int k_by_signal = 128;

std::string own_shell() {
    const char* shell = std::getenv("SHELL");
    return shell == nullptr || *shell == '\0' ? "/bin/sh" : shell;
}

/// Without a terminal nothing else tells that whoever asked for it has gone.
void check_connection() {
    pollfd out{STDOUT_FILENO, 0, 0};
    if (poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0) {
        throw Error(ExitCode::interrupted, "the connection is gone");
    }
}

/// Tasks that run elsewhere inherit next to nothing; who is inside has a terminal all the same.
void tell_terminal(TaskSpec& spec) {
    for (const std::string& entry : entries_of_terminal()) {
        const std::size_t end = entry.find('=');
        const std::string name = entry.substr(0, end);
        const bool known = std::any_of(spec.env.begin(), spec.env.end(),
                                       [&name](const auto& variable) { return variable.first == name; });
        if (!known) {
            spec.env.emplace_back(name, LateText{{Piece::Kind::text, entry.substr(end + 1)}});
        }
    }
}

AttemptResult enter(const std::string& root, const PlaceRequest& request) {
    const std::string folder = root + "/store";
    std::error_code unknown;
    std::optional<agent::OpenPlace> place;
    if (std::filesystem::is_directory(folder, unknown)) {
        LocalAppendFiles files(folder);
        place = ask_keeper_for_place(files, request.run, request.id);
    }
    if (!place) {
        throw Error(
            ExitCode::not_found,
            fmt::format("no place of {}/{} is held there any more", request.run, request.id.task.text()),
            request.run, "its time is over, or its keeper has died; `amp show` tells of the run");
    }
    DirectoryStore objects(folder);
    LocalAppendFiles files(folder);
    auto& words = place->spec.argv;
    words.erase(words.begin(),
                words.begin() + static_cast<std::ptrdiff_t>(std::min(words.size(), request.words_before)));
    tell_terminal(place->spec);
    become_shell(place->spec, place->folder, request.command);
    return run_in_foreground({place->spec, place->folder, own_shell(), place->secrets,
                              [](std::string_view) { check_connection(); }, folder, objects, files});
}

}  // namespace

std::string encode(const PlaceRequest& request) {
    return json::dump_record(Object{{"run", request.run},
                                    {"task", request.id.task.text()},
                                    {"attempt", std::int64_t{request.id.attempt}},
                                    {"command", request.command},
                                    {"marker", request.marker},
                                    {"words_before", static_cast<std::int64_t>(request.words_before)}});
}

PlaceRequest place_request_from(std::string_view text) {
    const Value value = json::parse_record(text, "a request");
    return {get_string(value, "run"),
            {TaskName::parse(get_string(value, "task")),
             static_cast<std::uint32_t>(get_int(value, "attempt", 1))},
            get_string(value, "command"),
            get_string(value, "marker"),
            static_cast<std::size_t>(get_int(value, "words_before"))};
}

int enter_place_main(const std::vector<std::string>& arguments) {
    if (arguments.size() != 2 || !arguments.front().starts_with('/')) {
        throw Error(ExitCode::usage, "a place is entered by amp itself: amp enter-place ROOT REQUEST");
    }
    const PlaceRequest request = place_request_from(from_hex(arguments.back()));
    const AttemptResult result = enter(arguments.front(), request);
    if (result.exit < 0 && result.signal == 0) {
        throw Error(ExitCode::infrastructure, "the shell cannot be started: " + result.message);
    }
    const int exit = result.signal != 0 ? k_by_signal + result.signal : result.exit;
    if (exit == k_of_ssh && !request.marker.empty()) {
        [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, request.marker.data(), request.marker.size());
    }
    return exit;
}

}  // namespace amp
