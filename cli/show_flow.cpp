#include "cli/show_flow.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/documents.hpp"
#include "cli/select.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

std::string braces(std::string_view expression) {
    return fmt::format("{{{{ {} }}}}", expression);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// The script with its variables turned back into what stood there.
std::string script_text(const ShellCommand& command) {
    std::string out;
    for (const TextTemplate::Part& part : command.script()) {
        if (const auto* text = std::get_if<std::string>(&part)) {
            out += *text;
        } else {
            out += braces(std::get<Expression>(part).text());
        }
    }
    // Backwards, so that amp_v1 does not match within amp_v12.
    std::for_each(command.variables().rbegin(), command.variables().rend(), [&out](const auto& variable) {
        const std::string written = braces(variable.second.text());
        replace_all(out, fmt::format("\"${{{}}}\"", variable.first), written);
        replace_all(out, fmt::format("${{{}}}", variable.first), written);
        replace_all(out, fmt::format("\"${}\"", variable.first), written);
        replace_all(out, fmt::format("${}", variable.first), written);
    });
    return out;
}

/// "foreach params.actions · when x > 1 · retry 2": what is special about a step.
std::vector<std::string> marks(const Step& step, const Graph::Node& node) {
    std::vector<std::string> out;
    if (step.foreach) {
        out.push_back("foreach " + step.foreach->text());
    }
    if (step.joins) {
        out.push_back(step.join_step.empty() ? "join" : "join " + step.join_step);
    }
    if (step.when) {
        out.push_back("when " + step.when->text());
    }
    if (step.repeat) {
        out.push_back(step.repeat->until ? fmt::format("repeat until {}, at most {}",
                                                       step.repeat->until->text(), step.repeat->max)
                                         : fmt::format("repeat {} times", step.repeat->max));
    }
    if (step.retry.times > 0) {
        out.push_back(fmt::format("retry {}", step.retry.times));
    }
    if (!step.catch_as.empty()) {
        out.push_back("catch " + step.catch_as);
    }
    if (step.wait) {
        out.emplace_back(step.wait->approval ? "waits for approval" : "waits");
    }
    if (step.cache) {
        out.emplace_back("cache");
    }
    if (step.checkpoint_s) {
        out.emplace_back("checkpoint");
    }
    if (node.at_end) {
        out.emplace_back("at the end");
    }
    return out;
}

std::string needs_text(const Step& step) {
    std::vector<std::string> names;
    for (const Need& need : step.needs) {
        names.push_back(need.when ? fmt::format("{} (when {})", need.step, need.when->text()) : need.step);
    }
    return join(names, ", ");
}

std::string parameters_text(const Flow& flow) {
    std::vector<std::string> parts;
    for (const Parameter& parameter : flow.params) {
        parts.push_back(parameter.fallback ? parameter.name + "=" + json::dump(*parameter.fallback)
                                           : parameter.name);
    }
    return join(parts, " ");
}

void append_step(std::string& out, const Step& step, const Graph::Node& node,
                 const Presentation& presentation) {
    const Style style(presentation.color_out);
    const std::size_t depth = node.stack.size();
    std::string indent;
    for (std::size_t i = 0; i < depth; ++i) {
        indent += presentation.unicode ? "│ " : "| ";
    }
    std::string line = indent + style.bold(printable(step.name));
    if (!step.needs.empty()) {
        line += (presentation.unicode ? "  ← " : "  <- ") + printable(needs_text(step));
    }
    for (const std::string& mark : marks(step, node)) {
        line += "  " + style.cyan("[" + printable(mark) + "]");
    }
    out += line + "\n";
    const std::string text = run_text(step);
    if (text.empty()) {  // it only waits
        return;
    }
    for (const std::string_view run_line : split(trim(text), '\n')) {
        out += indent + "    " + style.faint(printable(run_line)) + "\n";
    }
}

/// For DOT's double quotes.
std::string dot_quote(std::string_view text) {
    std::string out = "\"";
    for (const char c : printable(text)) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c == '\n' ? ' ' : c;
    }
    return out + "\"";
}

Value step_document(const Step& step, const Graph& graph, const Graph::Node& node) {
    List needs;
    for (const Need& need : step.needs) {
        needs.emplace_back(
            Object{{"step", need.step}, {"when", need.when ? Value(need.when->text()) : Value()}});
    }
    List outputs;
    for (const TaskOutput& output : step.outputs) {
        outputs.emplace_back(
            Object{{"name", output.name}, {"path", output.path}, {"optional", output.optional}});
    }
    List stack;
    for (const StepId id : node.stack) {
        stack.emplace_back(graph.nodes[id].name);
    }
    Value repeat;
    if (step.repeat) {
        repeat = Object{{"max", std::int64_t{step.repeat->max}},
                        {"until", step.repeat->until ? Value(step.repeat->until->text()) : Value()}};
    }
    return Object{{"name", step.name},
                  {"line", std::int64_t{step.place.line}},
                  {"needs", std::move(needs)},
                  {"run", run_text(step)},
                  {"outputs", std::move(outputs)},
                  {"stack", std::move(stack)},
                  {"join", step.joins},
                  {"cleanup", node.cleanup},
                  {"retries", std::int64_t{step.retry.times}},
                  {"foreach", step.foreach ? Value(step.foreach->text()) : Value()},
                  {"as", step.foreach ? text_or_null(step.as) : Value()},
                  {"join_step", step.joins ? text_or_null(step.join_step) : Value()},
                  {"when", step.when ? Value(step.when->text()) : Value()},
                  {"catch", text_or_null(step.catch_as)},
                  {"repeat", std::move(repeat)}};
}

std::string_view type_text(Parameter::Type type) {
    constexpr std::array<std::string_view, 8> k_names = {"string", "int",    "float", "bool",
                                                         "list",   "object", "file",  "secret"};
    return k_names.at(static_cast<std::size_t>(type));
}

}  // namespace

std::string run_text(const Step& step) {
    if (step.command) {
        return script_text(*step.command);
    }
    if (!step.subflow.empty()) {
        return "flow " + step.subflow;
    }
    std::vector<std::string> words;
    for (const TextTemplate& argument : step.arguments) {
        const bool plain = argument.is_plain() && argument.source().find('\n') == std::string::npos;
        words.push_back(plain ? shell_quote(argument.source()) : argument.source());
    }
    return join(words, " ");
}

std::string flow_tree(const LoadedFlow& loaded, const Presentation& presentation) {
    const Flow& flow = loaded.flow;
    const Style style(presentation.color_out);
    std::string out = fmt::format("flow {} ({}), {} step{}\n", style.bold(printable(flow.name)),
                                  printable(flow.path), flow.steps.size(), flow.steps.size() == 1 ? "" : "s");
    if (!flow.description.empty()) {
        out += printable(flow.description) + "\n";
    }
    if (!flow.params.empty()) {
        out += "params  " + printable(parameters_text(flow)) + "\n";
    }
    out += "\n";
    for (const StepId id : loaded.graph.order) {
        append_step(out, flow.steps[id], loaded.graph.nodes[id], presentation);
    }
    return out;
}

std::string flow_plain(const LoadedFlow& loaded) {
    std::string out;
    for (const StepId id : loaded.graph.order) {
        const Step& step = loaded.flow.steps[id];
        std::vector<std::string> needs;
        for (const Need& need : step.needs) {
            needs.push_back(need.step);
        }
        out += plain_line({step.name, join(needs, ","), step.foreach ? step.foreach->text() : "",
                           step.when ? step.when->text() : ""});
    }
    return out;
}

std::string flow_dot(const LoadedFlow& loaded) {
    std::string out =
        fmt::format("digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n", dot_quote(loaded.flow.name));
    for (const StepId id : loaded.graph.order) {
        const Step& step = loaded.flow.steps[id];
        const std::string mark = join(marks(step, loaded.graph.nodes[id]), ", ");
        out += fmt::format("  {}", dot_quote(step.name));
        if (!mark.empty()) {
            // \n is DOT's own line break: put between two texts that are quoted already.
            const std::string name = dot_quote(step.name);
            out += fmt::format(" [label={}\\n{}{}]", name.substr(0, name.size() - 1),
                               dot_quote(mark).substr(1), step.foreach ? ", peripheries=2" : "");
        }
        out += ";\n";
    }
    for (const StepId id : loaded.graph.order) {
        const Step& step = loaded.flow.steps[id];
        for (const Need& need : step.needs) {
            out += fmt::format("  {} -> {}", dot_quote(need.step), dot_quote(step.name));
            out +=
                need.when ? fmt::format(" [style=dashed, label={}];\n", dot_quote(need.when->text())) : ";\n";
        }
    }
    return out + "}\n";
}

Value flow_document(const LoadedFlow& loaded) {
    const Flow& flow = loaded.flow;
    List params;
    for (const Parameter& parameter : flow.params) {
        params.emplace_back(Object{{"name", parameter.name},
                                   {"type", type_text(parameter.type)},
                                   {"required", parameter.required},
                                   {"help", text_or_null(parameter.help)},
                                   {"default", parameter.fallback.value_or(Value())}});
    }
    List steps;
    for (const StepId id : loaded.graph.order) {
        steps.push_back(step_document(flow.steps[id], loaded.graph, loaded.graph.nodes[id]));
    }
    List tags(flow.tags.begin(), flow.tags.end());
    return Object{{"schema", "amp.flow/1"},
                  {"name", flow.name},
                  {"description", text_or_null(flow.description)},
                  {"file", flow.path},
                  {"tags", std::move(tags)},
                  {"params", std::move(params)},
                  {"steps", std::move(steps)}};
}

}  // namespace amp
