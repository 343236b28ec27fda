#include "core/run/summary.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/expression.hpp"
#include "core/store/layout.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

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
                  {"tags", std::move(tags)},
                  {"params", s.params}};
}

class SummaryScope : public Scope {
  public:
    SummaryScope(Value fields, Timestamp now) : fields_(std::move(fields)), now_(now) {}
    std::optional<Value> resolve(const std::string& root, std::span<const Access> path) const override {
        const Value* field = fields_.find(root);
        return field ? apply_path(*field, path) : std::nullopt;
    }
    bool failed(const std::optional<std::string>&) const override {
        return get_string(fields_, "state") == "failed";
    }
    Timestamp now() const override { return now_; }

  private:
    Value fields_;
    Timestamp now_;
};

std::optional<Expression> parse_where(const std::string& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    Diagnostics diagnostics;
    auto expression = Expression::parse(text, Place{1, 1, 1}, diagnostics);
    if (!expression) {
        throw Error(ExitCode::usage, fmt::format("--where: {}", diagnostics.sorted().front().message), text,
                    "for instance --where 'params.lr > 0.1 and state == \"failed\"'");
    }
    return expression;
}

/// A run that lacks what is asked about does not match; that is no error.
bool matches(const Expression& where, const RunSummary& summary, Timestamp now) {
    try {
        return truthy(where.evaluate(SummaryScope(fields(summary), now)));
    } catch (const Error&) {
        return false;
    }
}

bool passes(const RunSummary& s, const RunFilter& f) {
    return (f.flow.empty() || s.flow == f.flow) && (f.state.empty() || s.state == f.state) &&
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
        throw Error(ExitCode::usage, fmt::format("--sort: no run has '{}'", printable(field)), "",
                    "run, flow, state, user, created, ended, tasks, succeeded, failed, tags, or params.NAME");
    }
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
        return descending ? less(b.first, a.first) : less(a.first, b.first);
    });
    std::vector<RunSummary> sorted;
    for (const auto& [value, i] : keyed) {
        sorted.push_back(std::move(runs[i]));
    }
    runs = std::move(sorted);
}

}  // namespace

Value summary_value(const RunRecord& record, const Plan& plan, const RunEndRecord& end) {
    RunSummary s;
    s.run = record.run;
    s.flow = record.flow_name;
    s.state = state_name(end.state);
    s.user = record.user;
    s.created = record.created;
    s.ended = end.at;
    s.params = record.params;
    count(s, plan.totals());
    Object out = fields(s).as_object();
    out.insert_or_assign("schema", 1);
    out.erase("tags");
    return out;
}

RunSummary summary_from(const Value& v) {
    RunSummary s;
    s.run = get_string(v, "run");
    s.flow = get_string(v, "flow");
    s.state = get_string(v, "state");
    s.user = get_string(v, "user");
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
    s.created = view.created;
    s.ended = view.ended;
    s.params = view.params;
    for (const StepView& step : view.steps) {
        count(s, step.counts);
    }
    return s;
}

namespace {

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
        RunSummary summary;
        summary.run = run;
        summary.state = "unreadable";
        return summary;
    }
}

}  // namespace

std::vector<RunSummary> list_run_summaries(Services& services, const Project& project,
                                           const RunFilter& filter) {
    const OpenStore store = services.open_store(project.store_folder, false);
    const auto where = parse_where(filter.where);
    std::vector<RunSummary> out;
    auto runs = list_runs(*store.objects);
    std::reverse(runs.begin(), runs.end());
    for (const std::string& run : runs) {
        const bool enough = filter.sort.empty() && filter.limit > 0 && out.size() >= filter.limit;
        if (enough) {
            break;
        }
        std::optional<RunSummary> summary = summarize(services, project, store, run);
        if (!summary) {
            continue;
        }
        for (const Tag& tag : read_tags(*store.objects, run)) {
            if (tag.active()) {
                summary->tags.push_back(tag.name);
            }
        }
        if (passes(*summary, filter) && (!where || matches(*where, *summary, services.clock.now()))) {
            out.push_back(std::move(*summary));
        }
    }
    sort_runs(out, filter.sort);
    if (filter.limit > 0 && out.size() > filter.limit) {
        out.resize(filter.limit);
    }
    return out;
}

}  // namespace amp
