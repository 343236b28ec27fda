#include "core/package/compression.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <future>
#include <new>
#include <system_error>
#include <utility>

#include "core/base/error.hpp"

namespace amp::compression {
namespace {

constexpr int k_level = 3;
constexpr std::size_t k_stream_block = std::size_t{4} << 20;

struct FreeCompress {
    void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
};
struct FreeDecompress {
    void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

[[noreturn]] void fail_compress(std::size_t code) {
    throw Error(ExitCode::bug, fmt::format("zstd cannot compress: {}", ZSTD_getErrorName(code)));
}

/// A block on its way to be a frame. What it needs is kept for the next one: asking the kernel for it each
/// time would cost a quarter of the work.
class Block {
  public:
    Block() : context_(ZSTD_createCCtx()) {
        if (!context_) {
            throw std::bad_alloc();
        }
        bytes_.reserve(k_stream_block);
    }

    std::size_t room() const { return k_stream_block - bytes_.size(); }
    bool empty() const { return bytes_.empty(); }
    void append(std::string_view bytes) { bytes_ += bytes; }
    void clear() { bytes_.clear(); }

    std::string_view compress(int level) {
        const std::size_t most = ZSTD_compressBound(bytes_.size());
        frame_.resize(std::max(frame_.size(), most));
        const std::size_t n = ZSTD_compressCCtx(context_.get(), frame_.data(), frame_.size(), bytes_.data(),
                                                bytes_.size(), level);
        if (ZSTD_isError(n) != 0U) {
            fail_compress(n);
        }
        return std::string_view(frame_).substr(0, n);
    }

  private:
    std::unique_ptr<ZSTD_CCtx, FreeCompress> context_;
    std::string bytes_;
    std::string frame_;
};

constexpr std::uint64_t k_block_header = 3;

/// The size of the header that a frame begins with (RFC 8878, 3.1.1.1); 0 when there is none.
std::size_t frame_header_size(std::string_view bytes) {
    if (bytes.size() < 6 || bytes.substr(0, 4) != "\x28\xb5\x2f\xfd") {
        return 0;
    }
    const auto descriptor = static_cast<unsigned char>(bytes[4]);
    const bool single_segment = (descriptor & 0x20U) != 0;
    constexpr std::array<std::size_t, 4> k_dictionary_id{0, 1, 2, 4};
    constexpr std::array<std::size_t, 4> k_content_size{0, 2, 4, 8};
    const std::size_t content_size = k_content_size[descriptor >> 6U];
    return 5 + (single_segment ? 0 : 1) + k_dictionary_id[descriptor & 3U] +
           (single_segment && content_size == 0 ? 1 : content_size);
}

/// The size of a block with its header (3.1.1.2).
std::uint64_t block_size(std::string_view header) {
    std::uint64_t bits = 0;
    for (std::size_t i = k_block_header; i-- > 0;) {
        bits = bits << 8U | static_cast<unsigned char>(header[i]);
    }
    const bool repeated = (bits >> 1U & 3U) == 1;  // one byte, many times
    return k_block_header + (repeated ? 1 : bits >> 3U);
}

/// What was read of some compressed bytes, so that the headers of small blocks cost one read together.
class HeaderWindow {
  public:
    HeaderWindow(std::uint64_t size, const ReadAt& read_at) : size_(size), read_at_(read_at) {}

    /// Up to `length` bytes from `offset`; fewer at the end. Valid until the next call.
    std::string_view at(std::uint64_t offset, std::uint64_t length) {
        constexpr std::uint64_t k_window = 4096;
        length = std::min(length, offset < size_ ? size_ - offset : 0);
        if (offset < start_ || offset + length > start_ + bytes_.size()) {
            bytes_ = read_at_(offset, std::max(length, k_window));
            start_ = offset;
        }
        return std::string_view(bytes_).substr(std::min(offset - start_, bytes_.size()), length);
    }

  private:
    std::uint64_t size_;
    const ReadAt& read_at_;
    std::uint64_t start_ = 0;
    std::string bytes_;
};

}  // namespace

bool worth_compressing(std::string_view sample) {
    return compress(sample).size() * 10 <= sample.size() * 9;
}

std::string compress(std::string_view bytes) {
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t n = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), k_level);
    if (ZSTD_isError(n) != 0U) {
        fail_compress(n);
    }
    out.resize(n);
    return out;
}

bool is_whole(std::uint64_t size, std::uint64_t plain_size, const ReadAt& read_at) {
    constexpr std::size_t k_descriptor = 4;
    constexpr std::uint64_t k_frame_header = 18;  // the longest
    constexpr std::uint64_t k_checksum = 4;
    HeaderWindow window(size, read_at);
    std::uint64_t at = 0;
    std::uint64_t plain = 0;
    bool counted = true;  // frames of a stream of older versions do not say how long they are
    while (at < size) {
        const std::string_view head = window.at(at, k_frame_header);
        const std::size_t header = frame_header_size(head);
        if (header == 0) {
            return false;
        }
        const auto content = ZSTD_getFrameContentSize(head.data(), head.size());
        counted = counted && content != ZSTD_CONTENTSIZE_UNKNOWN && content != ZSTD_CONTENTSIZE_ERROR;
        plain += counted ? content : 0;
        const bool checksum = (static_cast<unsigned char>(head[k_descriptor]) & 4U) != 0;
        at += header;
        for (bool last = false; !last;) {
            const std::string_view block = window.at(at, k_block_header);
            if (block.size() < k_block_header) {
                return false;
            }
            last = (static_cast<unsigned char>(block[0]) & 1U) != 0;
            at += block_size(block);
        }
        at += checksum ? k_checksum : 0;
    }
    return size > 0 && at == size && (!counted || plain == plain_size);
}

// Debian's static zstd has no threads of its own: blocks are frames of their own, a few at a time.
class Compressor::Impl {
  public:
    Impl(Sink sink, Effort effort)
        : sink_(std::move(sink)), effort_(effort), block_(std::make_unique<Block>()) {}

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::string_view part = bytes.substr(0, block_->room());
            block_->append(part);
            bytes.remove_prefix(part.size());
            if (block_->room() == 0) {
                end_block();
            }
        }
    }

    void finish() {
        if (!block_->empty() || (frames_.empty() && !wrote_)) {
            end_block();
        }
        while (!frames_.empty()) {
            take_frame();
        }
    }

  private:
    struct Frame {
        std::unique_ptr<Block> block;
        std::future<std::string_view> bytes;  ///< waits, when it goes, until the block is not used any more
    };

    void end_block() {
        if (frames_.size() >= effort_.workers) {
            take_frame();
        }
        const auto work = [block = block_.get(), level = effort_.level] { return block->compress(level); };
        std::future<std::string_view> bytes;
        try {
            bytes = std::async(std::launch::async, work);
        } catch (const std::system_error&) {  // no thread to be had
            bytes = std::async(std::launch::deferred, work);
        }
        frames_.push_back({std::move(block_), std::move(bytes)});
        block_ = spare_ ? std::move(spare_) : std::make_unique<Block>();
    }

    void take_frame() {
        sink_(frames_.front().bytes.get());
        spare_ = std::move(frames_.front().block);
        spare_->clear();
        frames_.pop_front();
        wrote_ = true;
    }

    Sink sink_;
    Effort effort_;
    std::unique_ptr<Block> block_;  ///< being filled
    std::unique_ptr<Block> spare_;
    std::deque<Frame> frames_;  ///< being made, in order
    bool wrote_ = false;
};

Compressor::Compressor(Sink sink, Effort effort) : impl_(std::make_unique<Impl>(std::move(sink), effort)) {}
Compressor::~Compressor() = default;
void Compressor::write(std::string_view bytes) {
    impl_->write(bytes);
}
void Compressor::finish() {
    impl_->finish();
}

class Decompressor::Impl {
  public:
    explicit Impl(Sink sink)
        : sink_(std::move(sink)), context_(ZSTD_createDCtx()), buffer_(ZSTD_DStreamOutSize(), '\0') {
        if (!context_) {
            throw std::bad_alloc();
        }
    }

    void write(std::string_view bytes) {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        for (bool full = false; in.pos < in.size || full;) {
            ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
            left_ = ZSTD_decompressStream(context_.get(), &out, &in);
            if (ZSTD_isError(left_) != 0U) {
                throw Error(ExitCode::mismatch,
                            fmt::format("damaged zstd data: {}", ZSTD_getErrorName(left_)));
            }
            if (out.pos > 0) {
                sink_({buffer_.data(), out.pos});
            }
            full = out.pos == out.size && left_ != 0;
        }
    }

    void finish() const {
        if (left_ != 0) {
            throw Error(ExitCode::mismatch, "zstd data that is cut short");
        }
    }

  private:
    Sink sink_;
    std::unique_ptr<ZSTD_DCtx, FreeDecompress> context_;
    std::string buffer_;
    std::size_t left_ = 1;  ///< 0 at the end of a frame
};

Decompressor::Decompressor(Sink sink) : impl_(std::make_unique<Impl>(std::move(sink))) {}
Decompressor::~Decompressor() = default;
void Decompressor::write(std::string_view bytes) {
    impl_->write(bytes);
}
void Decompressor::finish() {
    impl_->finish();
}

}  // namespace amp::compression
