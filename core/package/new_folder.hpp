#pragma once

#include <string>

namespace amp {

/// A folder that is being filled, beside the place where it goes: `.NAME.` and letters by chance. Removed
/// when it goes, unless it was moved to its place: so that a folder is there whole, or not at all.
class NewFolder {
  public:
    /// @param place absolute, or relative without a '/' at its end; the folder around it must exist
    explicit NewFolder(std::string place);
    ~NewFolder();
    NewFolder(const NewFolder&) = delete;
    NewFolder& operator=(const NewFolder&) = delete;

    const std::string& path() const { return path_; }
    /// Over an empty folder, or where nothing is. False when something is there.
    bool move_to_place();

    /// What the names of folders that are being filled for `place` begin with, in the folder around it.
    static std::string beginning(const std::string& place);

  private:
    std::string place_;
    std::string path_;
};

}  // namespace amp
