#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unique_fd.hpp"
#include "core/ports/backend.hpp"
#include "core/store/keeper_log.hpp"

namespace amp {

/// Several backends as one: each spec goes to the one of its profile.
class RoutedBackend : public Backend {
  public:
    struct Place {
        std::string profile;  ///< empty: this machine
        std::unique_ptr<Backend> backend;
        bool sure = true;  ///< opened with the run; else when the first spec comes
    };

    /// @param places this machine's first
    /// @param make_log where those who look on find what runs elsewhere: what runs here, its keeper writes
    /// down. Called when the first such task starts
    explicit RoutedBackend(std::vector<Place> places,
                           std::function<std::unique_ptr<KeeperLogWriter>()> make_log = {});

    /// Of this machine: requests for others are theirs to judge.
    Capacity capacity() override;
    std::size_t window() override;
    Adoption adopt() override;
    void open() override;
    void submit(std::span<const TaskSpec> specs) override;
    void cancel(std::span<const AttemptId> attempts) override;
    void kill(std::span<const AttemptId> attempts) override;
    void go_on() override;
    void answer(const SpawnAnswer& answer) override;
    int event_fd() override;
    std::vector<BackendEvent> events() override;
    void close() override;

  private:
    struct Member {
        Place place;
        bool used = false;  ///< it was opened, or had something to adopt
    };

    Member& member_of(const std::string& profile);
    void note(std::size_t member, std::string_view type, const AttemptId& id, Timestamp at = {});
    void flush_notes();
    void take(std::size_t member, BackendEvent event, std::vector<BackendEvent>& out);
    /// Those of the attempts that each member holds.
    std::vector<std::vector<AttemptId>> by_member(std::span<const AttemptId> attempts);

    std::vector<Member> members_;
    std::map<AttemptId, std::size_t> held_;    ///< by whom
    std::map<AttemptId, std::size_t> places_;  ///< of what has failed, until its place is said to be free
    /// Tickets of spawns are each member's own: whose one is, and what it is there.
    std::map<std::uint64_t, std::pair<std::size_t, std::uint64_t>> tickets_;
    std::uint64_t last_ticket_ = 0;
    UniqueFd epoll_;
    std::function<std::unique_ptr<KeeperLogWriter>()> make_log_;
    std::unique_ptr<KeeperLogWriter> log_;
    bool noted_ = false;  ///< since the last flush
};

}  // namespace amp
