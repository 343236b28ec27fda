#include "core/package/compression.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <new>

#include "core/base/error.hpp"

namespace amp::compression {
namespace {

constexpr int k_level = 3;

struct FreeCompress {
    void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
};
struct FreeDecompress {
    void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

[[noreturn]] void fail_compress(std::size_t code) {
    throw Error(ExitCode::bug, fmt::format("zstd cannot compress: {}", ZSTD_getErrorName(code)));
}

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

class Compressor::Impl {
  public:
    explicit Impl(Sink sink)
        : sink_(std::move(sink)), context_(ZSTD_createCCtx()), buffer_(ZSTD_CStreamOutSize(), '\0') {
        if (!context_) {
            throw std::bad_alloc();
        }
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, k_level);
    }

    void feed(std::string_view bytes, ZSTD_EndDirective mode) {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        for (bool done = false; !done;) {
            ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
            const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, mode);
            if (ZSTD_isError(left) != 0U) {
                fail_compress(left);
            }
            if (out.pos > 0) {
                sink_({buffer_.data(), out.pos});
            }
            done = mode == ZSTD_e_end ? left == 0 : in.pos == in.size;
        }
    }

  private:
    Sink sink_;
    std::unique_ptr<ZSTD_CCtx, FreeCompress> context_;
    std::string buffer_;
};

Compressor::Compressor(Sink sink) : impl_(std::make_unique<Impl>(std::move(sink))) {}
Compressor::~Compressor() = default;
void Compressor::write(std::string_view bytes) {
    impl_->feed(bytes, ZSTD_e_continue);
}
void Compressor::finish() {
    impl_->feed({}, ZSTD_e_end);
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
