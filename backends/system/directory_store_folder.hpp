#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/system/fd_io.hpp"
#include "core/ports/append_files.hpp"

namespace amp {

/// Who may read and write a store's folder: its owner (0700/0600), or the owner and the group (2770/0660).
enum class Sharing { owner, group };

/// "private" or "group", as store.json says it. @throws Error(invalid)
Sharing parse_sharing(std::string_view text);
std::string_view sharing_name(Sharing sharing);

/// A store's folder on a file system: what DirectoryStore and LocalAppendFiles have in common. Thread-safe.
/// Names that are no keys (temporary files begin with '~'), `.gitignore`, `.locks` and `reserve` are never
/// listed.
///
/// `reserve` is a file of 1 MiB. Whoever first finds no room empties it; while it is empty, all who write
/// here (other processes too) write only what may use the reserve.
class StoreFolder {
  public:
    /// Opens the folder, or makes it with a `.gitignore` that ignores all of it. `sharing` is for a new one;
    /// an existing one tells its own by its mode. Cheap: no scans.
    StoreFolder(std::string root, Sharing sharing);

    Sharing sharing() const { return sharing_; }
    int fd() const { return root_fd_.get(); }
    mode_t file_mode() const { return sharing_ == Sharing::group ? 0660 : 0600; }
    /// For messages: the path of a key.
    std::string path(std::string_view key) const { return root_ + "/" + std::string(key); }

    /// Opens for reading, without following a link in the last part; an empty UniqueFd when there is no such
    /// file.
    UniqueFd open_read(std::string_view key) const;
    /// Opens with O_NOFOLLOW, making folders as needed; a file that it creates gets file_mode whatever the
    /// umask is. An empty UniqueFd and errno EEXIST only with O_EXCL.
    UniqueFd open_write(const std::string& key, int flags);
    /// Writes all of `bytes` to a file of the store. @throws Error naming `key`; Error(store_full) also when
    /// the reserve was given up and `room` is ordinary
    void write(int file, std::string_view bytes, std::string_view key, Room room);
    /// Fills the reserve, if it is not there. @throws Error(store_full) when there is no room for it
    void keep_reserve();
    /// True while the reserve is given up.
    bool is_full() const;
    /// To be called when something found no room. True when that made some.
    bool give_up_reserve();
    /// Makes the folders above `key` that are missing.
    void make_parents(const std::string& key);
    /// Makes the entry of `key` durable: its folder, and once the folders above that.
    void sync_parents(std::string_view key) { sync_parents(std::vector<std::string>{std::string(key)}); }
    /// The same for many, each folder once.
    void sync_parents(const std::vector<std::string>& keys);
    /// Makes `keys` durable, with all else on their file system, by one system call. False when that cannot
    /// be done here: then sync each. @throws Error when something on that file system got lost
    bool sync_all(const std::vector<std::string>& keys);
    /// Removes the folders above `key` that became empty.
    void remove_empty_parents(std::string_view key);

    /// Keys that begin with `prefix` and sort after `after`, in byte order of the whole key.
    std::vector<std::string> list(std::string_view prefix, std::string_view after, std::size_t limit) const;
    /// Names right below `folder` ("" or a key followed by '/'), sorted.
    std::vector<std::string> children(std::string_view folder) const;

    /// Paths of files with temporary names, also of other processes, wherever they lie.
    std::vector<std::string> temporary() const;

  private:
    /// The names in a folder, sorted; folders end in '/', so that they sort as their keys do.
    std::vector<std::string> entries(const std::string& folder) const;
    void walk(const std::string& folder, std::string_view prefix, std::string_view after, std::size_t limit,
              std::vector<std::string>& out) const;
    void sync_folder(const std::string& folder) const;
    void adopt_or_prepare(bool created, Sharing wanted);

    std::string root_;
    UniqueFd root_fd_;
    Sharing sharing_ = Sharing::owner;
    std::mutex mutex_;
    std::set<std::string, std::less<>> durable_;  ///< folders whose own entry is known to be on the disk
};

/// Calls `action` for 0 … count - 1, some at the same time when there are many: syncs that wait together
/// share the file system's commit and the disk's flush. Rethrows the first failure when all have ended.
void in_parallel(std::size_t count, const std::function<void(std::size_t)>& action);

/// @throws Error(bug) unless `key` is a key that a store folder can hold
void check_key(std::string_view key);

}  // namespace amp
