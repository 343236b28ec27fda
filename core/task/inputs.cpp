#include "core/task/inputs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/base/unique_fd.hpp"
#include "core/package/manifest.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr mode_t k_read_only = 0444;
constexpr mode_t k_read_only_program = 0555;
constexpr auto k_look_every = std::chrono::hours(24);
constexpr auto k_keep_unused = std::chrono::hours(24 * 30);

class Laying {
  public:
    explicit Laying(const InputPlaces& places) : places_(places), objects_(places.store) {}

    void lay(const TaskInput& input) {
        if (!is_inner_path(input.path)) {
            throw Error(ExitCode::invalid,
                        fmt::format("the input '{}' would lie outside $AMP_IN", input.path));
        }
        const std::string path = places_.in_folder + "/" + input.path;
        switch (input.artifact.kind) {
            case Artifact::Kind::value:
                lay_text(value_text(input.artifact), path.ends_with(".json") ? path : path + ".json");
                break;
            case Artifact::Kind::file:
                make_folder_of(path);
                lay_object(input.artifact.sha256, input.artifact.size_bytes, path, false);
                break;
            case Artifact::Kind::folder:
                lay_folder(input.artifact, path);
                break;
        }
    }

    /// The folders too become read-only, when all is in them.
    void close() {
        for (const std::string& folder : folders_) {
            chmod(folder.c_str(), k_read_only_program);
        }
    }

    void make_folders(const std::string& path) {
        std::error_code failed;
        for (fs::path folder = path; folder.string().size() >= places_.in_folder.size();
             folder = folder.parent_path()) {
            if (!folders_.insert(folder.string()).second) {
                break;
            }
        }
        fs::create_directories(path, failed);
        if (failed) {
            throw Error::system("cannot create", path, failed.value());
        }
    }

  private:
    void make_folder_of(const std::string& path) { make_folders(fs::path(path).parent_path().string()); }

    std::string value_text(const Artifact& artifact) {
        if (artifact.value) {
            return json::dump(*artifact.value);
        }
        if (!artifact.pack.empty()) {
            return read_piece(places_.files,
                              {artifact.pack, artifact.pack_offset, artifact.size_bytes, artifact.sha256});
        }
        return objects_.get(artifact.sha256);
    }

    void lay_text(const std::string& text, const std::string& path) {
        make_folder_of(path);
        const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, k_read_only));
        std::size_t written = 0;
        while (file && written < text.size()) {
            const ssize_t n = write(file.get(), text.data() + written, text.size() - written);
            if (n < 0 && errno != EINTR) {
                break;
            }
            written += n < 0 ? 0 : static_cast<std::size_t>(n);
        }
        if (!file || written < text.size()) {
            throw Error::system("cannot write", path, errno);
        }
    }

    void lay_folder(const Artifact& artifact, const std::string& path) {
        const Manifest manifest = manifest_from(objects_.get(artifact.sha256));
        make_folders(path);
        for (const ManifestEntry& entry : manifest.entries) {
            const std::string place = path + "/" + entry.path;
            if (entry.kind == ManifestEntry::Kind::folder) {
                make_folders(place);
                continue;
            }
            make_folder_of(place);
            if (entry.kind == ManifestEntry::Kind::file) {
                lay_object(entry.sha256, entry.size_bytes, place, entry.executable);
            } else if (symlink(entry.link_target.c_str(), place.c_str()) != 0) {
                throw Error::system("cannot create", place, errno);
            }
        }
    }

    void lay_object(const std::string& sha256, std::uint64_t size, const std::string& path, bool executable) {
        const std::string source = plain_file(sha256, size);
        const mode_t mode = executable ? k_read_only_program : k_read_only;
        if (clone(source, path, mode)) {
            return;
        }
        if (!executable && symlink(source.c_str(), path.c_str()) == 0) {
            return;
        }
        std::error_code failed;
        fs::copy_file(source, path, failed);
        if (failed) {
            throw Error::system("cannot write", path, failed.value());
        }
        chmod(path.c_str(), mode);
    }

    /// Shares the bytes with the source where the file system can.
    static bool clone(const std::string& source, const std::string& path, mode_t mode) {
        const UniqueFd from(open(source.c_str(), O_RDONLY | O_CLOEXEC));
        const UniqueFd to(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
        if (!from || !to) {
            return false;
        }
        if (ioctl(to.get(), FICLONE, from.get()) == 0) {
            return true;
        }
        unlink(path.c_str());
        return false;
    }

    /// A read-only file with the object's content: the store's own if it is raw, else one unpacked for this
    /// node.
    std::string plain_file(const std::string& sha256, std::uint64_t size) {
        struct stat info {};
        if (!places_.store_folder.empty()) {
            std::string raw = places_.store_folder + "/" + layout::object(sha256, false);
            if (stat(raw.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) == size) {
                if ((info.st_mode & 0222U) != 0) {  // a task must not write through the link
                    chmod(raw.c_str(), info.st_mode & 0444U);
                }
                return raw;
            }
        }
        const std::string folder = places_.cache_folder + "/" + sha256.substr(0, 2);
        std::string cached = folder + "/" + sha256.substr(2);
        if (stat(cached.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) == size) {
            utimensat(AT_FDCWD, cached.c_str(), nullptr, 0);  // in use: prune_cache keeps it
            return cached;
        }
        std::error_code failed;
        fs::create_directories(folder, failed);
        const std::string fresh = fmt::format("{}.{:x}", cached, random_bits());
        objects_.get_to_file(sha256, fresh);
        if (rename(fresh.c_str(), cached.c_str()) != 0) {
            throw Error::system("cannot create", cached, errno);
        }
        return cached;
    }

    const InputPlaces& places_;
    Objects objects_;
    std::set<std::string> folders_;
};

}  // namespace

void lay_inputs(const std::vector<TaskInput>& inputs, const InputPlaces& places) {
    Laying laying(places);
    laying.make_folders(places.in_folder);
    for (const TaskInput& input : inputs) {
        laying.lay(input);
    }
    laying.close();
}

void prune_cache(const std::string& cache_folder) {
    std::error_code failed;
    const std::string mark = cache_folder + "/pruned";
    const auto now = fs::file_time_type::clock::now();
    const auto last = fs::last_write_time(mark, failed);
    if (!fs::is_directory(cache_folder) || (!failed && now - last < k_look_every)) {
        return;
    }
    const UniqueFd touched(open(mark.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    utimensat(AT_FDCWD, mark.c_str(), nullptr, 0);
    for (const fs::directory_entry& folder : fs::directory_iterator(cache_folder, failed)) {
        for (const fs::directory_entry& file : fs::directory_iterator(folder, failed)) {
            const auto used = fs::last_write_time(file, failed);
            if (!failed && now - used > k_keep_unused) {
                fs::remove(file, failed);
            }
        }
    }
}

}  // namespace amp
