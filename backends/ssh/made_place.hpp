#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backends/ssh/ssh_backend.hpp"

namespace amp {

/// A place on another machine that is made for somebody who wants to look around in it: an attempt there,
/// with its code and inputs, that fails at once and whose place is held. Let go at the end.
class MadePlace {
  public:
    /// @param options its `run` is a run of its own, so that no driver is disturbed
    /// @param tell hears notes while it is made
    /// @throws Error(busy) when what it asks for is not free there; Error(interrupted) as the user stops it;
    /// Error(infrastructure), Error(authentication)
    MadePlace(ObjectStore& objects, AppendFiles& files, SshBackendOptions options, TaskSpec spec,
              const std::function<void(const std::string&)>& tell);
    ~MadePlace();
    MadePlace(const MadePlace&) = delete;
    MadePlace& operator=(const MadePlace&) = delete;

    /// Call it again and again while it is used. @throws Error(infrastructure) when it is gone
    void keep();
    /// How many words of its spec stand in front of the task's own.
    static std::size_t words_before();

  private:
    bool is_made(const BackendEvent& event, const std::function<void(const std::string&)>& tell) const;
    void wait(const std::function<void(const std::string&)>& tell);
    void let_go();

    std::string host_;
    AttemptId id_;
    SshBackend backend_;
};

}  // namespace amp
