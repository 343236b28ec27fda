#include "core/package/code_manifest.hpp"

#include <algorithm>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/package/code_manifest_cache.hpp"
#include "core/package/code_manifest_git.hpp"
#include "core/package/code_manifest_walk.hpp"
#include "core/package/code_scan.hpp"
#include "core/package/glob_rules.hpp"
#include "core/package/lfs_pointer.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_ignore_file_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t k_large = std::uint64_t{8} << 20;  // no memory holds it as a whole
constexpr double k_kept_s =
    3 * 86400.0;  // well within the grace that gc gives to an object that nothing refers to

GlobRules rules_of(const std::vector<std::string>& globs) {
    GlobRules rules;
    for (const std::string& glob : globs) {
        rules.add(glob);
    }
    return rules;
}

/// In order of weight: what only running makes, the user's rules, and what can never be code.
GlobRules ignored_files(Files& files, const std::string& folder, const CodeSelection& selection) {
    GlobRules rules =
        rules_of({"__pycache__/", ".ipynb_checkpoints/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/"});
    const std::string path = folder + "/.ampignore";
    if (files.info(path)) {
        rules.add_lines(files.read(path, k_ignore_file_bytes));
    }
    for (const std::string& glob : selection.exclude) {
        rules.add(glob);
    }
    rules.add(".git");
    rules.add(".amp/");
    rules.add(".amp-run/");  // what amp checkout lays beside the code
    return rules;
}

FoundFiles find_all(Files& files, Process& process, const std::string& folder,
                    const CodeSelection& selection) {
    const GlobRules ignored = ignored_files(files, folder, selection);
    const auto known_to_git = git_files(process, folder);
    // A folder that a larger repository ignores (a project in a home folder kept in git) lists nothing.
    return known_to_git && !known_to_git->empty()
               ? look_at(files, folder, *known_to_git, ignored)
               : walk(files, folder, ignored, selection.limits.walked_files);
}

FoundFiles find_changed(Files& files, Process& process, const std::string& folder,
                        const CodeSelection& selection) {
    const auto changed = git_changes(process, folder);
    if (!changed) {
        throw Error(ExitCode::invalid,
                    "code = \"image+diff\" ships what differs from git's commit, and there is no commit here",
                    folder, "commit the code, or let [flow] code name files");
    }
    return look_at(files, folder, *changed, ignored_files(files, folder, selection));
}

FoundFiles find_files(Files& files, Process& process, const std::string& folder,
                      const CodeSelection& selection) {
    if (selection.mode == CodeMode::image) {
        return {};
    }
    FoundFiles found = selection.mode == CodeMode::files ? find_all(files, process, folder, selection)
                                                         : find_changed(files, process, folder, selection);
    const GlobRules included = rules_of(selection.include);
    if (!included.empty()) {
        std::erase_if(found.files, [&](const FoundFile& file) { return !included.names_file(file.path); });
        std::erase_if(found.gone, [&](const std::string& path) { return !included.names_file(path); });
    }
    const auto by_path = [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; };
    if (!std::is_sorted(found.files.begin(), found.files.end(), by_path)) {
        std::sort(found.files.begin(), found.files.end(), by_path);
    }
    return found;
}

/// The size from which on files are not read, so that what is read stays within the limits.
std::uint64_t first_size_too_large(const std::vector<FoundFile>& files, const CodeLimits& limits) {
    std::vector<std::uint64_t> sizes;
    std::uint64_t total = 0;
    for (const FoundFile& file : files) {
        if (file.info.size_bytes <= limits.file_bytes && file.info.kind == FileInfo::Kind::file) {
            sizes.push_back(file.info.size_bytes);
            total += file.info.size_bytes;
        }
    }
    std::uint64_t too_large = limits.file_bytes + 1;
    if (total > limits.total_bytes) {
        std::sort(sizes.begin(), sizes.end());
    }
    while (total > limits.total_bytes) {
        too_large = sizes.back();  // and all of that size: which of them must not depend on their order
        while (!sizes.empty() && sizes.back() == too_large) {
            total -= too_large;
            sizes.pop_back();
        }
    }
    return too_large;
}

class Hasher {
  public:
    Hasher(Files& files, ObjectStore& store, std::string folder, const CodeSelection& selection,
           Timestamp now, const KeepCode& keep)
        : files_(files),
          store_(store),
          folder_(std::move(folder)),
          keep_(keep),
          file_bytes_(selection.limits.file_bytes) {
        // What is remembered of all files must not make room for what is known of a few.
        key_ = "cache/code-" + sha256_hex(folder_) + (selection.mode == CodeMode::files ? "" : "-diff");
        new_.scanned = now;
        try {
            if (const auto stored = store_.get(key_)) {
                old_ = decode_hash_cache(stored->bytes).value_or(HashCache{});
                new_.hashes.reserve(old_.hashes.size());
            }
        } catch (const Error&) {  // a cache that cannot be read (another user's, say) is none
        }
    }

    /// Fills in the hash, remembered or from the content. Without one the file cannot be read; without a path
    /// it is gone. To be called in the order of paths. True of a pointer of git-lfs.
    bool hash(CodeEntry& entry, const FileInfo& info) {
        CachedHash* known = find(entry.path);
        if (known && still_valid(*known, info, old_.scanned) && (!keep_.content || is_kept(*known))) {
            entry.sha256 = known->sha256;
            new_.hashes.push_back(std::move(*known));
            return new_.hashes.back().lfs_pointer;
        }
        const std::optional<Content> content = info.size_bytes > k_large ? take_large(entry) : take(entry);
        if (!content) {
            return false;
        }
        entry.sha256 = content->stored.sha256;
        entry.size_bytes = content->stored.size_bytes;
        const Timestamp kept = keep_.content                            ? new_.scanned
                               : known && known->sha256 == entry.sha256 ? known->kept
                                                                        : Timestamp{};
        new_.hashes.push_back({entry.path, info.size_bytes, info.mtime_ns, info.ctime_ns, info.inode,
                               entry.sha256, kept, content->lfs_pointer});
        changed_ = true;
        return content->lfs_pointer;
    }

    void finish() {
        if (!changed_ && new_.hashes.size() == old_.hashes.size()) {
            return;
        }
        if (keep_.content) {
            store_.sync_pending();  // the cache must not promise contents that a crash takes away
        }
        try {
            store_.put(key_, encode(new_));
        } catch (const Error&) {  // the next scan takes longer, no more
        }
    }

  private:
    bool is_kept(const CachedHash& hash) const {
        return hash.kept.ms != 0 && hash.kept <= new_.scanned &&
               new_.scanned.seconds_since(hash.kept) < k_kept_s;
    }

    struct Content {
        StoredFile stored;
        bool lfs_pointer = false;
    };

    /// nullopt: it cannot be read; without a path it is gone.
    std::optional<Content> take(CodeEntry& entry) {
        std::string content;
        try {
            content = files_.read(folder_ + '/' + entry.path, file_bytes_);
        } catch (const Error& error) {
            if (error.code() == ExitCode::not_found) {
                entry.path.clear();
            }
            return std::nullopt;
        }
        StoredFile stored{keep_.content ? keep_.content(content) : sha256_hex(content), content.size()};
        return Content{std::move(stored), is_lfs_pointer(content)};
    }

    /// The same in bounded memory.
    std::optional<Content> take_large(CodeEntry& entry) {
        const std::string path = folder_ + '/' + entry.path;
        if (keep_.content && !keep_.file) {
            return take(entry);
        }
        bool readable = false;
        try {
            read_pieces(path, 0, [](std::string_view) {});
            readable = true;
            return Content{keep_.file ? keep_.file(path) : hash_file(path)};
        } catch (const Error& error) {
            if (readable && keep_.file && error.code() != ExitCode::mismatch) {
                throw;  // of the store
            }
            return std::nullopt;
        }
    }

    StoredFile hash_file(const std::string& path) const {
        Sha256 hash;
        std::uint64_t size = 0;
        read_pieces(path, file_bytes_, [&](std::string_view piece) {
            hash.update(piece);
            size += piece.size();
        });
        return {hash.hex(), size};
    }

    /// Each once.
    CachedHash* find(const std::string& path) {
        for (; next_ < old_.hashes.size(); ++next_) {
            const int order = old_.hashes[next_].path.compare(path);
            if (order >= 0) {
                return order == 0 ? &old_.hashes[next_++] : nullptr;
            }
        }
        return nullptr;
    }

    Files& files_;
    ObjectStore& store_;
    std::string folder_;
    const KeepCode& keep_;
    std::uint64_t file_bytes_;
    std::string key_;
    HashCache old_;
    HashCache new_;
    std::size_t next_ = 0;
    bool changed_ = false;
};

/// @param too_large as first_size_too_large gave it
/// @param pointers gets the path of a pointer of git-lfs
CodeEntry entry_of(FoundFile file, Hasher& hasher, std::uint64_t too_large,
                   std::vector<std::string>& pointers) {
    CodeEntry entry;
    entry.path = std::move(file.path);
    if (file.info.kind == FileInfo::Kind::folder) {
        entry.folder = true;
        return entry;
    }
    if (file.info.kind == FileInfo::Kind::link) {
        entry.link_target = std::move(file.info.link_target);
        return entry;
    }
    entry.executable = file.info.executable;
    entry.size_bytes = file.info.size_bytes;
    if (file.info.size_bytes < too_large && hasher.hash(entry, file.info)) {
        pointers.push_back(entry.path);
    }
    entry.mtime_ns = entry.sha256.empty() ? file.info.mtime_ns : 0;
    return entry;
}

bool is_unread(const CodeEntry& entry) {
    return entry.sha256.empty() && entry.link_target.empty() && !entry.folder;
}

}  // namespace

CodeManifest scan_code(Files& files, Process& process, ObjectStore& store, const std::string& folder,
                       const CodeSelection& selection, Timestamp now, const KeepContent& keep) {
    return scan_and_keep(files, process, store, folder, selection, now, {keep, {}});
}

CodeManifest scan_and_keep(Files& files, Process& process, ObjectStore& store, const std::string& folder,
                           const CodeSelection& selection, Timestamp now, const KeepCode& keep) {
    CodeManifest manifest;
    manifest.mode = selection.mode;
    if (manifest.mode != CodeMode::files) {
        manifest.base = git_state(process, folder).value_or(GitState{}).commit;
    }
    FoundFiles found = find_files(files, process, folder, selection);
    const std::uint64_t too_large = first_size_too_large(found.files, selection.limits);
    Hasher hasher(files, store, folder, selection, now, keep);
    manifest.truncated = !found.complete;
    manifest.entries.reserve(found.files.size());
    for (FoundFile& file : found.files) {
        CodeEntry entry = entry_of(std::move(file), hasher, too_large, manifest.lfs_pointers);
        if (!entry.path.empty()) {
            manifest.truncated = manifest.truncated || is_unread(entry);
            manifest.entries.push_back(std::move(entry));
        }
    }
    if (manifest.mode == CodeMode::image_diff) {
        manifest.deleted = std::move(found.gone);
    }
    hasher.finish();
    manifest.hash = hash_of(manifest);
    return manifest;
}

}  // namespace amp
