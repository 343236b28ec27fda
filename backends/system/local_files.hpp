#pragma once

#include <map>

#include "core/ports/files.hpp"

namespace amp {

/// Files on this machine. Relative paths are below the current folder.
class LocalFiles : public Files {
  public:
    std::string read(const std::string& path, std::uint64_t max_bytes) override;
    std::optional<FileInfo> info(const std::string& path) override;
    std::vector<std::string> list(const std::string& folder) override;
    std::string canonical(const std::string& path) override;
    std::string current_folder() override;
    std::unique_ptr<Watch> watch(const std::string& folder) override;

  private:
    std::map<std::string, std::string> streams_;  ///< what came from those that were read: it comes once
};

}  // namespace amp
