#include "core/package/lfs_pointer.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_most_bytes = 1023;  // "less than 1024 bytes"
constexpr std::string_view k_version = "version https://git-lfs.github.com/spec/v1\n";
constexpr std::string_view k_oid = "oid sha256:";
constexpr std::string_view k_size = "size ";
constexpr std::size_t k_digits = 64;

bool all_of(std::string_view text, std::string_view letters) {
    return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

}  // namespace

bool is_lfs_pointer(std::string_view content) {
    if (content.size() > k_most_bytes || !content.starts_with(k_version)) {
        return false;
    }
    bool oid = false;
    bool size = false;
    for (const std::string_view line : split(content.substr(k_version.size()), '\n')) {
        if (line.starts_with(k_oid)) {
            const std::string_view digits = line.substr(k_oid.size());
            oid = digits.size() == k_digits && all_of(digits, "0123456789abcdef");
        } else if (line.starts_with(k_size)) {
            size = all_of(line.substr(k_size.size()), "0123456789");
        }
    }
    return oid && size;
}

}  // namespace amp
