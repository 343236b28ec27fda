#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/watch.hpp"

namespace amp {

struct FileInfo {
    enum class Kind { file, folder, link, other };
    Kind kind = Kind::file;
    bool executable = false;
    std::uint64_t size_bytes = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;
    std::uint64_t inode = 0;
    std::string link_target;
};

/// The user's files: the project folder, flow files, inputs. Never the store.
class Files {
  public:
    virtual ~Files() = default;
    /// The whole file. @throws Error(not_found), or Error(invalid) when it is larger than `max_bytes` or no
    /// regular file
    virtual std::string read(const std::string& path, std::uint64_t max_bytes) = 0;
    /// Without following a link; nullopt when there is nothing.
    virtual std::optional<FileInfo> info(const std::string& path) = 0;
    /// Names in a folder, sorted by bytes, without "." and "..".
    virtual std::vector<std::string> list(const std::string& folder) = 0;
    /// Absolute, with links resolved. @throws Error(not_found)
    virtual std::string canonical(const std::string& path) = 0;
    virtual std::string current_folder() = 0;
    /// What appears in a folder from now on, by its name; nothing below that. nullptr where that cannot be
    /// told (another machine may write there): look from time to time.
    virtual std::unique_ptr<Watch> watch(const std::string& /*folder*/) { return nullptr; }
};

}  // namespace amp
