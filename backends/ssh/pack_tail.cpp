#include "backends/ssh/pack_tail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backends/agent/far_messages.hpp"
#include "core/base/error.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_piece = std::uint64_t{256} << 10;
constexpr std::size_t k_enough = std::size_t{512} << 10;

}  // namespace

PackTail::PackTail(AppendFiles& files, std::string run, std::uint32_t first, std::uint32_t last,
                   std::map<std::string, std::uint64_t> have)
    : files_(files), run_(std::move(run)), first_(first), last_(last), queued_(std::move(have)) {}

// A keeper goes on to another pack when one is full: only its newest grows.
void PackTail::look() {
    for (const std::string& key : files_.list(layout::pack_prefix(run_))) {
        const auto number = layout::epoch_of(key);
        if (!number || *number < first_ || *number > last_) {
            continue;
        }
        std::string& newest = newest_[*number];
        if (key < newest) {
            continue;
        }
        newest = key;
        const std::uint64_t size = files_.size(key);
        std::uint64_t& queued = queued_[key];
        if (size > queued) {
            stretches_.push_back({key, queued, size});
            seen_ += size - queued;
            queued = size;
        }
    }
}

void PackTail::fill(agent::Channel& channel) {
    while (!stretches_.empty() && channel.unsent() < k_enough) {
        Stretch& next = stretches_.front();
        const std::string bytes =
            files_.read(next.key, next.from, std::min(k_piece, next.to - next.from)).value_or("");
        if (!bytes.empty()) {
            channel.send(agent::Kind::pack, agent::encode(agent::PackBytes{next.key, next.from, bytes}));
        }
        const std::uint64_t done = bytes.empty() ? next.to - next.from : bytes.size();  // cut off meanwhile
        sent_ += done;
        next.from += done;
        if (next.from == next.to) {
            stretches_.pop_front();
        }
    }
}

std::map<std::string, std::uint64_t> PackMirror::lengths() {
    std::map<std::string, std::uint64_t> lengths;
    for (const std::string& key : files_.list(layout::pack_prefix(run_))) {
        const auto number = layout::epoch_of(key);
        if (number && *number >= first_ && *number <= last_) {
            lengths[key] = files_.size(key);
        }
    }
    return lengths;
}

// The file is not kept open: a driver that sleeps must not keep its successor from going on.
void PackMirror::take(std::string_view payload) {
    const agent::PackBytes pack = agent::pack_bytes_from(payload);
    const auto number = layout::epoch_of(pack.key);
    if (!pack.key.starts_with(layout::pack_prefix(run_)) || !is_store_key(pack.key) || !number ||
        *number < first_ || *number > last_) {
        throw Error(ExitCode::mismatch, fmt::format("'{}' is no pack of these tasks", pack.key));
    }
    std::uint64_t have = files_.size(pack.key);
    if (pack.offset > have) {
        throw Error(ExitCode::mismatch, fmt::format("bytes of '{}' are missing", pack.key));
    }
    if (have - pack.offset >= pack.bytes.size()) {
        return;
    }
    const auto file = files_.open(pack.key, UINT64_MAX);
    if (!file) {
        throw Error(ExitCode::busy, fmt::format("another process writes '{}'", pack.key));
    }
    have = file->size();  // another may have written more meanwhile: none of that is cut off
    if (have - pack.offset < pack.bytes.size()) {
        file->append(pack.bytes.substr(have - pack.offset));
        dirty_.insert(pack.key);
    }
}

void PackMirror::sync() {
    for (const std::string& key : std::exchange(dirty_, {})) {
        files_.sync(key);
    }
}

}  // namespace amp
