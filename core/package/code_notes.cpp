#include "core/package/code_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_shown = 5;
constexpr std::uint64_t k_share = 20;  // a part of less than a twentieth is not heavy
constexpr double k_nearly_all = 0.8;

/// A folder of the code; "" is the project's.
struct Folder {
    std::uint64_t size_bytes = 0;
    std::size_t files = 0;
    std::vector<std::string_view> folders;  ///< in it
    std::vector<const CodeEntry*> entries;  ///< heavy files in it
};

class Weights {
  public:
    explicit Weights(const CodeManifest& code)
        : least_(std::max<std::uint64_t>(total_bytes(code) / k_share, 1)) {
        folders_[""];
        for (const CodeEntry& entry : code.entries) {
            add(entry);
        }
    }

    std::vector<HeavyPart> heaviest(std::size_t most) {
        list("");
        std::stable_sort(out_.begin(), out_.end(),
                         [](const HeavyPart& a, const HeavyPart& b) { return a.size_bytes > b.size_bytes; });
        out_.resize(std::min(out_.size(), most));
        return std::move(out_);
    }

  private:
    void add(const CodeEntry& entry) {
        const std::string_view path = entry.path;
        std::string_view around = "";
        for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
            const std::string_view name = path.substr(0, at);
            if (folders_.try_emplace(name).second) {
                folders_[around].folders.push_back(name);
            }
            weigh(folders_[around], entry);
            around = name;
        }
        Folder& in = folders_[around];
        weigh(in, entry);
        if (entry.size_bytes >= least_) {
            in.entries.push_back(&entry);
        }
    }

    static void weigh(Folder& folder, const CodeEntry& entry) {
        folder.size_bytes += entry.size_bytes;
        folder.files += entry.folder ? 0 : 1;
    }

    /// The heavy parts of a folder.
    void list(std::string_view name) {
        std::vector<std::string_view> left = {name};  // a stack, so that no depth overflows ours
        while (!left.empty()) {
            const Folder& folder = folders_.at(left.back());
            left.pop_back();
            for (const CodeEntry* entry : folder.entries) {
                out_.push_back({entry->path, entry->size_bytes, 1});
            }
            for (const std::string_view inner : folder.folders) {
                const Folder& part = folders_.at(inner);
                if (part.size_bytes < least_) {
                    continue;
                }
                if (has_all_in_one(part)) {
                    left.push_back(inner);
                } else {
                    out_.push_back({std::string(inner) + "/", part.size_bytes, part.files});
                }
            }
        }
    }

    bool has_all_in_one(const Folder& folder) const {
        const auto least = static_cast<std::uint64_t>(static_cast<double>(folder.size_bytes) * k_nearly_all);
        return std::any_of(folder.entries.begin(), folder.entries.end(),
                           [&](const CodeEntry* entry) { return entry->size_bytes >= least; }) ||
               std::any_of(folder.folders.begin(), folder.folders.end(),
                           [&](std::string_view inner) { return folders_.at(inner).size_bytes >= least; });
    }

    std::uint64_t least_;
    std::unordered_map<std::string_view, Folder> folders_;
    std::vector<HeavyPart> out_;
};

std::string named(const HeavyPart& part) {
    const std::string files = part.path.ends_with('/') ? fmt::format(", {} files", part.files) : "";
    return fmt::format("{} ({}{})", printable(part.path), format_size(part.size_bytes), files);
}

std::string weight_note(const CodeManifest& code) {
    const std::uint64_t total = total_bytes(code);
    const auto too_heavy = [](const CodeEntry& entry) { return entry.size_bytes > k_heavy_file_bytes; };
    if (total <= k_heavy_code_bytes && std::none_of(code.entries.begin(), code.entries.end(), too_heavy)) {
        return "";
    }
    std::vector<std::string> parts;
    for (const HeavyPart& part : heavy_parts(code, k_shown)) {
        parts.push_back(named(part));
    }
    std::string which = join(parts, ", ");
    if (which.empty()) {
        which = "many small files";
    }
    return fmt::format(
        "the code weighs {}, most of it {}; name what is no code in .ampignore, or in [flow] code = "
        "{{ exclude = [...] }}; `amp package list --sort size` lists all",
        format_size(total), which);
}

std::string pointers_note(const std::vector<std::string>& pointers) {
    if (pointers.empty()) {
        return "";
    }
    std::vector<std::string> shown;
    for (std::size_t i = 0; i < std::min(pointers.size(), k_shown); ++i) {
        shown.push_back(printable(pointers[i]));
    }
    const std::string more =
        pointers.size() > k_shown ? fmt::format(" and {} more", pointers.size() - k_shown) : "";
    const bool one = pointers.size() == 1;
    return fmt::format("{}{} {} a pointer of git-lfs instead of {} content: `git lfs pull` brings {}",
                       join(shown, ", "), more, one ? "holds" : "each hold", one ? "its" : "their",
                       one ? "it" : "them");
}

}  // namespace

std::vector<HeavyPart> heavy_parts(const CodeManifest& code, std::size_t most) {
    return Weights(code).heaviest(most);
}

std::vector<std::string> code_notes(const CodeManifest& code) {
    std::vector<std::string> notes;
    for (std::string note : {pointers_note(code.lfs_pointers), weight_note(code)}) {
        if (!note.empty()) {
            notes.push_back(std::move(note));
        }
    }
    return notes;
}

}  // namespace amp
