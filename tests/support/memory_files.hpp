#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/ports/files.hpp"

namespace amp::test {

/// Files in memory. Paths are absolute; parent folders come with what is added. Every change gets the next
/// inode and the time `now_ns`.
class MemoryFiles : public Files {
  public:
    explicit MemoryFiles(std::string current_folder = "/project") : current_(std::move(current_folder)) {
        add_folder(current_);
    }

    void add(const std::string& path, std::string content, bool executable = false);
    /// The content changes and nothing else does.
    void change_secretly(const std::string& path, std::string content) {
        nodes_.at(path).content = std::move(content);
    }
    void add_link(const std::string& path, const std::string& target);
    void add_folder(const std::string& path);
    void add_socket(const std::string& path);
    void remove(const std::string& path);
    /// Looking at it works, reading and listing do not.
    void forbid(const std::string& path) { nodes_.at(path).forbidden = true; }
    void set_current_folder(std::string folder) { current_ = std::move(folder); }

    std::int64_t now_ns = 1'000'000'000'000;
    std::vector<std::string> reads;  ///< paths that were read, in order
    std::size_t looks = 0;           ///< calls of info()
    bool tells_changes = false;      ///< by watch()

    std::string read(const std::string& path, std::uint64_t max_bytes) override;
    std::optional<FileInfo> info(const std::string& path) override;
    std::vector<std::string> list(const std::string& folder) override;
    std::string canonical(const std::string& path) override;
    std::string current_folder() override { return current_; }
    std::unique_ptr<Watch> watch(const std::string& folder) override;

  private:
    class AnyChange;
    struct Node {
        FileInfo info;
        std::string content;
        bool forbidden = false;
    };

    Node& put(const std::string& path, FileInfo::Kind kind);
    std::string absolute(const std::string& path) const;

    std::map<std::string, Node> nodes_;
    std::string current_;
    std::uint64_t last_inode_ = 0;
};

}  // namespace amp::test
