#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "core/base/unique_fd.hpp"
#include "core/package/code_manifest.hpp"

namespace amp {

/// Lays the entries of a manifest into a new folder that nobody else knows yet. Paths are inner ones
/// (core/package/layable.hpp), and links come last, so that none is on the way of a file.
/// @throws Error(mismatch) when the file system takes two names for one, or one for too long
class TreeWriter {
  public:
    enum class Files { own, read_only };  ///< own: as the umask has it

    /// @param folder is there, and empty
    TreeWriter(std::string folder, Files files);

    void begin_file(const CodeEntry& entry);
    void write(const CodeEntry& entry, std::string_view bytes);
    void end_file(const CodeEntry& entry);
    void lay_folder(const CodeEntry& entry);
    void lay_link(const CodeEntry& entry);
    /// Nobody writes into its folders by mistake. The last before sync.
    void close_folders();
    /// Makes all of it durable, by one call.
    void sync();

  private:
    void make_folders_of(std::string_view path);
    void make_folder(std::string_view path);
    [[noreturn]] void fail(std::string_view path) const;

    std::string folder_;
    Files files_;
    UniqueFd root_;
    UniqueFd file_;
    std::unordered_set<std::string> made_;
};

}  // namespace amp
