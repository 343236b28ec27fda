#include "core/store/references.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

constexpr std::size_t k_digits = 64;
constexpr std::string_view k_manifest_begins = R"({"entries":[)";  // as manifest_text writes it
constexpr std::size_t k_page = 1000;
constexpr std::uint64_t k_all = std::numeric_limits<std::uint64_t>::max();
/// How far before a hash a record says that it is a folder's: "kind":"folder","sha256":"… with room for a
/// path.
constexpr std::size_t k_before = std::size_t{8} << 10;

bool is_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool has_part(std::string_view key, std::string_view part) {
    return key.find(part) != std::string_view::npos;
}

class Finder {
  public:
    Finder(ObjectStore& store, AppendFiles& files) : store_(store), files_(files) {}

    References find() {
        read_records("runs/");
        read_records("quarantine/");
        read_records(layout::k_results);
        read_logs("runs/");
        read_logs("quarantine/");
        follow_folders();
        return std::move(found_);
    }

  private:
    static bool is_log(std::string_view key) {
        return has_part(key, "/journal/") || has_part(key, "/keeper/");
    }

    void take(std::string_view bytes) {
        scan_references(bytes, [this](std::string_view hash, bool folder) {
            found_.objects.emplace(hash);
            if (folder) {
                folders_.emplace(hash);
            }
        });
    }

    void read_records(std::string_view prefix) {
        std::string after;
        for (;;) {
            const std::vector<std::string> keys = store_.list_after(prefix, after, k_page);
            for (const std::string& key : keys) {
                if (is_log(key) || has_part(key, "/packs/") || layout::is_attempt_log(key) ||
                    !hash_of_object(key).empty()) {
                    continue;
                }
                if (const auto stored = store_.get(key)) {
                    take(stored->bytes);
                }
            }
            if (keys.size() < k_page) {
                return;
            }
            after = keys.back();
        }
    }

    void read_logs(std::string_view prefix) {
        for (const std::string& key : files_.list(prefix)) {
            if (is_log(key)) {
                take(files_.read(key, 0, k_all).value_or(""));
            }
        }
    }

    void follow_folders() {
        Objects objects(store_);
        for (const std::string& folder : folders_) {
            try {
                read_manifest(objects, folder);
            } catch (const Error& error) {
                // Not there, or no manifest: nothing more is named.
                if (error.code() != ExitCode::not_found && error.code() != ExitCode::mismatch) {
                    throw;
                }
            }
        }
    }

    /// In pieces, of which each hash counts: what begins so and is no manifest names too much at worst. Of
    /// what begins otherwise, no more than the first piece is read.
    void read_manifest(Objects& objects, const std::string& hash) {
        std::string text;
        bool begun = false;
        objects.read(hash, [&](std::string_view piece) {
            text += piece;
            if (!begun && text.size() < k_manifest_begins.size()) {
                return;
            }
            if (!begun && !text.starts_with(k_manifest_begins)) {
                throw Error(ExitCode::mismatch, "no manifest");
            }
            begun = true;
            scan_references(text, [this](std::string_view named, bool) { found_.objects.emplace(named); });
            text.erase(0, text.size() - std::min(text.size(), k_digits - 1));
        });
    }

    ObjectStore& store_;
    AppendFiles& files_;
    References found_;
    std::unordered_set<std::string> folders_;
};

}  // namespace

References find_references(ObjectStore& store, AppendFiles& files) {
    return Finder(store, files).find();
}

bool References::contains(std::string_view object_key) const {
    return objects.contains(hash_of_object(object_key));
}

std::string hash_of_object(std::string_view key) {
    const std::size_t at = key.rfind("objects/");
    if (at == std::string_view::npos || (at > 0 && key[at - 1] != '/')) {
        return {};
    }
    key.remove_prefix(at + 8);
    if (key.ends_with(".zst")) {
        key.remove_suffix(4);
    }
    if (key.size() != k_digits + 1 || key[2] != '/') {
        return {};
    }
    std::string hash = std::string(key.substr(0, 2)) + std::string(key.substr(3));
    return std::all_of(hash.begin(), hash.end(), is_digit) ? hash : std::string();
}

void scan_references(std::string_view bytes, const std::function<void(std::string_view, bool)>& each) {
    std::size_t folder = std::string_view::npos;  // where the last "folder" before this place begins
    std::size_t next = bytes.find("folder");
    for (std::size_t at = k_digits; at <= bytes.size();) {
        // From the back of a window, so that a byte that is no digit skips all before it.
        std::size_t good = 0;
        while (good < k_digits && is_digit(bytes[at - 1 - good])) {
            ++good;
        }
        if (good < k_digits) {
            at += k_digits - good;
            continue;
        }
        const std::size_t begin = at - k_digits;
        for (; next < begin; next = bytes.find("folder", next + 1)) {
            folder = next;
        }
        each(bytes.substr(begin, k_digits), folder != std::string_view::npos && begin - folder < k_before);
        ++at;  // in a longer row of digits each place could be the beginning of one
    }
}

}  // namespace amp
