#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/agent/channel.hpp"
#include "backends/agent/far_messages.hpp"
#include "core/base/hash.hpp"
#include "core/package/compression.hpp"
#include "core/ports/object_store.hpp"

namespace amp::agent {

/// No list of a folder's files is longer: it is read into memory as a whole.
inline constexpr std::uint64_t k_most_manifest = std::uint64_t{256} << 20;

/// Is it there, and not cut short? One of unknown size is read.
bool object_present(ObjectStore& store, const SizedObject& object);

/// Sends objects as they lie in the store, one after the other, in pieces, between other frames. The same on
/// both sides.
class ObjectSender {
  public:
    explicit ObjectSender(ObjectStore& store) : store_(store) {}

    /// Once, also when it is asked for twice.
    void add(const SizedObject& object);
    bool idle() const { return waiting_.empty(); }
    /// Sends pieces until the channel holds enough that it has not got rid of.
    /// @return objects that are not there
    std::vector<ObjectTrouble> fill(Channel& channel);
    /// The connection is another one.
    void forget();

  private:
    std::optional<ObjectTrouble> step(Channel& channel);
    bool begin(Channel& channel, const SizedObject& object);

    ObjectStore& store_;
    std::deque<SizedObject> waiting_;  ///< the first is on its way when key_ is not empty
    std::set<std::string> known_;
    std::string key_;
    std::uint64_t offset_ = 0;
};

/// Takes objects as ObjectSender sends them, and verifies them: none that is not wanted, or does not hash to
/// its name, gets into the store, and none that is there is touched before that is known.
class ObjectTaker {
  public:
    /// What is wanted of that name; nullopt: nothing.
    using Wanted = std::function<std::optional<SizedObject>(const std::string& sha256)>;

    /// @param most_unknown how long one may be of which no size is known
    ObjectTaker(ObjectStore& store, Wanted wanted, std::uint64_t most_unknown = k_most_manifest)
        : store_(store), wanted_(std::move(wanted)), most_unknown_(most_unknown) {}

    void begin(std::string_view payload);
    void data(std::string_view bytes);
    /// @return what became of it: an empty error when it is in the store (not durable yet)
    ObjectTrouble end(std::string_view payload);
    /// The connection is another one: what was on its way is gone.
    void forget();

  private:
    void fail(const std::string& error, ExitCode code, bool ours);
    void take(std::string_view bytes);
    void check_length(std::uint64_t bytes, std::uint64_t more) const;
    void keep();

    ObjectStore& store_;
    Wanted wanted_;
    std::uint64_t most_unknown_;
    ObjectTrouble current_;
    std::unique_ptr<ObjectWriter> writer_;
    std::optional<Sha256> hash_;
    std::unique_ptr<compression::Decompressor> decompressor_;
    std::uint64_t size_bytes_ = 0;   ///< of the plain content, as it was asked for
    std::uint64_t plain_bytes_ = 0;  ///< so much of it came
    std::uint64_t came_bytes_ = 0;   ///< as they lie in the store
};

}  // namespace amp::agent
