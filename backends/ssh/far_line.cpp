#include "backends/ssh/far_line.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>

#include "backends/ssh/own_binary.hpp"
#include "backends/system/child.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/fd_io.hpp"
#include "core/base/ids.hpp"

namespace amp {
namespace {

constexpr std::size_t k_piece = std::size_t{256} << 10;
constexpr std::size_t k_read_at_once = std::size_t{1} << 20;  // what comes without an end must not keep us
constexpr std::size_t k_most_words = std::size_t{16} << 10;
constexpr double k_last_word_s = 2;
constexpr int k_leave_ms = 1000;

const std::string& own_hash() {
    static const std::string hash = own_binary_hash();  // of the program that runs: it cannot change
    return hash;
}

std::string system_and_machine() {
    utsname name{};
    uname(&name);
    return fmt::format("{} {}", name.sysname, name.machine);
}

}  // namespace

FarLine::FarLine(FarLineOptions options)
    : options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      moved_at_(steady_now()),
      hung_up_until_(HUGE_VAL) {
    if (!epoll_) {
        throw Error::system("create", "an epoll", errno);
    }
    start();
}

FarLine::~FarLine() {
    if (!child_) {
        return;
    }
    channel_.reset();
    socket_.reset();
    pollfd ended{child_->pidfd(), POLLIN, 0};
    if (poll(&ended, 1, state_ == State::up ? k_leave_ms : 0) > 0) {
        child_->has_ended(true);
    }
}

void FarLine::watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0 &&
        epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
        throw Error::system("watch", "a connection", errno);
    }
}

void FarLine::start() {
    std::array<int, 2> ends{};
    std::array<int, 2> errors{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw Error::system("create", "a socket pair", errno);
    }
    socket_ = UniqueFd(ends[0]);
    const UniqueFd theirs(ends[1]);
    if (pipe2(errors.data(), O_CLOEXEC) != 0) {
        throw Error::system("create", "a pipe", errno);
    }
    stderr_ = UniqueFd(errors[0]);
    const UniqueFd their_stderr(errors[1]);
    fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
    fcntl(stderr_.get(), F_SETFL, O_NONBLOCK);
    if (options_.bootstraps) {
        program_ = open_at(AT_FDCWD, k_own_program, O_RDONLY);
        if (!program_) {
            throw Error::system("cannot open", k_own_program, errno);
        }
        const std::string marker = fmt::format("{:016x}{:016x}", random_bits(), random_bits());
        answers_.emplace(marker);
        outgoing_ =
            ssh::encode({marker, own_hash(), std::filesystem::file_size(k_own_program), options_.root});
    }
    const std::string program = installed_program(options_.command.front(), "/");
    child_ = std::make_unique<Child>(ChildRequest{.program = program,
                                                  .words = options_.command,
                                                  .input = theirs.get(),
                                                  .output = theirs.get(),
                                                  .error = their_stderr.get()});
    if (child_->pidfd() < 0) {
        throw Error(ExitCode::infrastructure,
                    fmt::format("the end of '{}' cannot be watched for", options_.command.front()));
    }
    watch(child_->pidfd(), EPOLLIN);
    watch(stderr_.get(), EPOLLIN);
    watch(socket_.get(), EPOLLIN);
    if (!options_.bootstraps) {
        channel_.emplace(std::move(socket_));
        state_ = State::up;
    }
    push();
}

void FarLine::want_room(bool wants) {
    if (wants != watches_room_) {
        watches_room_ = wants;
        watch(channel_ ? channel_->fd() : socket_.get(), wants ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

void FarLine::work() {
    if (state_ == State::down) {
        return;
    }
    read_stderr();
    if (state_ == State::starting || state_ == State::pushing) {
        push();
        read_answers();
    }
    look_for_end();
}

void FarLine::flush(bool more) {
    if (!channel_->flush()) {
        hang_up();
    }
    if (std::isinf(hung_up_until_)) {
        want_room(more || channel_->has_unsent());
    }
}

/// The introduction, and then the program.
void FarLine::push() {
    while (state_ != State::up && socket_) {
        if (outgoing_.empty() && state_ == State::pushing) {
            outgoing_ = read_at(program_.get(), pushed_, k_piece, k_own_program);
            pushed_ += outgoing_.size();
        }
        if (outgoing_.empty()) {
            break;
        }
        const ssize_t n = send(socket_.get(), outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            break;  // no room yet, or an end of which reading tells
        }
        outgoing_.erase(0, static_cast<std::size_t>(n));
        moved_at_ = steady_now();
    }
    if (state_ != State::up && socket_ && std::isinf(hung_up_until_)) {
        want_room(!outgoing_.empty());
    }
}

void FarLine::read_answers() {
    std::array<char, 16384> buffer{};
    std::size_t came = 0;
    while (socket_ && std::isinf(hung_up_until_) && came < k_read_at_once) {
        const ssize_t n = recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        }
        if (n <= 0) {
            hang_up();
            break;
        }
        came += static_cast<std::size_t>(n);
        answers_->feed({buffer.data(), static_cast<std::size_t>(n)});
    }
    try {
        while (const auto answer = answers_->next()) {
            obey(*answer);
            if (state_ == State::up || state_ == State::down) {
                return;
            }
        }
    } catch (const Error& error) {
        fail(error);
    }
}

void FarLine::obey(const ssh::Answer& answer) {
    moved_at_ = steady_now();
    switch (answer.kind) {
        case ssh::Answer::Kind::push:
            if (answer.text != system_and_machine()) {
                fail(
                    Error(ExitCode::invalid,
                          fmt::format("{} is a machine of another kind ({}) than this one ({}), and this amp "
                                      "does not run there",
                                      options_.host, answer.text, system_and_machine()),
                          options_.host, "run amp on a machine of that kind"));
                return;
            }
            state_ = State::pushing;
            pushed_ = 0;
            push();
            break;
        case ssh::Answer::Kind::run:
            folder_ = answer.text;
            program_.reset();
            want_room(false);
            channel_.emplace(std::move(socket_), answers_->rest());
            state_ = State::up;
            break;
        case ssh::Answer::Kind::failed:
            fail(Error(ExitCode::infrastructure,
                       fmt::format("amp cannot be started on {}: {}", options_.host, answer.text),
                       options_.host));
            break;
    }
}

void FarLine::heard() {
    moved_at_ = steady_now();
}

void FarLine::hang_up() {
    if (std::isinf(hung_up_until_)) {
        hung_up_until_ = steady_now() + k_last_word_s;
        const int fd = channel_ ? channel_->fd() : socket_.get();
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    }
}

void FarLine::read_stderr() {
    std::array<char, 4096> buffer{};
    std::size_t came = 0;
    while (stderr_ && came < k_read_at_once) {
        const ssize_t n = read(stderr_.get(), buffer.data(), buffer.size());
        if (n < 0 && (errno == EINTR)) {
            continue;
        }
        if (n < 0) {
            return;
        }
        if (n == 0) {
            stderr_.reset();
            return;
        }
        came += static_cast<std::size_t>(n);
        stderr_text_.append(buffer.data(), static_cast<std::size_t>(n));
        if (stderr_text_.size() > k_most_words) {
            stderr_text_.erase(0, stderr_text_.size() - k_most_words);
        }
    }
}

// What it has written before its end may still be read, by whoever has the channel.
void FarLine::look_for_end() {
    if (!child_) {
        return;
    }
    const bool late = steady_now() > hung_up_until_;
    if (late) {
        child_->kill_group();
    }
    if (child_->has_ended(late)) {
        child_.reset();
        ended_by_itself_ = true;
        read_stderr();
        end(ssh::contact_error(options_.host, stderr_text_));
    }
}

void FarLine::fail(const Error& why) {
    child_.reset();
    end(why);
}

void FarLine::end(const Error& why) {
    if (state_ != State::down) {
        state_ = State::down;
        why_ = why;
    }
}

}  // namespace amp
