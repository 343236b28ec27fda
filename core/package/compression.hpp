#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// zstd, for objects and code packages.
namespace amp::compression {

using Sink = std::function<void(std::string_view)>;

/// Whether content that begins with `sample` (its first MiB) is worth compressing: the sample shrinks by 10
/// %.
bool worth_compressing(std::string_view sample);

/// One frame.
std::string compress(std::string_view bytes);

/// Gives at most `length` of the compressed bytes from `offset`.
using ReadAt = std::function<std::string(std::uint64_t offset, std::uint64_t length)>;
/// Do `size` compressed bytes hold whole frames, of `plain_size` bytes together? Looks at the headers of the
/// blocks alone: what is cut short shows, damage within a block does not.
bool is_whole(std::uint64_t size, std::uint64_t plain_size, const ReadAt& read_at);

/// What a stream is worth. The bytes depend on the level alone.
struct Effort {
    int level = 1;            ///< zstd's; of what is large: models and data shrink little more at 3
    std::size_t workers = 2;  ///< threads
};

/// Compresses a stream in bounded memory into frames, on threads of its own; `sink` is called by the
/// caller's.
class Compressor {
  public:
    explicit Compressor(Sink sink, Effort effort = {});
    ~Compressor();
    void write(std::string_view bytes);
    /// Call once, last.
    void finish();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Decompresses a stream of frames in bounded memory.
class Decompressor {
  public:
    explicit Decompressor(Sink sink);
    ~Decompressor();
    /// @throws Error(mismatch) when the bytes are not zstd's
    void write(std::string_view bytes);
    /// Call once, last. @throws Error(mismatch) when the stream is cut short
    void finish();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace amp::compression
