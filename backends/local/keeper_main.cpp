#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "backends/local/keeper.hpp"
#include "backends/local/keeper_options.hpp"
#include "backends/system/directory_store.hpp"
#include "backends/system/local_append_files.hpp"
#include "core/base/error.hpp"

namespace amp {
namespace {

/// Keeps 0, 1, 2 and the channel, which becomes 3: whatever else the driver had open is none of ours, nor our
/// tasks'.
UniqueFd keep_channel_alone(int channel) {
    constexpr int k_place = 3;
    if (channel != k_place && dup2(channel, k_place) < 0) {
        throw Error::system("use", "the channel", errno);
    }
    if (syscall(SYS_close_range, 4U, ~0U, 0U) != 0) {
        const auto last = static_cast<int>(sysconf(_SC_OPEN_MAX));
        for (int fd = k_place + 1; fd < last; ++fd) {
            close(fd);
        }
    }
    fcntl(k_place, F_SETFD, FD_CLOEXEC);
    return UniqueFd(k_place);
}

/// A terminal's Ctrl-C and hang-up are for the driver; all our own signals come through a descriptor.
UniqueFd take_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);  // of those who cannot reach our socket
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;  // a caller may have ignored SIGCHLD, and then there is nothing to reap
    sigaction(SIGCHLD, &standard, nullptr);
    sigaction(SIGTERM, &standard, nullptr);
    sigaction(SIGHUP, &standard, nullptr);
    for (const int ignored : {SIGINT, SIGPIPE, SIGQUIT}) {
        struct sigaction action {};
        action.sa_handler = SIG_IGN;
        sigaction(ignored, &action, nullptr);
    }
    UniqueFd signals(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals) {
        throw Error::system("create", "a signalfd", errno);
    }
    return signals;
}

void leave_the_session() {
    setsid();  // fails when we lead one already
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    rlimit cores{};
    if (getrlimit(RLIMIT_CORE, &cores) == 0) {
        cores.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &cores);
    }
    if (chdir("/") != 0) {
        throw Error::system("enter", "/", errno);
    }
}

void refuse(UniqueFd channel, const std::string& message, ExitCode code) {
    if (!channel) {  // it served already: its log and its silence tell
        return;
    }
    agent::Channel driver(std::move(channel));
    driver.send(agent::Kind::refused, agent::encode_refusal(message, code));
    driver.flush();
}

}  // namespace

int keeper_main(const KeeperOptions& options) {
    UniqueFd channel = keep_channel_alone(options.channel_fd);
    UniqueFd for_refusal(fcntl(channel.get(), F_DUPFD_CLOEXEC, 0));
    try {
        leave_the_session();
        const UniqueFd signals = take_signals();
        const std::string binary = own_binary();
        DirectoryStore objects(options.store_dir);
        LocalAppendFiles files(options.store_dir);
        Keeper keeper(options, binary, objects, files, std::move(channel));
        for_refusal.reset();
        keeper.run(signals.get());
        return 0;
    } catch (const Error& error) {
        refuse(std::move(for_refusal), error.message(), error.code());
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        refuse(std::move(for_refusal), error.what(), ExitCode::infrastructure);
        return static_cast<int>(ExitCode::bug);
    }
}

}  // namespace amp
