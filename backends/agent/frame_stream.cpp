#include "backends/agent/frame_stream.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace amp::agent {
namespace {

constexpr std::size_t k_length_bytes = 4;

std::size_t read_length(std::string_view bytes) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < k_length_bytes; ++i) {
        length |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return length;
}

}  // namespace

void append_frame(std::string& out, Kind kind, std::string_view payload) {
    const std::size_t length = payload.size() + 1;
    if (length > k_max_frame) {
        throw Error(ExitCode::bug, fmt::format("a message of {} bytes is over the limit", length));
    }
    for (std::size_t i = 0; i < k_length_bytes; ++i) {
        out.push_back(static_cast<char>((length >> (8 * i)) & 0xff));
    }
    out.push_back(static_cast<char>(kind));
    out.append(payload);
}

void FrameReader::feed(std::string_view bytes) {
    if (at_ == buffer_.size()) {
        buffer_.clear();
        at_ = 0;
    } else if (at_ > k_max_frame / 4) {
        buffer_.erase(0, at_);
        at_ = 0;
    }
    buffer_.append(bytes);
}

std::optional<Frame> FrameReader::next() {
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    if (rest.size() < k_length_bytes) {
        return std::nullopt;
    }
    const std::size_t length = read_length(rest);
    if (length == 0 || length > k_max_frame) {
        throw Error(ExitCode::mismatch, fmt::format("a frame of {} bytes is none of ours", length));
    }
    if (rest.size() < k_length_bytes + length) {
        return std::nullopt;
    }
    at_ += k_length_bytes + length;
    return Frame{static_cast<std::uint8_t>(rest[k_length_bytes]),
                 rest.substr(k_length_bytes + 1, length - 1)};
}

}  // namespace amp::agent
