#include "tests/support/memory_files.hpp"

#include <cerrno>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp::test {

MemoryFiles::Node& MemoryFiles::put(const std::string& path, FileInfo::Kind kind) {
    if (const std::size_t slash = path.rfind('/'); slash != 0 && slash != std::string::npos) {
        add_folder(path.substr(0, slash));
    }
    Node& node = nodes_[path];
    node.info.kind = kind;
    node.info.mtime_ns = node.info.ctime_ns = now_ns;
    node.info.inode = ++last_inode_;
    return node;
}

void MemoryFiles::add(const std::string& path, std::string content, bool executable) {
    Node& node = put(path, FileInfo::Kind::file);
    node.info.size_bytes = content.size();
    node.info.executable = executable;
    node.content = std::move(content);
}

void MemoryFiles::add_link(const std::string& path, const std::string& target) {
    put(path, FileInfo::Kind::link).info.link_target = target;
}

void MemoryFiles::add_folder(const std::string& path) {
    if (!nodes_.contains(path)) {
        put(path, FileInfo::Kind::folder);
    }
}

void MemoryFiles::add_socket(const std::string& path) {
    put(path, FileInfo::Kind::other);
}

void MemoryFiles::remove(const std::string& path) {
    std::erase_if(nodes_,
                  [&](const auto& node) { return node.first == path || node.first.starts_with(path + '/'); });
}

std::string MemoryFiles::absolute(const std::string& path) const {
    const std::string whole = path.starts_with('/') ? path : current_ + '/' + path;
    std::vector<std::string> parts;
    for (const std::string_view part : split(whole, '/')) {
        if (part == ".." && !parts.empty()) {
            parts.pop_back();
        } else if (!part.empty() && part != "." && part != "..") {
            parts.emplace_back(part);
        }
    }
    return '/' + join(parts, "/");
}

std::string MemoryFiles::read(const std::string& path, std::uint64_t max_bytes) {
    reads.push_back(path);
    const auto found = nodes_.find(absolute(path));
    if (found == nodes_.end()) {
        throw Error::system("cannot read", path, ENOENT);
    }
    if (found->second.forbidden) {
        throw Error::system("cannot read", path, EACCES);
    }
    if (found->second.info.kind != FileInfo::Kind::file || found->second.content.size() > max_bytes) {
        throw Error(ExitCode::invalid, "'" + path + "' is too large or no regular file", path);
    }
    return found->second.content;
}

std::optional<FileInfo> MemoryFiles::info(const std::string& path) {
    ++looks;
    const auto found = nodes_.find(absolute(path));
    return found == nodes_.end() ? std::nullopt : std::optional(found->second.info);
}

std::vector<std::string> MemoryFiles::list(const std::string& folder) {
    const std::string top = absolute(folder);
    const auto found = nodes_.find(top);
    if (found == nodes_.end() && top != "/") {
        throw Error::system("cannot list", folder, ENOENT);
    }
    if (found != nodes_.end() && found->second.forbidden) {
        throw Error::system("cannot list", folder, EACCES);
    }
    const std::string prefix = top == "/" ? top : top + '/';
    std::vector<std::string> names;
    for (auto node = nodes_.lower_bound(prefix); node != nodes_.end() && node->first.starts_with(prefix);
         ++node) {
        if (node->first.find('/', prefix.size()) == std::string::npos) {
            names.push_back(node->first.substr(prefix.size()));
        }
    }
    return names;
}

std::string MemoryFiles::canonical(const std::string& path) {
    const std::string whole = absolute(path);
    const auto found = nodes_.find(whole);
    if (found == nodes_.end()) {
        throw Error::system("cannot find", path, ENOENT);
    }
    if (found->second.info.kind == FileInfo::Kind::link) {
        const std::string& target = found->second.info.link_target;
        return canonical(target.starts_with('/') ? target : whole.substr(0, whole.rfind('/') + 1) + target);
    }
    return whole;
}

/// Whatever is added.
class MemoryFiles::AnyChange : public Watch {
  public:
    explicit AnyChange(const MemoryFiles& files) : files_(files), seen_(files.last_inode_) {}
    int fd() const override { return -1; }
    bool take() override { return std::exchange(seen_, files_.last_inode_) != files_.last_inode_; }

  private:
    const MemoryFiles& files_;
    std::uint64_t seen_;
};

std::unique_ptr<Watch> MemoryFiles::watch(const std::string& /*folder*/) {
    return tells_changes ? std::make_unique<AnyChange>(*this) : nullptr;
}

}  // namespace amp::test
