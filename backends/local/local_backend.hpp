#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/agent/channel.hpp"
#include "backends/agent/messages.hpp"
#include "backends/local/keeper_options.hpp"
#include "core/ports/append_files.hpp"
#include "core/ports/backend.hpp"

namespace amp {

struct LocalBackendOptions {
    std::string store_dir;  ///< the store's folder
    std::string run;
    std::uint32_t epoch = 1;         ///< of the driver's lease
    std::uint32_t number_base = 0;   ///< of its keepers and their packs; others in the store are not its own
    std::size_t workers = 0;         ///< tasks at once; 0: as many as there are CPUs
    double cpu = 0;                  ///< 0: what the machine has
    std::uint64_t memory_bytes = 0;  ///< 0: what the machine has
    std::vector<Gpu> gpus;           ///< set by the constructor: what the machine has
    std::string project_dir;
    std::vector<Secret> secrets;  ///< told to each keeper, in its memory only
    double linger_s = 30;
    double patience_s = 20;  ///< how long a living keeper may be out of reach before it is ended
    /// Instead of `/proc/self/exe keeper …`; for tests.
    std::function<int(const KeeperOptions&)> run_keeper;
};

/// Tasks on this machine, done by a keeper process that outlives us.
class LocalBackend : public Backend {
  public:
    /// @param files of the same store
    LocalBackend(AppendFiles& files, LocalBackendOptions options);
    /// Lets go as if we had died, unless close() was called.
    ~LocalBackend() override;

    Capacity capacity() override;
    std::size_t window() override;
    /// @throws Error(busy) when the tasks run on another host, or a later driver is in charge
    Adoption adopt() override;
    /// Starts a keeper, if there is none.
    /// @throws Error(infrastructure) when it refuses; Error(busy) when a later driver is in charge
    void open() override;
    /// Opens first, where that was not done.
    void submit(std::span<const TaskSpec> specs) override;
    void cancel(std::span<const AttemptId> attempts) override;
    void kill(std::span<const AttemptId> attempts) override;
    void go_on() override;
    void answer(const SpawnAnswer& answer) override;
    int event_fd() override;
    std::vector<BackendEvent> events() override;
    void close() override;
    /// Another driver, or the same by another connection, has taken over.
    bool is_fenced() const { return fenced_; }

  private:
    enum class Held { submitted, started };
    struct Reached {
        agent::Channel channel;
        agent::Welcome welcome;
    };

    bool start();
    void send(std::span<const TaskSpec> specs);
    void resubmit();
    void connect(agent::Channel channel);
    void wake();
    void flush();
    void ask_to_end(agent::Kind kind, std::span<const AttemptId> attempts);
    void handle(const agent::Frame& frame, std::vector<BackendEvent>& out);
    void take(BackendEvent event, std::vector<BackendEvent>& out);
    void end(const AttemptId& id, Cause cause, const std::string& message);
    void note(std::string text);
    void lose(std::string reason, std::vector<BackendEvent>& out);
    void connection_gone(std::vector<BackendEvent>& out);
    void keeper_gone(std::vector<BackendEvent>& out);
    std::optional<Reached> reach(std::uint32_t number);
    void go_on_with(Reached reached, std::vector<BackendEvent>& out);
    void take_over(std::uint32_t number, Adoption& adoption);
    void end_living(std::uint32_t number);
    std::string log_path(std::uint32_t number) const;
    void bury(std::uint32_t number, Adoption& adoption);

    AppendFiles& files_;
    LocalBackendOptions options_;
    UniqueFd epoll_;  ///< readable when the keeper says something, or something was read already
    UniqueFd wake_;   ///< an eventfd for that
    std::optional<agent::Channel> channel_;
    bool awake_ = false;  ///< wake_ is readable
    bool watches_room_ = false;
    std::uint32_t number_ = 0;
    std::map<AttemptId, Held> held_;
    /// Of those that are submitted: a keeper that is reached again has forgotten them.
    std::map<AttemptId, TaskSpec> unstarted_;
    std::vector<BackendEvent> local_events_;
    int broken_ = 0;                  ///< connections, since an event came
    bool resubmit_on_go_on_ = false;  ///< the driver has yet to hear of a failure that came before a break
    std::uint64_t failures_ = 0;
    bool fenced_ = false;
    bool closed_ = false;
    bool unheard_ = false;  ///< the keeper takes nothing more
};

}  // namespace amp
