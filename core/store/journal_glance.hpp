#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "core/ports/append_files.hpp"

namespace amp {

/// A record as it stands in its segment.
struct JournalText {
    std::string_view type;
    std::string_view payload;  ///< canonical JSON, checked against its checksum
};

/// For who has no time to replay: calls `each` for the records among a journal's first `limit` bytes, not
/// parsed, and stops quietly before the first damage. Nothing is proved of the chain of its segments.
void glance_journal(AppendFiles& files, std::string_view run, std::uint64_t limit,
                    const std::function<void(const JournalText&)>& each);

}  // namespace amp
