#pragma once

#include <string>
#include <string_view>

#include "backends/system/directory_store_folder.hpp"

namespace amp {

/// A file under a temporary name beside its key; removed unless it was published.
class TempFile {
  public:
    TempFile(StoreFolder& folder, std::string key, Room room = Room::ordinary);
    ~TempFile();
    TempFile(const TempFile&) = delete;
    TempFile& operator=(const TempFile&) = delete;

    const std::string& key() const { return key_; }
    void write(std::string_view bytes);
    void sync();
    /// Gives it its name. False when the key exists.
    bool publish_new();
    /// Gives it its name in place of what has it.
    void publish_over();

  private:
    StoreFolder& folder_;
    std::string key_;
    std::string name_;
    UniqueFd file_;
    Room room_;
    bool published_ = false;
};

/// fsync. @throws Error naming `path`
void sync_file(int fd, const std::string& path);

}  // namespace amp
