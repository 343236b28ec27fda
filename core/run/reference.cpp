#include "core/run/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "core/run/run_index.hpp"
#include "core/run/run_record.hpp"
#include "core/store/layout.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

constexpr std::size_t k_longest = 512;
constexpr std::size_t k_shown_bytes = 60;
constexpr std::size_t k_candidates_told = 8;
constexpr std::size_t k_newest_told = 3;
/// So many of the newest runs are looked at themselves before the index is read.
constexpr std::size_t k_read_themselves = 16;
/// Names are suggested from so many of the newest runs.
constexpr std::size_t k_suggest_from = 500;
constexpr std::string_view k_latest = "latest";

std::string shown(std::string_view text) {
    return printable(text.substr(0, k_shown_bytes)) + (text.size() > k_shown_bytes ? "..." : "");
}

Error no_reference(std::string_view text, std::string_view why) {
    return {ExitCode::usage,
            fmt::format("'{}' names no run: {}", shown(text), why),
            {},
            "say latest, FLOW/latest, an id or the beginning of one, or @TAG"};
}

bool is_control(unsigned char c) {
    return c < 0x20 || c == 0x7F;
}

/// What died while it was created has left a folder without a record, and is no run.
bool has_record(ObjectStore& store, const std::string& run) {
    return store.size(layout::run_record(run)).has_value();
}

/// A recorded run that is no task of another.
bool is_nobodys_child(ObjectStore& store, const std::string& run) {
    try {
        return has_record(store, run) && get_string(read_run(store, run), "parent").empty();
    } catch (const Error&) {
        return true;  // it cannot be read: whoever wants it will say why
    }
}

/// What has to be known of a run to tell whether it is meant.
struct RunFacts {
    std::string flow;
    std::string parent;
    std::vector<std::string> tags;
};

/// The facts of runs: from the index of runs, but of the newest from their own records.
class FactsReader {
  public:
    explicit FactsReader(ObjectStore& store) : store_(store) {}

    /// @param position among the runs, from the newest
    /// @param word what the facts have to hold in a string; empty: anything
    std::optional<RunFacts> read(const std::string& run, std::size_t position, const std::string& word) {
        if (position < k_read_themselves) {
            return read_records(run);
        }
        if (!index_) {
            index_.emplace(store_);
        }
        const auto line = index_->line(run);
        if (!line) {
            return read_records(run);
        }
        if (!word.empty() && line->find(json::dump(Value(word))) == std::string_view::npos) {
            return std::nullopt;  // thousands of runs are passed over without being taken apart
        }
        const auto entry = index_->find(run);
        return entry ? std::optional(RunFacts{get_string(entry->summary, "flow"),
                                              get_string(entry->summary, "parent"), entry->tags})
                     : std::nullopt;
    }

  private:
    std::optional<RunFacts> read_records(const std::string& run) {
        try {
            const Value record = read_run(store_, run);
            const Value* flow = record.find("flow");
            return RunFacts{flow ? get_string(*flow, "name") : "", get_string(record, "parent"),
                            active_tags(store_, run)};
        } catch (const Error&) {
            return std::nullopt;  // who names it by its id will hear why
        }
    }

    ObjectStore& store_;
    std::optional<RunIndex> index_;
};

bool is_meant(const RunReference& wanted, const RunFacts& facts) {
    if (!wanted.flow.empty() && facts.flow != wanted.flow) {
        return false;
    }
    return wanted.kind == RunReference::Kind::latest
               ? facts.parent.empty()
               : std::find(facts.tags.begin(), facts.tags.end(), wanted.name) != facts.tags.end();
}

/// The newest run of a flow, or with a tag.
std::optional<std::string> search(ObjectStore& store, const std::vector<std::string>& runs,
                                  const RunReference& wanted) {
    const std::string& word = wanted.kind == RunReference::Kind::tag ? wanted.name : wanted.flow;
    FactsReader reader(store);
    std::size_t position = 0;
    for (auto run = runs.rbegin(); run != runs.rend(); ++run, ++position) {
        const auto facts = reader.read(*run, position, word);
        if (facts && is_meant(wanted, *facts)) {
            return *run;
        }
    }
    return std::nullopt;
}

/// The newest run that is no task of another. A run may have thousands of children, all newer than it: behind
/// the newest runs the index is asked for them.
std::optional<std::string> find_latest(ObjectStore& store, const std::vector<std::string>& runs) {
    std::optional<RunIndex> index;
    std::size_t position = 0;
    for (auto run = runs.rbegin(); run != runs.rend(); ++run, ++position) {
        if (position == k_read_themselves) {
            index.emplace(store);
        }
        const auto entry = index ? index->find(*run) : std::nullopt;
        const bool nobodys =
            entry ? get_string(entry->summary, "parent").empty() : is_nobodys_child(store, *run);
        if (nobodys) {
            return *run;
        }
    }
    return std::nullopt;
}

/// What else could have been meant: names of flows and tags of the newest runs, as they are written.
std::vector<std::string> names_near(ObjectStore& store, const std::vector<std::string>& runs) {
    std::set<std::string> names;
    FactsReader reader(store);
    for (std::size_t i = 0; i < std::min(runs.size(), k_suggest_from); ++i) {
        if (const auto facts = reader.read(runs[runs.size() - 1 - i], i, {})) {
            names.insert(facts->flow + "/latest");
            for (const std::string& tag : facts->tags) {
                names.insert("@" + tag);
            }
        }
    }
    return {names.begin(), names.end()};
}

std::string did_they_mean(ObjectStore& store, const std::vector<std::string>& runs,
                          const std::string& reference) {
    std::vector<std::string> names = runs;
    names.emplace_back(k_latest);
    const std::vector<std::string> others = names_near(store, runs);
    const std::string tail = "/latest";
    for (const std::string& written : {reference, "@" + reference, reference + tail}) {
        if (const auto near = did_you_mean(written, written == reference ? names : others)) {
            return *near;
        }
        if (const auto near = did_you_mean(written, others)) {
            return *near;
        }
    }
    return "";
}

/// Is it a step of the latest run, written without the run?
bool is_step_of_latest(ObjectStore& store, const std::vector<std::string>& runs, const std::string& name) {
    const auto latest = find_latest(store, runs);
    if (!latest) {
        return false;
    }
    try {
        const RunRecord record = run_record_from(read_run(store, *latest));
        Diagnostics none;
        const Flow flow = load_flow(record.flow_source, record.flow_path, none, record.overrides);
        return std::any_of(flow.steps.begin(), flow.steps.end(),
                           [&](const Step& step) { return step.name == name; });
    } catch (const Error&) {
        return false;  // a suggestion only
    }
}

[[noreturn]] void fail_not_found(ObjectStore& store, const std::vector<std::string>& runs,
                                 const std::string& reference) {
    if (runs.empty()) {
        throw Error(ExitCode::not_found, fmt::format("there is no run '{}'", shown(reference)), {},
                    "this store has no runs yet");
    }
    if (is_step_of_latest(store, runs, reference)) {
        throw Error(
            ExitCode::not_found, fmt::format("there is no run '{}'", shown(reference)), {},
            fmt::format("it is a step of the latest run: did you mean 'latest/{}'?", shown(reference)));
    }
    const std::string near = did_they_mean(store, runs, reference);
    std::string hint = near.empty() ? "" : fmt::format("did you mean '{}'? ", near);
    std::string newest;
    for (std::size_t i = 0; i < std::min(runs.size(), k_newest_told); ++i) {
        newest += (i == 0 ? "" : ", ") + runs[runs.size() - 1 - i];
    }
    hint += fmt::format("the newest: {}; `amp runs` lists all", newest);
    throw Error(ExitCode::not_found, fmt::format("there is no run '{}'", shown(reference)), {},
                std::move(hint));
}

[[noreturn]] void fail_ambiguous(const std::vector<std::string>& found, const std::string& reference) {
    std::string list;
    for (std::size_t i = 0; i < std::min(found.size(), k_candidates_told); ++i) {
        list += (i == 0 ? "" : ", ") + found[found.size() - 1 - i];
    }
    if (found.size() > k_candidates_told) {
        list += fmt::format(" and {} more", found.size() - k_candidates_told);
    }
    throw Error(ExitCode::usage, fmt::format("'{}' means {} runs: {}", shown(reference), found.size(), list),
                {}, "give more of the id, or its last four letters");
}

/// The ids that begin so; when there are none, those of which a part behind a dash does.
std::vector<std::string> matching(ObjectStore& store, const std::vector<std::string>& runs,
                                  const std::string& beginning) {
    std::vector<std::string> found;
    for (const bool behind_dash : {false, true}) {
        const auto is_named = [&](const std::string& run) {
            const bool named =
                behind_dash ? run.find("-" + beginning) != std::string::npos : run.starts_with(beginning);
            return named && has_record(store, run);
        };
        std::copy_if(runs.begin(), runs.end(), std::back_inserter(found), is_named);
        if (!found.empty()) {
            break;
        }
    }
    return found;
}

bool only_dots(std::string_view text) {
    return text.find_first_not_of('.') == std::string_view::npos;
}

}  // namespace

std::size_t run_part(std::string_view target) {
    const std::size_t slash = target.find('/');
    if (slash == std::string_view::npos) {
        return target.size();
    }
    const std::string_view first = target.substr(0, slash);
    const std::string_view rest = target.substr(slash + 1);
    const bool run_alone =
        first.empty() || first == k_latest || is_run_id(first) || first.find('@') != std::string_view::npos;
    const bool of_flow = !run_alone && rest.substr(0, rest.find('/')) == k_latest;
    return of_flow ? slash + 1 + k_latest.size() : slash;
}

RunReference parse_run_reference(std::string_view text) {
    if (text.empty()) {
        throw no_reference(text, "it is empty");
    }
    if (text.size() > k_longest) {
        throw no_reference(text, fmt::format("it has {} bytes", text.size()));
    }
    if (!is_utf8(text) || std::any_of(text.begin(), text.end(), is_control)) {
        throw no_reference(text, "it holds control characters, or is no UTF-8");
    }
    const std::string_view run = text.substr(0, run_part(text));
    const std::size_t slash = run.find('/');
    const std::size_t at = run.find('@');
    if (run.empty() || only_dots(run.substr(0, slash))) {
        throw no_reference(text, run.empty() ? "a part of it is empty" : "dots are none");
    }
    if (run.size() != text.size()) {
        throw no_reference(text, "a step or a task of one is no run");
    }
    if (run == k_latest) {
        return {};
    }
    if (slash != std::string_view::npos) {
        return {RunReference::Kind::latest, std::string(run.substr(0, slash)), {}};
    }
    if (at != std::string_view::npos) {
        if (at + 1 == run.size()) {
            throw no_reference(text, "behind the @ there is no tag");
        }
        return {RunReference::Kind::tag, std::string(run.substr(0, at)), std::string(run.substr(at + 1))};
    }
    return {RunReference::Kind::id, {}, std::string(run)};
}

std::string resolve_run(ObjectStore& store, const std::string& reference) {
    const RunReference wanted = parse_run_reference(reference);
    if (is_run_id(reference) && has_record(store, reference)) {
        return reference;
    }
    const std::vector<std::string> runs = list_runs(store);
    if (wanted == RunReference{}) {
        if (auto latest = find_latest(store, runs)) {
            return *latest;
        }
    } else if (wanted.kind != RunReference::Kind::id) {
        if (auto found = search(store, runs, wanted)) {
            return *found;
        }
    } else {
        const std::vector<std::string> found = matching(store, runs, wanted.name);
        if (found.size() > 1) {
            fail_ambiguous(found, reference);
        }
        if (!found.empty()) {
            return found.front();
        }
    }
    fail_not_found(store, runs, reference);
}

}  // namespace amp
