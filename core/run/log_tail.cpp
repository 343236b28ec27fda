#include "core/run/log_tail.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/store/packs.hpp"

namespace amp {

std::string log_tail(AppendFiles& files, const AttemptResult& result, std::size_t bytes) {
    std::string tail;
    // A range stands for what lies before at least a hundred pieces: that is tail enough.
    for (auto piece = result.log.rbegin();
         piece != result.log.rend() && !piece->is_range() && tail.size() < bytes; ++piece) {
        if (result.failed_rank && piece->rank != result.failed_rank) {
            continue;
        }
        try {
            tail.insert(0, read_piece(files, *piece));
        } catch (const Error&) {
            break;
        }
    }
    if (tail.size() > bytes) {
        tail.erase(0, tail.size() - bytes);
        tail.erase(0, std::min(tail.find('\n') + 1, tail.size()));
    }
    return tail;
}

}  // namespace amp
