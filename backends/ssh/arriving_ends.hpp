#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/agent/far_messages.hpp"
#include "core/ports/backend.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Ends that were told, until all that they refer to is in this store.
class ArrivingEnds {
  public:
    /// @param ask is called with objects that must be fetched
    ArrivingEnds(ObjectStore& store, std::function<void(const std::vector<agent::SizedObject>&)> ask)
        : store_(store), ask_(std::move(ask)) {}

    /// False when it is known.
    bool add(const AttemptResult& result);
    bool contains(const AttemptId& id) const { return ends_.contains(id); }
    /// Are there such as wait for something, of those that `counts`?
    bool waits(const std::function<bool(const AttemptId&)>& counts) const;
    void arrived(const std::string& sha256);
    /// It will never come: whoever made it has lost it.
    void gone(const std::string& sha256, const std::string& error);
    /// Takes what is complete, in the order in which it was added, of those that `counts`.
    std::vector<AttemptResult> take(const std::function<bool(const AttemptId&)>& counts);
    /// That object, where it is being fetched.
    std::optional<agent::SizedObject> wanted(const std::string& sha256) const;
    /// All that is being fetched: of another connection it must be asked for again.
    std::vector<agent::SizedObject> wanted() const;

  private:
    struct End {
        AttemptResult result;
        std::uint64_t order = 0;
        std::set<std::string> wants;
        std::set<std::string> had;  ///< came for it
    };

    void look(const AttemptId& id, End& end);
    void spoil(const AttemptId& id, End& end, const std::string& error);
    std::vector<agent::SizedObject> needs_of(const AttemptResult& result);

    ObjectStore& store_;
    std::function<void(const std::vector<agent::SizedObject>&)> ask_;
    std::map<AttemptId, End> ends_;
    std::map<std::uint64_t, AttemptId> complete_;
    struct Wanted {
        agent::SizedObject object;
        std::set<AttemptId> by;
    };
    std::map<std::string, Wanted> wanted_;
    std::uint64_t added_ = 0;
};

/// The files of a folder artifact, by its manifest in the store. @throws Error as Objects::get;
/// Error(mismatch) when it is no manifest
std::vector<agent::SizedObject> files_of_folder(ObjectStore& store, const std::string& manifest);

}  // namespace amp
