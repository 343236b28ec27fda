#include "core/store/collector.hpp"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/text.hpp"
#include "core/store/far_notes.hpp"
#include "core/store/layout.hpp"
#include "core/store/references.hpp"

namespace amp {
namespace {

constexpr std::size_t k_page = 1000;
/// What remembers that it has kept an object relies on it for so long (core/package/code_manifest).
constexpr double k_remembered_s = 4 * 86400.0;

/// An object that nothing named when it was listed.
struct Candidate {
    Timestamp listed;   ///< first
    Timestamp changed;  ///< the object's age then: another one now makes it another object
};
using Candidates = std::unordered_map<std::string, Candidate>;

// The list: a checksum of what follows in a line, then "KEY LISTED CHANGED" a line. One that is damaged
// counts as empty, which only delays.

std::string to_text(const Candidates& candidates) {
    std::string body;
    for (const auto& [key, candidate] : candidates) {
        fmt::format_to(std::back_inserter(body), "{} {} {}\n", key, candidate.listed.ms,
                       candidate.changed.ms);
    }
    return sha256_hex(body) + "\n" + body;
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

Candidates from_text(std::string_view text) {
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos || sha256_hex(text.substr(line + 1)) != text.substr(0, line)) {
        return {};
    }
    Candidates out;
    for (const std::string_view row : split(text.substr(line + 1), '\n')) {
        const std::vector<std::string_view> words = split(row, ' ');
        const auto listed = words.size() == 3 ? parse_whole(words[1]) : std::nullopt;
        const auto changed = words.size() == 3 ? parse_whole(words[2]) : std::nullopt;
        if (listed && changed) {
            out[std::string(words[0])] = Candidate{Timestamp{*listed}, Timestamp{*changed}};
        }
    }
    return out;
}

class Collector {
  public:
    Collector(ObjectStore& store, AppendFiles& files, const CollectOptions& options)
        : store_(store), files_(files), options_(options) {}

    CollectReport run() {
        const auto lock = files_.open(layout::collector_lock(), 0);
        if (!lock) {
            throw Error(ExitCode::busy, "another `amp gc` is at work in this store", {}, "wait for it");
        }
        now_ = store_time();
        forget_what_was_kept();
        forget_old_results();
        const Candidates before = listed_before();
        const std::vector<std::string> ripe = list(before);
        if (options_.dry_run) {
            return report_;
        }
        store_.put(layout::collector_candidates(), to_text(candidates_));
        if (!ripe.empty()) {
            remove(ripe);
        }
        forget_far_notes();
        return report_;
    }

  private:
    /// By the store's own clock, which is also what tells how old an object is.
    Timestamp store_time() {
        const std::string key = layout::collector_time();
        store_.put(key, "begun\n");
        const std::vector<Listed> found = store_.list_details(key, {}, 1);
        if (found.empty()) {
            throw Error(ExitCode::infrastructure, fmt::format("'{}' vanished from the store", key), key);
        }
        return found.front().changed;
    }

    void forget_what_was_kept() {
        if (options_.grace_s >= k_remembered_s || options_.dry_run) {
            return;
        }
        for (const std::string& key :
             store_.list_after(layout::k_cache, {}, std::numeric_limits<std::size_t>::max())) {
            if (!key.starts_with(layout::k_results)) {  // those are named by themselves
                store_.remove(key);
            }
        }
    }

    /// Results that no run has taken over for long: what they name is then free.
    void forget_old_results() {
        if (options_.dry_run) {
            return;
        }
        const Timestamp limit = now_.plus_seconds(-CollectOptions::k_results_kept_s);
        std::string after;
        for (;;) {
            const std::vector<Listed> page = store_.list_details(layout::k_results, after, k_page);
            for (const Listed& entry : page) {
                if (entry.changed < limit) {
                    store_.remove_older(entry.key, limit);
                }
            }
            if (page.size() < k_page) {
                return;
            }
            after = page.back().key;
        }
    }

    Candidates listed_before() {
        const auto stored = store_.get(layout::collector_candidates());
        return stored ? from_text(stored->bytes) : Candidates();
    }

    void each_object(const std::function<void(const Listed&)>& each) {
        std::string after;
        for (;;) {
            const std::vector<Listed> page = store_.list_details(layout::k_objects, after, k_page);
            for (const Listed& object : page) {
                each(object);
            }
            if (page.size() < k_page) {
                return;
            }
            after = page.back().key;
        }
    }

    /// Looks at all objects; fills candidates_, and returns those whose time has come.
    std::vector<std::string> list(const Candidates& before) {
        const References named = find_references(store_, files_);
        const Timestamp limit = now_.plus_seconds(-options_.grace_s);
        std::vector<std::string> ripe;
        each_object([&](const Listed& object) {
            if (named.contains(object.key)) {
                count(report_.kept, object.size_bytes);
                return;
            }
            Candidate candidate{now_, object.changed};
            if (const auto old = before.find(object.key);
                old != before.end() && old->second.changed == object.changed) {
                candidate.listed = old->second.listed;
            }
            candidates_[object.key] = candidate;
            const bool is_ripe = object.changed < limit && candidate.listed <= limit;
            count(is_ripe ? report_.removed : report_.waiting, object.size_bytes);
            if (is_ripe) {
                ripe.push_back(object.key);
            }
        });
        return ripe;
    }

    void remove(const std::vector<std::string>& ripe) {
        report_.removed = {};
        const References named = find_references(store_, files_);
        const Timestamp limit = now_.plus_seconds(-options_.grace_s);
        for (const std::string& key : ripe) {
            const std::uint64_t bytes = store_.size(key).value_or(0);
            const bool free = !named.contains(key);
            if (free && store_.remove_older(key, limit)) {
                count(report_.removed, bytes);
            } else {
                count(free ? report_.waiting : report_.kept, bytes);
            }
        }
    }

    /// Of what stayed on other machines, and no record names, or is here after all. Nobody there is asked:
    /// what nothing uses goes there by itself.
    void forget_far_notes() {
        const Timestamp limit = now_.plus_seconds(-options_.grace_s);
        std::vector<Listed> old =
            store_.list_details(layout::k_far, {}, std::numeric_limits<std::size_t>::max());
        std::erase_if(old, [limit](const Listed& note) { return note.changed >= limit; });
        if (old.empty()) {
            return;
        }
        const References named = find_references(store_, files_);
        for (const Listed& note : old) {
            const std::string hash = note.key.substr(layout::k_far.size());
            const auto read = read_far_note(store_, hash);
            if (!named.objects.contains(hash) || (read && is_here(store_, read->artifact))) {
                store_.remove_older(note.key, limit);
            }
        }
    }

    static void count(CollectReport::Amount& amount, std::uint64_t bytes) {
        ++amount.objects;
        amount.bytes += bytes;
    }

    ObjectStore& store_;
    AppendFiles& files_;
    const CollectOptions& options_;
    Timestamp now_;
    Candidates candidates_;
    CollectReport report_;
};

}  // namespace

CollectReport collect_objects(ObjectStore& store, AppendFiles& files, const CollectOptions& options) {
    return Collector(store, files, options).run();
}

}  // namespace amp
