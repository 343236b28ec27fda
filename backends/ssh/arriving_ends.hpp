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
    /// Files and folders larger than that stay where they are.
    static constexpr std::uint64_t k_keeps_nothing = UINT64_MAX;

    /// @param ask is called with objects that must be fetched, or (`stay`) of which it must be known whether
    /// they are there
    ArrivingEnds(ObjectStore& store,
                 std::function<void(const std::vector<agent::SizedObject>&, bool stay)> ask,
                 std::uint64_t keep_above = k_keeps_nothing)
        : store_(store), ask_(std::move(ask)), keep_above_(keep_above) {}

    /// False when it is known.
    bool add(const AttemptResult& result);
    bool contains(const AttemptId& id) const { return ends_.contains(id); }
    /// Are there such as wait for something, of those that `counts`?
    bool waits(const std::function<bool(const AttemptId&)>& counts) const;
    void arrived(const std::string& sha256);
    /// It is there, which is enough for those whom it need not come for.
    void is_there(const std::string& sha256);
    /// Is it only asked for whether it is there?
    bool stays(const std::string& sha256) const;
    /// Would an end with that leave it where it is?
    bool stays(const Artifact& artifact) const {
        return artifact.kind != Artifact::Kind::value && artifact.size_bytes > keep_above_;
    }
    /// It will never come: whoever made it has lost it.
    void gone(const std::string& sha256, const std::string& error);
    /// Takes what is complete, in the order in which it was added, of those that `counts`.
    std::vector<AttemptResult> take(const std::function<bool(const AttemptId&)>& counts);
    /// That object, where it is being fetched.
    std::optional<agent::SizedObject> wanted(const std::string& sha256) const;
    /// Asks for all of it again, of another connection.
    void ask_again() const;

  private:
    struct End {
        AttemptResult result;
        std::uint64_t order = 0;
        std::set<std::string> wants;
        std::set<std::string> had;    ///< came for it
        std::set<std::string> there;  ///< stayed, and are there
    };

    void look(const AttemptId& id, End& end);
    void spoil(const AttemptId& id, End& end, const std::string& error);
    void settle(const std::string& sha256);

    ObjectStore& store_;
    std::function<void(const std::vector<agent::SizedObject>&, bool)> ask_;
    std::uint64_t keep_above_;
    std::map<AttemptId, End> ends_;
    std::map<std::uint64_t, AttemptId> complete_;
    struct Wanted {
        agent::SizedObject object;
        std::set<AttemptId> by;
        bool stays = true;  ///< for none of these it must come
    };
    std::map<std::string, Wanted> wanted_;
    std::uint64_t added_ = 0;
};

/// The objects of a file or folder artifact; of a folder whose manifest is not here only that.
/// @throws as files_of_folder
std::vector<agent::SizedObject> objects_of(ObjectStore& store, const Artifact& artifact);
/// The files of a folder artifact, by its manifest in the store. @throws Error as Objects::get;
/// Error(mismatch) when it is no manifest
std::vector<agent::SizedObject> files_of_folder(ObjectStore& store, const std::string& manifest);

}  // namespace amp
