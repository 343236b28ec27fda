#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "backends/agent/channel.hpp"
#include "backends/agent/messages.hpp"
#include "backends/system/event_loop.hpp"

namespace amp {

/// Who may speak to a keeper: one driver at a time, the one with the highest epoch; and people who ask to
/// cancel, or to enter a place that is held. A later driver (hello with a higher epoch and the secret)
/// replaces the earlier one, whose words are ignored from then on. What cannot be understood ends the
/// connection, never the keeper.
class KeeperDoor {
  public:
    struct Handlers {
        /// A driver is in charge, maybe instead of an earlier one; the answer is its welcome.
        std::function<agent::Welcome(std::uint32_t epoch)> driver_came;
        std::function<void()> driver_left;
        /// May throw Error: the driver is then told and dropped.
        std::function<void(const agent::Frame&)> driver_said;
        std::function<void(const std::string& who)> cancel_asked;
        /// Somebody who knows the secret wants to enter a held place; @throws Error(not_found)
        std::function<agent::OpenPlace(const AttemptId&)> place_asked;
        /// A task asks for a run, over the connection that `peer` names until peer_left.
        std::function<void(int peer, const agent::Frame&)> spawn_asked;
        std::function<void(int peer)> peer_left;
        /// The highest epoch that was ever given to a driver, as far as can be known; else 0.
        std::function<std::uint32_t()> newest_epoch;
        /// A driver came too late, since another has taken over; or who has started us went without a word.
        std::function<void()> driver_missed;
    };

    KeeperDoor(EventLoop& loop, std::string run, std::string secret, Handlers handlers);
    ~KeeperDoor();
    KeeperDoor(const KeeperDoor&) = delete;
    KeeperDoor& operator=(const KeeperDoor&) = delete;

    /// The connection of the driver that started us: it needs no secret.
    void admit_inherited(UniqueFd socket);
    /// Opens a socket for later drivers in a folder of ours alone; gives its path.
    std::string listen();
    /// Does so again at the same path, when somebody has removed the socket.
    void listen_again();

    /// What later drivers must know.
    const std::string& secret() const { return secret_; }
    const std::string& path() const { return path_; }

    /// To one who asked; `last`: and then the connection ends.
    void tell(int peer, agent::Kind kind, const std::string& payload, bool last);

    /// nullptr: nobody drives.
    agent::Channel* driver();
    /// Sends what was buffered. Call once a wake-up.
    void flush();

  private:
    struct Peer {
        agent::Channel channel;
        bool inherited = false;
        bool leaving = false;  ///< not listened to any more; dropped at the next flush
        bool waits_for_room = false;
    };

    void listen_at(const std::string& path);
    void admit(UniqueFd socket, bool inherited);
    void accept_one();
    void heard(int fd);
    void handle(int fd, Peer& peer, const agent::Frame& frame);
    void handle_hello(int fd, Peer& peer, const agent::Hello& hello);
    void dismiss(int fd, Peer& peer, agent::Kind kind, const std::string& payload);
    bool flush_peer(int fd, Peer& peer);
    void drop(int fd);

    EventLoop& loop_;
    std::string run_;
    std::string secret_;
    Handlers handlers_;
    UniqueFd listener_;
    std::string path_;
    std::map<int, std::shared_ptr<Peer>> peers_;
    int driver_ = -1;
    std::uint32_t epoch_ = 0;
};

}  // namespace amp
