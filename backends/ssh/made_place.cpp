#include "backends/ssh/made_place.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <csignal>

#include "backends/system/at_terminal.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"

namespace amp {
namespace {

constexpr int k_made = 86;  // what it fails with
constexpr double k_hold_s = 86'400;
constexpr int k_slice_ms = 1000;

/// Does nothing but fail. Its own words stay behind it, for $AMP_COMMAND.
std::vector<LateText> failing_words() {
    std::vector<LateText> words;
    for (const std::string& word :
         {std::string("/bin/sh"), std::string("-c"), fmt::format("exit {}", k_made), std::string("amp")}) {
        words.push_back({{Piece::Kind::text, word}});
    }
    return words;
}

TaskSpec made_to_fail(TaskSpec spec) {
    std::vector<LateText> words = failing_words();
    words.insert(words.end(), spec.argv.begin(), spec.argv.end());
    spec.argv = std::move(words);
    spec.hold_s = k_hold_s;
    if (spec.token.empty()) {
        spec.token = make_token();
    }
    return spec;
}

}  // namespace

MadePlace::MadePlace(ObjectStore& objects, AppendFiles& files, SshBackendOptions options, TaskSpec spec,
                     const std::function<void(const std::string&)>& tell)
    : host_(options.host), id_{spec.task, spec.attempt}, backend_(objects, files, std::move(options)) {
    backend_.adopt();
    backend_.open();
    const std::array<TaskSpec, 1> specs = {made_to_fail(std::move(spec))};
    backend_.submit(specs);
    try {
        wait(tell);
    } catch (const Error&) {
        let_go();
        throw;
    }
}

MadePlace::~MadePlace() {
    let_go();
}

void MadePlace::let_go() {
    try {
        const std::array<AttemptId, 1> ids = {id_};
        backend_.cancel(ids);
        backend_.close();
    } catch (const Error&) {
        // Then the keeper there lets go of it, after a while without us.
    }
}

std::size_t MadePlace::words_before() {
    return failing_words().size();
}

bool MadePlace::is_made(const BackendEvent& event,
                        const std::function<void(const std::string&)>& tell) const {
    if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
        if (ended->result.cause == Cause::user && ended->result.exit == k_made) {
            return true;
        }
        throw Error(ExitCode::infrastructure,
                    fmt::format("the place cannot be made on {}: {}", host_, ended->result.message), host_);
    }
    if (const auto* queued = std::get_if<AttemptQueued>(&event)) {
        throw Error(ExitCode::busy,
                    fmt::format("the place cannot be had on {} now: {}", host_, queued->reason), host_);
    }
    if (const auto* lost = std::get_if<BackendLost>(&event)) {
        throw Error(ExitCode::infrastructure,
                    fmt::format("the place cannot be made on {}: {}", host_, lost->reason), host_);
    }
    if (const auto* note = std::get_if<BackendNote>(&event)) {
        tell(note->text);
    }
    return false;
}

void MadePlace::wait(const std::function<void(const std::string&)>& tell) {
    ForegroundSignals signals;
    for (bool made = false; !made;) {
        std::array<pollfd, 2> ready = {{{backend_.event_fd(), POLLIN, 0}, {signals.fd(), POLLIN, 0}}};
        poll(ready.data(), ready.size(), k_slice_ms);
        for (int signal = signals.take(); signal != 0; signal = signals.take()) {
            if (signal != SIGCHLD) {
                throw Error(ExitCode::interrupted, "interrupted");
            }
        }
        for (const BackendEvent& event : backend_.events()) {
            made = is_made(event, tell) || made;
        }
    }
}

void MadePlace::keep() {
    for (const BackendEvent& event : backend_.events()) {
        if (const auto* lost = std::get_if<BackendLost>(&event)) {
            throw Error(ExitCode::infrastructure,
                        fmt::format("the place on {} is gone: {}", host_, lost->reason), host_);
        }
    }
}

}  // namespace amp
