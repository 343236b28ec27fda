#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/run/drive.hpp"
#include "core/run/task_router.hpp"

namespace amp {

/// Drives a run and all runs below it: its sub-flows, and what its tasks spawn. One thread, which waits once
/// for all of them. A child is a run of its own in the same store, with journal, lease and keeper; the slots
/// of the machine are shared by the whole tree.
class Conductor {
  public:
    Conductor(Services& services, OpenStore& store);
    ~Conductor();
    Conductor(const Conductor&) = delete;
    Conductor& operator=(const Conductor&) = delete;

    /// To its end or interruption; that of a tree comes when all of its runs have ended.
    RunOutcome drive(const std::string& run, const DriveOptions& options, RunObserver& observer,
                     std::unique_ptr<const RecordedFlow> flow);

  private:
    class Node;

    TreeSlots& slots();
    void turn();
    void turn(Node& node);
    void wait();
    Node& add(std::unique_ptr<Node> node);
    void remove(Node& node);
    bool stopping();

    Services& services_;
    OpenStore& store_;
    DriveOptions options_;
    std::size_t workers_ = 0;
    std::optional<TreeSlots> slots_;            ///< once there is more than one run
    std::vector<std::unique_ptr<Node>> nodes_;  ///< parents before their children
    std::vector<int> fds_;
    bool moved_ = false;
};

}  // namespace amp
