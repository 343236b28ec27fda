#include "core/run/glance.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

RunGlance glance_of(const Value& summary, std::string run) {
    return {std::move(run), get_string(summary, "flow"), get_string(summary, "state")};
}

/// nullopt: no run, or a task of another.
std::optional<RunGlance> look(ObjectStore& store, const RunIndex& index, const std::string& run) {
    const auto entry = index.find(run);
    const std::optional<Value> summary = entry ? std::optional(entry->summary) : read_summary(store, run);
    if (summary) {
        return get_string(*summary, "parent").empty() ? std::optional(glance_of(*summary, run))
                                                      : std::nullopt;
    }
    const Value record = read_run(store, run);
    if (!get_string(record, "parent").empty()) {
        return std::nullopt;
    }
    return RunGlance{run, get_string(get_object(record, "flow"), "name"), "unfinished"};
}

}  // namespace

StoreGlance::StoreGlance(OpenStore store)
    : store_(std::move(store)), index_(*store_.objects), runs_(list_runs(*store_.objects)) {}

std::vector<RunGlance> StoreGlance::runs(std::string_view prefix, std::size_t limit) const {
    constexpr std::size_t k_read_themselves = 1000;  // of runs that the index does not know
    std::vector<RunGlance> out;
    std::size_t unknown = 0;
    for (auto run = runs_.rbegin(); run != runs_.rend() && out.size() < limit; ++run) {
        if (!run->starts_with(prefix)) {
            continue;
        }
        unknown += index_.line(*run) ? 0 : 1;
        if (unknown > k_read_themselves) {
            break;
        }
        try {
            if (auto seen = look(*store_.objects, index_, *run)) {
                out.push_back(std::move(*seen));
            }
        } catch (const Error&) {
            // Its creation went no further, or it is damaged: `amp fsck` tells of it.
        }
    }
    return out;
}

std::vector<std::string> StoreGlance::tags() const {
    constexpr std::size_t k_looked_at = 50;
    std::vector<std::string> out;
    const auto add = [&out](const std::string& tag) {
        if (std::find(out.begin(), out.end(), tag) == out.end()) {
            out.push_back(tag);
        }
    };
    std::size_t looked_at = 0;
    for (auto run = runs_.rbegin(); run != runs_.rend() && looked_at < k_looked_at; ++run) {
        if (index_.line(*run)) {
            continue;
        }
        ++looked_at;
        for (const std::string& tag : active_tags(*store_.objects, *run)) {
            add(tag);
        }
    }
    for (const std::string& tag : index_.tags()) {
        add(tag);
    }
    return out;
}

}  // namespace amp
