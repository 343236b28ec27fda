#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/agent/far_messages.hpp"
#include "backends/agent/object_stream.hpp"
#include "backends/local/local_backend.hpp"
#include "backends/ssh/pack_tail.hpp"
#include "backends/system/directory_store.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/local_append_files.hpp"
#include "core/task/code_cache.hpp"

namespace amp {

struct FarAgentOptions {
    std::string root;  ///< of amp on this machine: ROOT/store, ROOT/code
};

/// The far end of an SshBackend: a LocalBackend on the store in `root`, told over a channel. It may die at
/// any instant: the keeper does the tasks, and the next agent finds it.
class FarAgent {
  public:
    /// Says its greeting. @throws Error when the store in `root` cannot be used
    FarAgent(agent::Channel channel, FarAgentOptions options);
    ~FarAgent();
    FarAgent(const FarAgent&) = delete;
    FarAgent& operator=(const FarAgent&) = delete;

    /// Works until the driver is gone or says close.
    void run();

  private:
    /// What waits until the packs' bytes that it refers to are on their way.
    struct Told {
        std::uint64_t mark = 0;
        std::vector<BackendEvent> events;
        std::optional<std::vector<AttemptResult>> adopted;
    };

    void work();
    void heard();
    void handle(const agent::Frame& frame);
    void handle_objects(const agent::Frame& frame);
    void visit();
    void open_house(const std::string& folder);
    void meet(const agent::FarHello& hello);
    agent::FarWelcome adopt(const agent::FarHello& hello);
    void answer_have(std::string_view payload);
    void lay(std::string_view payload);
    void backend_ready();
    void lose(const std::string& reason);
    void tell(BackendEvent event);
    void look();
    void send();
    void send_told();
    void send_events(const std::vector<BackendEvent>& events);
    void store_taken();
    void watch_room();
    LocalBackend& backend();

    FarAgentOptions options_;
    CodeCache cache_;
    std::optional<LaidCode> code_;  ///< of the run, once it is there
    EventLoop loop_;
    agent::Channel channel_;
    std::unique_ptr<DirectoryStore> objects_;
    std::unique_ptr<LocalAppendFiles> files_;
    std::vector<Secret> secrets_;
    std::unique_ptr<LocalBackend> backend_;
    std::unique_ptr<PackTail> tail_;
    std::unique_ptr<Watch> watch_;
    std::unique_ptr<agent::ObjectSender> sender_;
    std::unique_ptr<agent::ObjectTaker> taker_;
    std::unordered_map<std::string, std::uint64_t> missing_;  ///< what was asked for, with sizes
    std::vector<std::string> taken_;                          ///< objects in the store, not durable yet
    std::deque<Told> told_;
    std::string run_;
    std::uint32_t epoch_ = 0;
    std::uint64_t failures_ = 0;  ///< ends that were failures, as told to the driver
    std::string store_id_;
    bool visited_ = false;
    bool watches_room_ = false;
    bool done_ = false;
};

/// `amp agent --stdio --root FOLDER`: serves the driver at standard input and output.
int far_agent_main(const std::vector<std::string>& arguments);

}  // namespace amp
