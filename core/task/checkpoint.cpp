#include "core/task/checkpoint.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/base/value.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr int k_schema = 1;
constexpr std::uint32_t k_kept = 2;
constexpr std::size_t k_all = std::numeric_limits<std::size_t>::max();

/// All rounds of a task have one checkpoint.
std::string key_of(TaskName task) {
    task.index.round = 0;
    return task.text();
}

std::vector<std::uint32_t> saves_of(ObjectStore& store, const std::string& prefix) {
    std::vector<std::uint32_t> out;
    for (const std::string& key : store.list_after(prefix, {}, k_all)) {
        std::uint32_t seq = 0;
        if (std::from_chars(key.data() + prefix.size(), key.data() + key.size(), seq).ec == std::errc()) {
            out.push_back(seq);
        }
    }
    return out;  // ascending, as the keys are
}

Manifest manifest_of_record(const std::string& bytes, const std::string& key) {
    const Value record = json::parse(bytes, key);
    const Value* manifest = record.find("manifest");
    if (get_int(record, "schema") != k_schema || manifest == nullptr) {
        throw Error(ExitCode::mismatch, "it was written by another version of amp", key);
    }
    return manifest_from(json::dump(*manifest));
}

std::int64_t ns_of(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Checkpoint::Checkpoint(std::string folder, ObjectStore& store, std::string run, const TaskName& task)
    : folder_(std::move(folder)), store_(store), run_(std::move(run)), task_(key_of(task)) {}

std::vector<std::string> Checkpoint::lay() {
    std::vector<std::string> problems;
    if (laid_) {
        return problems;
    }
    const std::vector<std::uint32_t> saves = saves_of(store_, layout::checkpoint_prefix(run_, task_));
    last_ = saves.empty() ? 0 : saves.back();
    bool done = false;
    for (auto seq = saves.rbegin(); seq != saves.rend() && !done; ++seq) {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        known_.clear();
        const std::string key = layout::checkpoint(run_, task_, *seq);
        try {
            const auto stored = store_.get(key);
            const Manifest manifest = manifest_of_record(stored ? stored->bytes : "", key);
            lay_manifest(manifest);
            last_text_ = manifest_text(manifest);
            done = true;
        } catch (const Error& error) {
            if (error.code() == ExitCode::infrastructure || error.code() == ExitCode::store_full) {
                throw;
            }
            problems.push_back(fmt::format("what was saved of its checkpoint ({}) cannot be used: {}", *seq,
                                           error.message()));
        }
    }
    if (!done) {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        known_.clear();
    }
    fs::permissions(folder_, fs::perms::owner_all);
    laid_ = true;
    return problems;
}

void Checkpoint::lay_manifest(const Manifest& manifest) {
    Objects objects(store_);
    for (const ManifestEntry& entry : manifest.entries) {
        const std::string path = path_of(entry.path);
        if (entry.kind == ManifestEntry::Kind::folder) {
            fs::create_directories(path);
            continue;
        }
        fs::create_directories(fs::path(path).parent_path());
        if (entry.kind == ManifestEntry::Kind::link) {
            fs::create_symlink(entry.link_target, path);
            continue;
        }
        objects.get_to_file(entry.sha256, path);
        if (::chmod(path.c_str(), entry.executable ? 0755 : 0644) != 0) {  // the task goes on writing it
            throw Error::system("change the mode of", path, errno);
        }
        struct stat info {};
        if (::lstat(path.c_str(), &info) == 0) {
            known_[entry.path] =
                Known{ns_of(info.st_mtim), static_cast<std::uint64_t>(info.st_size), info.st_ino, entry};
        }
    }
}

Checkpoint::Saved Checkpoint::save(Timestamp now, std::uint32_t attempt, double quiet_s) {
    Saved saved;
    manifest_ = {};
    quiet_before_ns_ = quiet_s > 0 ? (now.ms - static_cast<std::int64_t>(quiet_s * 1000)) * 1'000'000
                                   : std::numeric_limits<std::int64_t>::max();
    left_before_ = std::exchange(left_, {});
    std::map<std::string, Known> seen;
    walk("", seen, saved);
    known_ = std::move(seen);
    std::sort(manifest_.entries.begin(), manifest_.entries.end(),
              [](const ManifestEntry& a, const ManifestEntry& b) { return a.path < b.path; });
    std::string text = manifest_text(manifest_);
    if (text == last_text_ || (last_ == 0 && manifest_.entries.empty())) {
        return saved;
    }
    store_.sync_pending();
    const std::string record = json::dump(Object{{"schema", k_schema},
                                                 {"task", task_},
                                                 {"attempt", static_cast<std::int64_t>(attempt)},
                                                 {"at", format_time(now)},
                                                 {"manifest", json::parse(text, "a manifest")}});
    while (store_.put_if_absent(layout::checkpoint(run_, task_, ++last_), record) == PutResult::exists) {
    }
    last_text_ = std::move(text);
    saved.written = true;
    for (const std::uint32_t seq : saves_of(store_, layout::checkpoint_prefix(run_, task_))) {
        if (seq + k_kept <= last_) {
            store_.remove(layout::checkpoint(run_, task_, seq));
        }
    }
    return saved;
}

void Checkpoint::walk(const std::string& inner, std::map<std::string, Known>& seen, Saved& saved) {
    bool empty = true;
    std::error_code gone;
    for (fs::directory_iterator it(inner.empty() ? folder_ : path_of(inner), gone), end; !gone && it != end;
         it.increment(gone)) {
        empty = false;
        const std::string name = it->path().filename().string();
        const std::string path = inner.empty() ? name : fmt::format("{}/{}", inner, name);
        std::error_code unknown;
        const fs::file_type type = it->symlink_status(unknown).type();
        if (!is_utf8(path)) {
            saved.notes.push_back(
                fmt::format("'{}' of its checkpoint is not saved: its name is not UTF-8", to_utf8(path)));
        } else if (type == fs::file_type::directory) {
            walk(path, seen, saved);
        } else if (type == fs::file_type::regular) {
            add_file(path, seen, saved);
        } else if (type == fs::file_type::symlink) {
            add_link(path, saved);
        } else if (type != fs::file_type::not_found && type != fs::file_type::none) {
            saved.notes.push_back(
                fmt::format("'{}' of its checkpoint is not saved: it is neither a file nor a folder", path));
        }
    }
    if (gone == std::errc::permission_denied) {
        saved.notes.push_back(
            fmt::format("the folder '{}' of its checkpoint is not saved: {}", inner, gone.message()));
    } else if (gone && gone != std::errc::no_such_file_or_directory && gone != std::errc::not_a_directory) {
        throw Error::system("read", path_of(inner),
                            gone.value());  // or what it holds would be taken for gone
    }
    if (empty && !inner.empty()) {
        manifest_.entries.push_back({ManifestEntry::Kind::folder, inner, false, {}, 0, {}});
    }
}

void Checkpoint::add_link(const std::string& path, Saved& saved) {
    std::error_code gone;
    const std::string target = fs::read_symlink(path_of(path), gone).string();
    if (gone) {
        return;
    }
    if (!is_inner_link(path, target)) {
        saved.notes.push_back(
            fmt::format("the link '{}' of its checkpoint is not saved: it leads out of the folder", path));
        return;
    }
    manifest_.entries.push_back({ManifestEntry::Kind::link, path, false, target, 0, {}});
}

void Checkpoint::add_file(const std::string& path, std::map<std::string, Known>& seen, Saved& saved) {
    struct stat info {};
    if (::lstat(path_of(path).c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return;
    }
    const auto known = known_.find(path);
    const bool executable = (info.st_mode & S_IXUSR) != 0;
    const bool same = known != known_.end() && known->second.mtime_ns == ns_of(info.st_mtim) &&
                      known->second.size == static_cast<std::uint64_t>(info.st_size) &&
                      known->second.inode == info.st_ino && known->second.entry.executable == executable;
    std::optional<Known> now;
    if (same) {
        now = known->second;
    } else if (ns_of(info.st_mtim) > quiet_before_ns_ && !left_before_.contains(path)) {
        left_.insert(path);
    } else {
        try {
            now = read_file(path);
        } catch (const Error& error) {
            if (error.code() != ExitCode::not_found && error.code() != ExitCode::mismatch) {
                saved.notes.push_back(
                    fmt::format("'{}' of its checkpoint is not saved: {}", path, error.message()));
                if (error.code() == ExitCode::store_full) {
                    throw;
                }
            }
        }
    }
    if (!now && known != known_.end()) {
        now = known->second;  // what was saved of it stands, and it is looked at again
    }
    if (now) {
        now->entry.path = path;
        manifest_.entries.push_back(now->entry);
        seen[path] = std::move(*now);
    }
}

/// nullopt: it changes while it is read.
std::optional<Checkpoint::Known> Checkpoint::read_file(const std::string& path) const {
    const std::string full = path_of(path);
    struct stat before {};
    struct stat after {};
    if (::lstat(full.c_str(), &before) != 0) {
        return std::nullopt;
    }
    const ObjectInfo stored = Objects(store_).put_file(full);
    const bool same = ::lstat(full.c_str(), &after) == 0 && before.st_ino == after.st_ino &&
                      ns_of(before.st_mtim) == ns_of(after.st_mtim) && before.st_size == after.st_size &&
                      stored.size_bytes == static_cast<std::uint64_t>(after.st_size);
    if (!same) {
        return std::nullopt;
    }
    return Known{ns_of(after.st_mtim),
                 stored.size_bytes,
                 after.st_ino,
                 {ManifestEntry::Kind::file,
                  path,
                  (after.st_mode & S_IXUSR) != 0,
                  {},
                  stored.size_bytes,
                  stored.sha256}};
}

void take_over_checkpoint(ObjectStore& store, const std::string& from, const std::string& to,
                          const TaskName& task) {
    const std::string name = key_of(task);
    const auto saves = saves_of(store, layout::checkpoint_prefix(from, name));
    if (saves.empty() || !saves_of(store, layout::checkpoint_prefix(to, name)).empty()) {
        return;
    }
    if (const auto record = store.get(layout::checkpoint(from, name, saves.back()))) {
        store.put_if_absent(layout::checkpoint(to, name, 1), record->bytes);
    }
}

void drop_checkpoints(ObjectStore& store, const std::string& run) {
    for (const std::string& key : store.list_after(layout::checkpoints_prefix(run), {}, k_all)) {
        store.remove(key);
    }
}

void drop_checkpoint(ObjectStore& store, const std::string& run, const TaskName& task) {
    for (const std::string& key : store.list_after(layout::checkpoint_prefix(run, key_of(task)), {}, k_all)) {
        store.remove(key);
    }
}

}  // namespace amp
