#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/agent/far_messages.hpp"
#include "backends/agent/object_stream.hpp"
#include "backends/ssh/far_line.hpp"
#include "core/ports/far_fetch.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

struct SshFetchOptions {
    FarPlace place;
    int patience = 4;  ///< so many connections in a row may bring nothing
    /// The agent itself instead of ssh; for tests.
    std::vector<std::string> command = {};
    double first_pause_s = 1;  ///< before the connection is made again; doubled each time
    double longest_pause_s = 60;
    double silence_s = 60;  ///< of the other machine, before its agent has answered
};

/// What stayed on another machine, over a connection of its own; see README.md, "What stays there". The
/// connection is there while something is wanted, and for a while longer.
class SshFetch : public FarFetch {
  public:
    SshFetch(ObjectStore& objects, SshFetchOptions options);
    ~SshFetch() override;

    void want(const Artifact& artifact) override;
    int event_fd() override { return epoll_.get(); }
    std::vector<FarArrival> events() override;

  private:
    struct Wanted {
        Artifact artifact;
        std::set<std::string> lacks;  ///< objects
    };
    struct Needed {
        agent::SizedObject object;
        std::set<std::string> by;  ///< artifacts
    };

    void connect();
    void rest();
    void work();
    void receive();
    void handle(const agent::Frame& frame);
    void visited(const std::string& store);
    void ask(const std::string& artifact);
    void came(const std::string& object);
    void gone(const agent::ObjectTrouble& trouble);
    void home(const std::string& artifact);
    void decide(const std::string& artifact, FarArrival arrival);
    void line_down(const Error& why);  ///< which is not the line's own: that goes
    double next_deadline() const;
    void arm_timer();

    ObjectStore& objects_;
    SshFetchOptions options_;
    UniqueFd epoll_;
    UniqueFd timer_;
    std::unique_ptr<FarLine> line_;
    agent::ObjectTaker taker_;
    std::map<std::string, Wanted> wanted_;
    std::map<std::string, Needed> needed_;
    std::vector<FarArrival> arrivals_;
    bool visits_ = false;  ///< the agent has answered
    int failures_ = 0;     ///< connections in a row that brought nothing
    double connect_at_ = 0;
    double idle_at_ = 0;   ///< nothing is wanted since then
    bool leaves_ = false;  ///< the agent was told that nothing more comes
};

}  // namespace amp
