#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "backends/agent/object_stream.hpp"

namespace amp {

/// Makes objects present on the other machine: asks what is there, sends what is not.
class Uploads {
  public:
    explicit Uploads(ObjectStore& store) : sender_(store) {}

    /// Asks for those of which nothing is known yet.
    void need(agent::Channel& channel, std::span<const agent::SizedObject> objects);
    bool are_there(std::span<const agent::SizedObject> objects) const;
    /// The answer to what need() has asked.
    void answered(std::string_view payload);
    void stored(std::string_view payload);
    /// It is not there, and may be asked for again.
    void failed(const std::string& sha256) { asked_.erase(sha256); }
    bool idle() const { return sender_.idle(); }
    std::vector<agent::ObjectTrouble> fill(agent::Channel& channel) { return sender_.fill(channel); }
    /// The connection is another one, and who knows what became of the other machine's store.
    void forget();

  private:
    agent::ObjectSender sender_;
    std::unordered_map<std::string, std::uint64_t> asked_;  ///< with their sizes
    std::unordered_set<std::string> there_;
};

}  // namespace amp
