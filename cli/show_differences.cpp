#include "cli/show_differences.hpp"

#include <fmt/format.h>

#include <cmath>

#include "cli/csv.hpp"
#include "cli/documents.hpp"
#include "cli/run_text.hpp"
#include "cli/select.hpp"
#include "cli/table.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_value_width = 60;
constexpr std::size_t k_most_rows = 50;

std::string short_text(const std::string& text, bool unicode) {
    return cut(printable(text), k_value_width, unicode);
}

std::string part_text(const DefinitionDifference& d) {
    return d.name.empty() ? d.part : d.part + " " + d.name;
}

std::string change_text(const std::string& before, const std::string& after, bool unicode) {
    if (before.empty()) {
        return after == "changed" ? "added" : "added: " + short_text(after, unicode);
    }
    if (after.empty()) {
        return "removed";
    }
    if (before == after) {
        return before;
    }
    return fmt::format("{} {} {}", short_text(before, unicode), unicode ? "→" : "->",
                       short_text(after, unicode));
}

std::string line_text(char sign, const FlowLine& line) {
    return fmt::format("    {} {}:{}: {}\n", sign, printable(line.file), line.line, printable(line.text));
}

std::string difference_text(const DefinitionDifference& d, bool unicode) {
    std::string out =
        fmt::format("  {}: {}\n", printable(part_text(d)), change_text(d.before, d.after, unicode));
    const bool same_line = d.old_line && d.new_line && d.old_line->text == d.new_line->text;
    if (d.old_line && !same_line) {
        out += line_text('-', *d.old_line);
    }
    if (d.new_line) {
        out += line_text(same_line ? ' ' : '+', *d.new_line);
    }
    return out;
}

std::string answer_text(const WhyAnswer& answer, const Style& style, bool unicode,
                        const std::function<std::string(const WhyAnswer&)>& details) {
    std::string out = fmt::format("{}  {}\n", style.bold(printable(task_text(answer.task))),
                                  style.state(answer.state, answer.state));
    for (const std::string& reason : answer.reasons) {
        out += fmt::format("  {}\n", printable(reason));
    }
    out += details ? details(answer) : "";
    out += differences_text(answer.differences, unicode);
    for (const WhyAnswer& inner : answer.because) {
        out += answer_text(inner, style, unicode, details);
    }
    return out;
}

Value line_document(const std::optional<FlowLine>& line) {
    return line
               ? Value(Object{{"file", line->file}, {"line", std::int64_t{line->line}}, {"text", line->text}})
               : Value();
}

Value answer_document(const WhyAnswer& answer) {
    List because;
    for (const WhyAnswer& inner : answer.because) {
        because.push_back(answer_document(inner));
    }
    return Object{{"task", answer.task},
                  {"state", answer.state},
                  {"reasons", List(answer.reasons.begin(), answer.reasons.end())},
                  {"differences", differences_document(answer.differences)},
                  {"because", std::move(because)}};
}

/// Collects lines below a title, and cuts after k_most_rows.
class Section {
  public:
    explicit Section(std::string title) : title_(std::move(title)) {}
    void add(const std::string& line) {
        if (++rows_ <= k_most_rows) {
            text_ += "  " + line + "\n";
        }
    }
    std::string text(const Style& style) const {
        if (rows_ == 0) {
            return "";
        }
        const std::string more =
            rows_ > k_most_rows ? fmt::format("  and {} more\n", rows_ - k_most_rows) : "";
        return fmt::format("{}\n{}{}", style.bold(title_), text_, more);
    }

  private:
    std::string title_;
    std::string text_;
    std::size_t rows_ = 0;
};

std::string dumped(const std::optional<Value>& value) {
    return value ? json::dump(*value) : std::string();
}

std::string artifact_text(const std::optional<Artifact>& artifact) {
    if (!artifact) {
        return "";
    }
    return artifact->value
               ? json::dump(*artifact->value)
               : fmt::format("{} {}", artifact->sha256.substr(0, 12), format_size(artifact->size_bytes));
}

std::string values_section(const std::string& title, const std::vector<ValueDifference>& differences,
                           const Style& style, bool unicode) {
    Section section(title);
    for (const ValueDifference& d : differences) {
        section.add(fmt::format("{}: {}", printable(d.path),
                                change_text(dumped(d.before), dumped(d.after), unicode)));
    }
    return section.text(style);
}

double took_s(const RunView& view) {
    return view.ended ? view.ended->seconds_since(view.created) : 0;
}

std::string took_text(const RunView& view) {
    return view.ended ? duration_text(took_s(view)) : "";
}

std::string shown_value(const Comparison::Run& run, const std::string& column) {
    const auto it = run.values.find(column);
    if (it == run.values.end() || it->second.is_null()) {
        return "";
    }
    if (it->second.is_float() && !std::isfinite(it->second.as_float())) {
        return fmt::format("{}", it->second.as_float());  // in JSON they are strings
    }
    return it->second.is_string() ? it->second.as_string() : json::dump(it->second);
}

Value values_document(const std::vector<ValueDifference>& differences) {
    List out;
    for (const ValueDifference& d : differences) {
        out.emplace_back(Object{
            {"name", d.path}, {"before", d.before.value_or(Value())}, {"after", d.after.value_or(Value())}});
    }
    return out;
}

Value run_side(const RunView& view) {
    return Object{{"run", view.run},
                  {"state", view.state},
                  {"created", format_time(view.created)},
                  {"duration_s", view.ended ? Value(took_s(view)) : Value()}};
}

}  // namespace

std::string differences_text(const std::vector<DefinitionDifference>& differences, bool unicode) {
    std::string out;
    for (const DefinitionDifference& d : differences) {
        out += difference_text(d, unicode);
    }
    return out;
}

Value differences_document(const std::vector<DefinitionDifference>& differences) {
    List out;
    for (const DefinitionDifference& d : differences) {
        out.emplace_back(Object{{"part", d.part},
                                {"name", text_or_null(d.name)},
                                {"before", text_or_null(d.before)},
                                {"after", text_or_null(d.after)},
                                {"old_line", line_document(d.old_line)},
                                {"new_line", line_document(d.new_line)}});
    }
    return out;
}

std::string why_text(const WhyReport& report, const Presentation& presentation,
                     const std::function<std::string(const WhyAnswer&)>& details) {
    const Style style(presentation.color_out);
    std::string out;
    for (const WhyAnswer& answer : report.answers) {
        out += answer_text(answer, style, presentation.unicode, details);
    }
    if (report.more > 0) {
        out += fmt::format("and {} more tasks\n", report.more);
    }
    return report.against.empty() ? out : out + fmt::format("compared with run {}\n", report.against);
}

Value why_document(const WhyReport& report) {
    List tasks;
    for (const WhyAnswer& answer : report.answers) {
        tasks.push_back(answer_document(answer));
    }
    return Object{{"schema", "amp.why/1"},
                  {"run", report.run},
                  {"against", text_or_null(report.against)},
                  {"tasks", std::move(tasks)},
                  {"more", std::uint64_t{report.more}}};
}

std::string diff_text(const RunDifference& d, const Presentation& presentation) {
    const Style style(presentation.color_out);
    const bool unicode = presentation.unicode;
    std::string out = fmt::format("--- {}  {} {}\n+++ {}  {} {}\n", d.before.run, d.before.state,
                                  took_text(d.before), d.after.run, d.after.state, took_text(d.after));
    out += values_section("parameters", d.params, style, unicode);
    out += values_section("configuration", d.config, style, unicode);
    out += values_section("environments", d.environments, style, unicode);
    out += d.flow.empty() ? "" : style.bold("flow") + "\n" + printable(d.flow);
    Section code("code");
    std::string patches;
    for (const RunDifference::File& file : d.code) {
        code.add(fmt::format("{} {}", printable(file.how.path), file.how.how));
        patches += printable(file.patch);
    }
    out += code.text(style) + patches;
    Section states("tasks");
    for (const RunDifference::TaskState& task : d.states) {
        states.add(fmt::format("{}: {}", printable(task_text(task.task)),
                               change_text(task.before, task.after, unicode)));
    }
    out += states.text(style);
    Section artifacts("artifacts");
    for (const RunDifference::Made& made : d.artifacts) {
        artifacts.add(
            fmt::format("{} {}: {}", printable(task_text(made.task)), printable(made.name),
                        change_text(artifact_text(made.before), artifact_text(made.after), unicode)));
    }
    out += artifacts.text(style);
    out += values_section("metrics", d.metrics, style, unicode);
    return d.any() ? out : out + "nothing but times differs\n";
}

Value diff_document(const RunDifference& d) {
    List code;
    for (const RunDifference::File& file : d.code) {
        code.emplace_back(Object{
            {"path", to_utf8(file.how.path)}, {"change", file.how.how}, {"patch", text_or_null(file.patch)}});
    }
    List states;
    for (const RunDifference::TaskState& task : d.states) {
        states.emplace_back(Object{
            {"task", task.task}, {"before", text_or_null(task.before)}, {"after", text_or_null(task.after)}});
    }
    List artifacts;
    for (const RunDifference::Made& made : d.artifacts) {
        artifacts.emplace_back(Object{{"task", made.task},
                                      {"name", made.name},
                                      {"before", made.before ? artifact_document(*made.before) : Value()},
                                      {"after", made.after ? artifact_document(*made.after) : Value()}});
    }
    return Object{{"schema", "amp.diff/1"},
                  {"before", run_side(d.before)},
                  {"after", run_side(d.after)},
                  {"differ", d.any()},
                  {"params", values_document(d.params)},
                  {"config", values_document(d.config)},
                  {"environments", values_document(d.environments)},
                  {"flow", text_or_null(d.flow)},
                  {"code", std::move(code)},
                  {"tasks", std::move(states)},
                  {"artifacts", std::move(artifacts)},
                  {"same_artifacts", std::uint64_t{d.same_artifacts}},
                  {"metrics", values_document(d.metrics)}};
}

std::string comparison_table(const Comparison& comparison, bool all, const Presentation& presentation) {
    const auto& columns = all ? comparison.columns : comparison.differing;
    std::vector<Table::Column> titles{{"RUN"}, {"STATE"}, {"TOOK", Table::Align::right}};
    for (const std::string& column : columns) {  // those on the right go first
        titles.push_back({printable(column), Table::Align::left, static_cast<int>(titles.size())});
    }
    Table table(std::move(titles));
    table.color_states(1);
    for (const Comparison::Run& run : comparison.runs) {
        std::vector<std::string> cells{run.view.run, run.view.state, took_text(run.view)};
        for (const std::string& column : columns) {
            cells.push_back(short_text(shown_value(run, column), presentation.unicode));
        }
        table.add(std::move(cells));
    }
    return table.text(presentation);
}

std::string comparison_csv(const Comparison& comparison, bool at_terminal) {
    std::string out = "run,state,created,duration_s";
    for (const std::string& column : comparison.columns) {
        out += "," + csv_cell(column, at_terminal);
    }
    out += "\r\n";
    for (const Comparison::Run& run : comparison.runs) {
        const std::string took = run.view.ended ? fmt::format("{}", took_s(run.view)) : "";
        out += fmt::format("{},{},{},{}", run.view.run, run.view.state, format_time(run.view.created), took);
        for (const std::string& column : comparison.columns) {
            out += "," + csv_cell(shown_value(run, column), at_terminal);
        }
        out += "\r\n";
    }
    return out;
}

std::string comparison_plain(const Comparison& comparison) {
    std::string out;
    for (const Comparison::Run& run : comparison.runs) {
        std::vector<std::string> fields{run.view.run, run.view.state, format_time(run.view.created),
                                        run.view.ended ? fmt::format("{}", took_s(run.view)) : ""};
        for (const std::string& column : comparison.columns) {
            fields.push_back(shown_value(run, column));
        }
        out += plain_line(fields);
    }
    return out;
}

Value comparison_document(const Comparison& comparison) {
    List runs;
    for (const Comparison::Run& run : comparison.runs) {
        Object side = run_side(run.view).as_object();
        side.emplace("values", Object(run.values.begin(), run.values.end()));
        runs.emplace_back(std::move(side));
    }
    return Object{{"schema", "amp.comparison/1"},
                  {"runs", std::move(runs)},
                  {"columns", List(comparison.columns.begin(), comparison.columns.end())},
                  {"differing", List(comparison.differing.begin(), comparison.differing.end())}};
}

}  // namespace amp
