#include "core/run/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/flow/expression.hpp"
#include "core/flow/first_error.hpp"
#include "core/run/parameters.hpp"
#include "core/run/partial.hpp"
#include "core/run/run_index.hpp"
#include "core/store/layout.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

constexpr std::string_view k_params = "params";

std::uint64_t count_of(const Plan::Counts& counts, TaskState state) {
    return counts[static_cast<std::size_t>(state)];
}

void count(RunSummary& s, const Plan::Counts& counts) {
    for (const std::uint64_t n : counts) {
        s.tasks += n;
    }
    s.succeeded += count_of(counts, TaskState::succeeded) + count_of(counts, TaskState::cached);
    s.failed += count_of(counts, TaskState::failed);
}

/// The fields of a summary by name, for --where and --sort.
Value fields(const RunSummary& s) {
    List tags(s.tags.begin(), s.tags.end());
    const Value ended = s.ended ? Value(format_time(*s.ended)) : Value();
    return Object{{"run", s.run},
                  {"flow", s.flow},
                  {"state", s.state},
                  {"user", s.user},
                  {"created", format_time(s.created)},
                  {"ended", ended},
                  {"tasks", s.tasks},
                  {"succeeded", s.succeeded},
                  {"failed", s.failed},
                  {"parent", s.parent},
                  {"partial", s.partial},
                  {"tags", std::move(tags)},
                  {"params", s.params}};
}

Value without_tags(const RunSummary& s) {
    Object out = fields(s).as_object();
    out.insert_or_assign("schema", 1);
    out.erase("tags");
    return out;
}

class SummaryScope : public Scope {
  public:
    SummaryScope(Value fields, Timestamp now) : fields_(std::move(fields)), now_(now) {}
    std::optional<Value> resolve(const std::string& root, std::span<const Access> path) const override {
        const Value* field = fields_.find(root);
        unknown_ = field == nullptr ? root : unknown_;
        auto value = field ? apply_path(*field, path) : std::nullopt;
        if (!value && root == k_params && !path.empty() && path.front().kind == Access::Kind::member) {
            missing_ = path.front().name;
        }
        return value;
    }
    bool failed(const std::optional<std::string>&) const override {
        return get_string(fields_, "state") == "failed";
    }
    Timestamp now() const override { return now_; }
    /// What was asked for and no run ever has; empty: nothing.
    const std::string& unknown() const { return unknown_; }
    /// The parameter that was asked for last and that this run does not have; empty: none.
    const std::string& missing() const { return missing_; }

  private:
    Value fields_;
    Timestamp now_;
    mutable std::string missing_;
    mutable std::string unknown_;
};

std::optional<Expression> parse_where(const std::string& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    Diagnostics diagnostics;
    auto expression = Expression::parse(text, Place{1, 1, 1}, diagnostics);
    if (!expression) {
        throw Error(ExitCode::usage, fmt::format("--where: {}", first_error(diagnostics).message), text,
                    "for instance --where 'params.lr > 0.1 and state == \"failed\"'");
    }
    return expression;
}

/// As --where and --sort name them.
void add_parameters(const RunSummary& summary, std::set<std::string>& into) {
    if (summary.params.is_object()) {
        for (const auto& [name, value] : summary.params.as_object()) {
            into.insert("params." + std::string(name));
        }
    }
}

/// A run that lacks the parameter that is asked about does not match. What no run can have is a slip.
class Where {
  public:
    explicit Where(const std::string& text) : text_(text), expression_(parse_where(text)) {}

    bool matches(const RunSummary& summary, Timestamp now) {
        if (!expression_) {
            return true;
        }
        add_parameters(summary, params_);
        const SummaryScope scope(fields(summary), now);
        try {
            return truthy(expression_->evaluate(scope));
        } catch (const Error&) {
            if (!scope.unknown().empty()) {
                throw Error(ExitCode::usage,
                            fmt::format("--where: runs have no '{}'", printable(scope.unknown())), text_,
                            fmt::format("they have {}, and params.NAME", join(run_field_names(), ", ")));
            }
            if (!scope.missing().empty()) {
                missing_.insert("params." + scope.missing());
            }
            return false;
        }
    }

    /// Of each parameter that was asked about and that none of the runs has: a slip, most likely.
    void warn(const std::function<void(const std::string&)>& say) const {
        const std::vector<std::string> known(params_.begin(), params_.end());
        for (const std::string& name : missing_) {
            if (say && !params_.contains(name)) {
                const std::string hint = near_hint(name, known);
                say(fmt::format("--where: no run has '{}'{}{}", printable(name), hint.empty() ? "" : "; ",
                                hint));
            }
        }
    }

  private:
    std::set<std::string> params_;   ///< of the runs that were looked at: params.NAME
    std::set<std::string> missing_;  ///< that one of them at least does not have
    std::string text_;
    std::optional<Expression> expression_;
};

bool passes(const RunSummary& s, const RunFilter& f) {
    return (f.all || s.parent.empty()) && (f.flow.empty() || s.flow == f.flow) &&
           (f.state.empty() || s.state == f.state) &&
           (f.tag.empty() || std::find(s.tags.begin(), s.tags.end(), f.tag) != s.tags.end()) &&
           (!f.since || s.created >= *f.since) && (!f.until || s.created <= *f.until);
}

bool less(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) {
        return a.as_float() < b.as_float();
    }
    if (a.is_string() && b.is_string()) {
        return a.as_string() < b.as_string();
    }
    return a.type_name() < b.type_name();
}

void sort_runs(std::vector<RunSummary>& runs, std::string field) {
    if (field.empty()) {
        return;
    }
    const bool descending = field.front() == '-';
    field.erase(0, descending ? 1 : 0);
    const auto expression = parse_where(field);
    bool known = runs.empty();
    const auto key = [&](const RunSummary& s) {
        try {
            Value value = expression->evaluate(SummaryScope(fields(s), s.created));
            known = true;
            return value;
        } catch (const Error&) {
            return Value();
        }
    };
    std::vector<std::pair<Value, std::size_t>> keyed;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        keyed.emplace_back(key(runs[i]), i);
    }
    if (!known) {
        const std::vector<std::string> fields = run_field_names();
        std::set<std::string> names(fields.begin(), fields.end());
        for (const RunSummary& run : runs) {
            add_parameters(run, names);
        }
        const std::vector<std::string> sortable(names.begin(), names.end());
        throw Error(ExitCode::usage, fmt::format("--sort: no run has '{}'", printable(field)), "",
                    near_hint(field, sortable, join(fields, ", ") + ", or params.NAME"));
    }
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
        return descending ? less(b.first, a.first) : less(a.first, b.first);
    });
    std::vector<RunSummary> sorted;
    sorted.reserve(keyed.size());
    for (const auto& [value, i] : keyed) {
        sorted.push_back(std::move(runs[i]));
    }
    runs = std::move(sorted);
}

}  // namespace

Value summary_value(const RunData& data, const RunEndRecord& end) {
    const RunRecord& record = data.record();
    RunSummary s;
    s.run = record.run;
    s.flow = record.flow_name;
    s.state = state_name(end.state);
    s.user = record.user;
    s.parent = record.parent;
    s.partial = partial_text(record);
    s.created = record.created;
    s.ended = end.at;
    s.params = shown_parameters(record.params, data.flow());
    count(s, data.plan().totals());
    return without_tags(s);
}

RunSummary summary_from(const Value& v) {
    RunSummary s;
    s.run = get_string(v, "run");
    s.flow = get_string(v, "flow");
    s.state = get_string(v, "state");
    s.user = get_string(v, "user");
    s.parent = get_string(v, "parent");
    s.partial = get_string(v, "partial");
    s.created = parse_time(get_string(v, "created")).value_or(Timestamp{});
    s.ended = parse_time(get_string(v, "ended"));
    s.tasks = static_cast<std::uint64_t>(get_int(v, "tasks"));
    s.succeeded = static_cast<std::uint64_t>(get_int(v, "succeeded"));
    s.failed = static_cast<std::uint64_t>(get_int(v, "failed"));
    s.params = get_object(v, "params");
    return s;
}

RunSummary summary_of(const RunView& view) {
    RunSummary s;
    s.run = view.run;
    s.flow = view.flow;
    s.state = view.state;
    s.user = view.user;
    s.parent = view.parent;
    s.partial = view.partial;
    s.created = view.created;
    s.ended = view.ended;
    s.params = view.params;
    for (const StepView& step : view.steps) {
        count(s, step.counts);
    }
    return s;
}

namespace {

/// "261120-081530-k3fx" → 2026-11-20T08:15:30Z
Timestamp time_of_id(const std::string& run) {
    const auto two = [&](std::size_t at) { return run.substr(std::min(at, run.size()), 2); };
    const std::string text =
        fmt::format("20{}-{}-{}T{}:{}:{}Z", two(0), two(2), two(4), two(7), two(9), two(11));
    return parse_time(text).value_or(Timestamp{});
}

/// What its record says, or at least its id, which begins with the time.
RunSummary unreadable(const OpenStore& store, const std::string& run) {
    RunSummary summary;
    summary.run = run;
    summary.state = "unreadable";
    summary.created = time_of_id(run);
    try {
        const RunRecord record = run_record_from(read_run(*store.objects, run));
        summary.flow = record.flow_name;
        summary.user = record.user;
        summary.parent = record.parent;
        summary.partial = partial_text(record);
        summary.created = record.created;
        summary.tags = active_tags(*store.objects, run);
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): that is what it is unreadable for
    }
    return summary;
}

/// One broken run must not hide the others; one that was never wholly created is none.
std::optional<RunSummary> summarize(Services& services, const Project& project, const OpenStore& store,
                                    const std::string& run) {
    try {
        const auto cached = read_summary(*store.objects, run);
        return cached ? summary_from(*cached) : summary_of(view_run(services, project, run));
    } catch (const Error& error) {
        if (error.code() == ExitCode::not_found && !store.objects->size(layout::run_record(run))) {
            return std::nullopt;
        }
        return unreadable(store, run);
    }
}

}  // namespace

std::vector<std::string> run_field_names() {
    return {"run", "flow", "state", "user", "created", "ended", "tasks", "succeeded", "failed", "tags"};
}

namespace {

/// A run as the index knows it, else as its own records tell, which the index then hears of.
std::optional<RunSummary> look_up(Services& services, const Project& project, const OpenStore& store,
                                  RunIndex& index, const std::string& run) {
    if (const auto entry = index.find(run)) {
        RunSummary summary = summary_from(entry->summary);
        summary.tags = entry->tags;
        return summary;
    }
    std::optional<RunSummary> summary = summarize(services, project, store, run);
    if (!summary || summary->state == "unreadable") {
        return summary;
    }
    summary->tags = active_tags(*store.objects, run);
    if (summary->ended) {
        index.add(run, {without_tags(*summary), summary->tags});
    }
    return summary;
}

}  // namespace

std::vector<RunSummary> list_run_summaries(Services& services, const Project& project,
                                           const RunFilter& filter) {
    const OpenStore store = services.open_store(project.store_folder, false);
    RunIndex index(*store.objects);
    Where where(filter.where);
    std::vector<RunSummary> out;
    const std::vector<std::string> runs = list_runs(*store.objects);
    const std::vector<std::string> newest_first(runs.rbegin(), runs.rend());
    for (const std::string& run : newest_first) {
        const bool enough = filter.sort.empty() && filter.limit > 0 && out.size() >= filter.limit;
        if (enough) {
            break;
        }
        std::optional<RunSummary> summary = look_up(services, project, store, index, run);
        if (!summary) {
            continue;
        }
        if (passes(*summary, filter) && where.matches(*summary, services.clock.now())) {
            out.push_back(std::move(*summary));
        }
    }
    index.save(runs, services.clock.now());
    where.warn(filter.warn);
    sort_runs(out, filter.sort);
    if (filter.limit > 0 && out.size() > filter.limit) {
        out.resize(filter.limit);
    }
    return out;
}

}  // namespace amp
