#include "core/store/frames.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "core/base/hash.hpp"

namespace amp::frames {
namespace {

constexpr std::string_view k_magic = "A1 ";
/// Longer than any header: magic, two numbers, type (up to 64), length, checksum.
constexpr std::size_t k_max_header = 192;

/// Reads one canonical decimal number and the space behind it.
template <class T>
bool take_number(std::string_view& text, T& number) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto length = static_cast<std::size_t>(end - text.data());
    const bool padded = length > 1 && text.front() == '0';
    if (failed != std::errc() || padded || length >= text.size() || text[length] != ' ') {
        return false;
    }
    text.remove_prefix(length + 1);
    return true;
}

bool take_type(std::string_view& text, std::string_view& type) {
    const std::size_t length = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    if (length == 0 || length == std::string_view::npos || text[length] != ' ') {
        return false;
    }
    type = text.substr(0, length);
    text.remove_prefix(length + 1);
    return true;
}

/// Eight lower-case hexadecimal digits and a line feed.
bool take_checksum(std::string_view& text, std::uint32_t& checksum) {
    if (text.size() < 9 || text[8] != '\n' ||
        text.substr(0, 8).find_first_not_of("0123456789abcdef") != std::string_view::npos) {
        return false;
    }
    std::from_chars(text.data(), text.data() + 8, checksum, 16);
    text.remove_prefix(9);
    return true;
}

}  // namespace

void append(std::string& out, std::uint64_t seq, std::uint32_t epoch, std::string_view type,
            std::string_view payload) {
    const std::size_t start = out.size();
    fmt::format_to(std::back_inserter(out), "A1 {} {} {} {} ", seq, epoch, type, payload.size());
    const std::uint32_t checksum = crc32c(payload, crc32c(std::string_view(out).substr(start)));
    fmt::format_to(std::back_inserter(out), "{:08x}\n", checksum);
    out += payload;
    out += '\n';
}

std::optional<Frame> read(std::string_view bytes, std::size_t offset) {
    if (offset >= bytes.size() || !bytes.substr(offset).starts_with(k_magic)) {
        return std::nullopt;
    }
    const std::string_view whole = bytes.substr(offset);
    std::string_view text = whole.substr(0, k_max_header);
    text.remove_prefix(k_magic.size());
    Frame frame;
    std::uint64_t length = 0;
    std::uint32_t checksum = 0;
    if (!take_number(text, frame.seq) || !take_number(text, frame.epoch) || !take_type(text, frame.type) ||
        !take_number(text, length)) {
        return std::nullopt;
    }
    const auto covered = static_cast<std::size_t>(text.data() - whole.data());
    if (!take_checksum(text, checksum)) {
        return std::nullopt;
    }
    const auto start = static_cast<std::size_t>(text.data() - whole.data());
    if (length >= whole.size() - start || whole[start + length] != '\n') {
        return std::nullopt;
    }
    frame.payload = whole.substr(start, length);
    if (crc32c(frame.payload, crc32c(whole.substr(0, covered))) != checksum) {
        return std::nullopt;
    }
    frame.end = offset + start + length + 1;
    return frame;
}

std::optional<std::size_t> find_next(std::string_view bytes, std::size_t offset) {
    for (std::size_t at = bytes.find(k_magic, offset); at != std::string_view::npos;
         at = bytes.find(k_magic, at + 1)) {
        if (read(bytes, at)) {
            return at;
        }
    }
    return std::nullopt;
}

}  // namespace amp::frames
