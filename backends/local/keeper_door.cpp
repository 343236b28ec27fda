#include "backends/local/keeper_door.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "backends/local/scratch.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"

namespace amp {
namespace {

using agent::Kind;

constexpr std::size_t k_max_peers = 4096;  // tasks that wait for what they spawned are some
constexpr int k_backlog = 16;

/// A folder of ours alone that is short enough for a socket's path.
std::string socket_folder(std::size_t name_length) {
    const std::size_t room = sizeof(sockaddr_un{}.sun_path) - name_length - sizeof("/amp-4294967295/");
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    struct stat info {};
    if (runtime != nullptr && runtime[0] == '/' && std::strlen(runtime) < room && stat(runtime, &info) == 0 &&
        info.st_uid == getuid()) {
        return private_folder(runtime);
    }
    return private_folder("/tmp");
}

bool is_same_user(int fd) {
    ucred peer{};
    socklen_t length = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == getuid() || peer.uid == 0);
}

}  // namespace

KeeperDoor::KeeperDoor(EventLoop& loop, std::string run, std::string secret, Handlers handlers)
    : loop_(loop), run_(std::move(run)), secret_(std::move(secret)), handlers_(std::move(handlers)) {}

KeeperDoor::~KeeperDoor() {
    if (!path_.empty()) {
        unlink(path_.c_str());
    }
    for (const auto& [fd, peer] : peers_) {
        peer->channel.flush();
        loop_.forget(fd);
    }
    if (listener_) {
        loop_.forget(listener_.get());
    }
}

void KeeperDoor::admit_inherited(UniqueFd socket) {
    admit(std::move(socket), true);
}

void KeeperDoor::admit(UniqueFd socket, bool inherited) {
    const int fd = socket.get();
    auto peer = std::make_shared<Peer>(Peer{agent::Channel(std::move(socket)), inherited});
    loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t) { heard(fd); });
    peers_[fd] = std::move(peer);
}

std::string KeeperDoor::listen() {
    const std::string name = fmt::format("{}-{:06x}.sock", run_, random_bits() & 0xffffff);
    listen_at(socket_folder(name.size()) + "/" + name);
    return path_;
}

void KeeperDoor::listen_again() {
    struct stat info {};
    if (path_.empty() || lstat(path_.c_str(), &info) == 0) {
        return;
    }
    try {
        private_folder(std::filesystem::path(path_).parent_path().parent_path().string());
        listen_at(path_);
    } catch (const Error&) {
        // Who asked for it will ask again.
    }
}

void KeeperDoor::listen_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw Error(ExitCode::infrastructure, fmt::format("'{}' is too long for a socket", path));
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    UniqueFd fresh(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fresh || bind(fresh.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fresh.get(), k_backlog) != 0) {
        throw Error::system("listen at", path, errno);
    }
    if (listener_) {
        loop_.forget(listener_.get());
    }
    listener_ = std::move(fresh);
    path_ = path;
    loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
}

void KeeperDoor::accept_one() {
    UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket && peers_.size() < k_max_peers && is_same_user(socket.get())) {
        admit(std::move(socket), false);
    }
}

agent::Channel* KeeperDoor::driver() {
    const auto found = peers_.find(driver_);
    return found == peers_.end() ? nullptr : &found->second->channel;
}

void KeeperDoor::heard(int fd) {
    const auto peer = peers_.at(fd);  // lives on while it is handled, also when it is dropped meanwhile
    const bool there = peer->channel.receive();
    try {
        while (!peer->leaving && peers_.contains(fd)) {
            const auto frame = peer->channel.next();
            if (!frame) {
                break;
            }
            handle(fd, *peer, *frame);
        }
    } catch (const Error& error) {
        dismiss(fd, *peer, Kind::refused, agent::encode_text("message", error.message()));
    }
    if (!there && peers_.contains(fd)) {
        drop(fd);
    }
}

void KeeperDoor::handle(int fd, Peer& peer, const agent::Frame& frame) {
    const auto kind = static_cast<Kind>(frame.kind);
    if (fd == driver_) {
        handlers_.driver_said(frame);
    } else if (kind == Kind::hello) {
        handle_hello(fd, peer, agent::hello_from(frame.payload));
    } else if (kind == Kind::cancel_run) {
        const agent::CancelRun ask = agent::cancel_run_from(frame.payload);
        if (ask.run != run_) {
            throw Error(ExitCode::mismatch, fmt::format("this keeper is of run {}", run_));
        }
        handlers_.cancel_asked(ask.who);
        dismiss(fd, peer, Kind::accepted, "{}");
    } else if (kind == Kind::enter) {
        const agent::EnterPlace ask = agent::enter_place_from(frame.payload);
        if (ask.run != run_ || ask.secret != secret_) {
            throw Error(ExitCode::mismatch, "wrong run or secret");
        }
        dismiss(fd, peer, Kind::place, agent::encode(handlers_.place_asked(ask.id)));
    } else if (kind == Kind::spawn && handlers_.spawn_asked) {
        handlers_.spawn_asked(fd, frame);
    } else {
        throw Error(ExitCode::mismatch, "say hello first");
    }
}

void KeeperDoor::handle_hello(int fd, Peer& peer, const agent::Hello& hello) {
    if (hello.run != run_ || (!peer.inherited && hello.secret != secret_)) {
        throw Error(ExitCode::mismatch, "wrong run or secret");
    }
    if (agent::has_hung_up(peer.channel)) {
        return;  // it waited too long: whoever came after it stays in charge
    }
    // The same epoch again is the same driver, whose connection was broken.
    const std::uint32_t newest = std::max(epoch_, handlers_.newest_epoch());
    if (hello.epoch < newest) {
        dismiss(fd, peer, Kind::fenced, agent::encode_number("epoch", newest));
        handlers_.driver_missed();
        return;
    }
    epoch_ = hello.epoch;
    const int earlier = std::exchange(driver_, fd);
    if (const auto found = peers_.find(earlier); found != peers_.end()) {
        dismiss(earlier, *found->second, Kind::fenced, agent::encode_number("epoch", epoch_));
    }
    peer.channel.send(Kind::welcome, agent::encode(handlers_.driver_came(epoch_)));
}

void KeeperDoor::dismiss(int fd, Peer& peer, Kind kind, const std::string& payload) {
    peer.leaving = true;
    peer.channel.send(kind, payload);
    if (fd == driver_) {
        driver_ = -1;
        handlers_.driver_left();
    }
}

void KeeperDoor::flush() {
    std::vector<int> gone;
    for (const auto& [fd, peer] : peers_) {
        if (!flush_peer(fd, *peer) || peer->leaving) {
            gone.push_back(fd);
        }
    }
    for (const int fd : gone) {
        drop(fd);
    }
}

bool KeeperDoor::flush_peer(int fd, Peer& peer) {
    if (!peer.channel.has_unsent()) {
        return true;
    }
    if (!peer.channel.flush()) {
        return false;
    }
    if (peer.waits_for_room != peer.channel.has_unsent()) {
        peer.waits_for_room = peer.channel.has_unsent();
        loop_.change(fd, peer.waits_for_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return true;
}

void KeeperDoor::tell(int peer, Kind kind, const std::string& payload, bool last) {
    if (const auto found = peers_.find(peer); found != peers_.end()) {
        found->second->channel.send(kind, payload);
        found->second->leaving = found->second->leaving || last;
    }
}

void KeeperDoor::drop(int fd) {
    loop_.forget(fd);
    const auto gone = peers_.extract(fd);
    if (!gone.empty() && gone.mapped()->inherited && fd != driver_) {
        handlers_.driver_missed();
    }
    if (handlers_.peer_left) {
        handlers_.peer_left(fd);
    }
    if (fd == driver_) {
        driver_ = -1;
        handlers_.driver_left();
    }
}

}  // namespace amp
