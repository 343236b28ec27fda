#include "core/run/run_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr std::string_view k_magic = "amp runs 1 ";
/// A mark may stand for a change that is done a moment after it: so long it stays.
constexpr double k_mark_s = 10;
constexpr std::size_t k_all = std::numeric_limits<std::size_t>::max();

/// "RUN {summary, tags}" a line, below a line with their checksum. Empty when they are damaged.
std::string_view body_of(std::string_view text) {
    const std::size_t line = text.find('\n');
    if (!text.starts_with(k_magic) || line == std::string_view::npos) {
        return {};
    }
    const std::string_view body = text.substr(line + 1);
    const std::string_view sum = text.substr(k_magic.size(), line - k_magic.size());
    return sum == fmt::format("{:08x}", crc32c(body)) ? body : std::string_view();
}

std::string to_line(const RunIndex::Entry& entry) {
    return json::dump_record(
        Object{{"summary", entry.summary}, {"tags", List(entry.tags.begin(), entry.tags.end())}});
}

}  // namespace

RunIndex::RunIndex(ObjectStore& store) : store_(store) {
    // The marks first: one that comes later is not taken away by what we write.
    marks_ = store_.list_details(layout::index_mark_prefix(), {}, k_all);
    for (const Listed& mark : marks_) {
        const std::string name = mark.key.substr(layout::index_mark_prefix().size());
        ++marked_[name.substr(0, name.find('.'))];
    }
    stored_ = store_.get(layout::index_list());
    if (!stored_) {
        return;
    }
    std::string_view body = body_of(stored_->bytes);
    lines_.reserve(static_cast<std::size_t>(std::count(body.begin(), body.end(), '\n')));
    while (!body.empty()) {
        const std::string_view line = body.substr(0, body.find('\n'));
        body.remove_prefix(std::min(body.size(), line.size() + 1));
        const std::size_t blank = line.find(' ');
        if (blank != std::string_view::npos) {
            lines_.emplace(line.substr(0, blank), line.substr(blank + 1));
        }
    }
}

std::optional<std::string_view> RunIndex::line(std::string_view run) const {
    const auto it = lines_.find(run);
    const bool stands = it != lines_.end() && !marked_.contains(std::string(run));
    return stands ? std::optional(it->second) : std::nullopt;
}

std::optional<RunIndex::Entry> RunIndex::find(std::string_view run) const {
    const auto text = line(run);
    if (!text) {
        return std::nullopt;
    }
    const Value value = json::parse_record(*text, "the index of runs");
    const Value* summary = value.find("summary");
    if (!summary) {
        return std::nullopt;
    }
    Entry entry{*summary, {}};
    for (const Value& tag : get_list(value, "tags")) {
        entry.tags.push_back(tag.is_string() ? tag.as_string() : "");
    }
    return entry;
}

std::vector<std::string> RunIndex::tags() const {
    std::vector<std::string_view> runs;
    for (const auto& [run, line] : lines_) {
        if (!line.ends_with(",\"tags\":[]}")) {  // as to_line writes it
            runs.push_back(run);
        }
    }
    std::sort(runs.begin(), runs.end(), std::greater<>());
    std::vector<std::string> out;
    for (const std::string_view run : runs) {
        const auto entry = find(run);
        for (const std::string& tag : entry ? entry->tags : std::vector<std::string>()) {
            if (std::find(out.begin(), out.end(), tag) == out.end()) {
                out.push_back(tag);
            }
        }
    }
    return out;
}

void RunIndex::add(const std::string& run, const Entry& entry) {
    added_.insert_or_assign(run, to_line(entry));
}

void RunIndex::save(const std::vector<std::string>& existing, Timestamp now) {
    const std::set<std::string_view> there(existing.begin(), existing.end());
    const auto is_settled = [&](const Listed& mark) {
        std::string run = mark.key.substr(layout::index_mark_prefix().size());
        run.erase(std::min(run.find('.'), run.size()));
        return added_.contains(run) || !there.contains(run);
    };
    const Timestamp young = now.plus_seconds(-k_mark_s);
    std::vector<std::string> settled;
    for (const Listed& mark : marks_) {
        if (mark.changed < young && is_settled(mark)) {
            settled.push_back(mark.key);
        }
    }
    if (added_.empty() && settled.empty()) {
        return;
    }
    std::string body;
    for (const std::string& run : existing) {
        const auto fresh = added_.find(run);
        const auto old = lines_.find(run);
        if (fresh != added_.end()) {
            body += fmt::format("{} {}\n", run, fresh->second);
        } else if (old != lines_.end() && !marked_.contains(run)) {
            body += fmt::format("{} {}\n", run, old->second);
        }
    }
    const std::string text = fmt::format("{}{:08x}\n{}", k_magic, crc32c(body), body);
    try {
        const PutResult result = stored_
                                     ? store_.compare_and_swap(layout::index_list(), text, stored_->version)
                                     : store_.put_if_absent(layout::index_list(), text);
        if (result != PutResult::stored) {
            return;
        }
        // Only now, and only those whose runs were read since, or are gone: the list says what they stood
        // for.
        for (const std::string& mark : settled) {
            store_.remove(mark);
        }
    } catch (const Error&) {
        // A cache: a store that cannot be written can still be read.
    }
}

void mark_run_changed(ObjectStore& store, const std::string& run) {
    store.put_if_absent(layout::index_mark(run, make_token()), "changed\n");
}

void drop_run_index(ObjectStore& store) {
    for (const std::string& key : store.list_after(layout::k_index, {}, k_all)) {
        store.remove(key);
    }
}

}  // namespace amp
