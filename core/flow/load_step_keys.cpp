#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/text.hpp"
#include "core/flow/load_parts.hpp"
#include "core/flow/shell_check.hpp"

namespace amp::loading {

const StepLoader::Handling* StepLoader::find_handling(std::string_view key) {
    static constexpr std::array<Handling, 35> k_handlings = {{
        {"run", &StepLoader::read_run},
        {"shell", &StepLoader::read_shell},
        {"flow", &StepLoader::read_flow},
        {"needs", &StepLoader::read_needs},
        {"foreach", &StepLoader::read_foreach},
        {"as", &StepLoader::read_as},
        {"join", &StepLoader::read_join},
        {"when", &StepLoader::read_when},
        {"repeat", &StepLoader::read_repeat},
        {"params", &StepLoader::read_params},
        {"inputs", &StepLoader::read_inputs},
        {"outputs", &StepLoader::read_outputs},
        {"sources", &StepLoader::read_sources},
        {"env", &StepLoader::read_env},
        {"cwd", &StepLoader::read_cwd},
        {"resources", &StepLoader::read_resources},
        {"on", &StepLoader::read_on},
        {"retry", &StepLoader::read_retry},
        {"timeout", &StepLoader::read_timeout},
        {"catch", &StepLoader::read_catch},
        {"limit", &StepLoader::read_limit},
        {"priority", &StepLoader::read_priority},
        {"wait", &StepLoader::read_wait},
        {"secrets", &StepLoader::read_secrets},
        {"log", &StepLoader::read_log},
        {"nodes", &StepLoader::read_nodes},
        {"launcher", &StepLoader::read_launcher},
        {"tasks_per_node", &StepLoader::read_tasks_per_node},
        {"cache", &StepLoader::read_cache},
        {"checkpoint", &StepLoader::read_checkpoint},
        {"cache_dirs", &StepLoader::read_cache_dirs},
        {"image", &StepLoader::read_image},
        {"container", &StepLoader::read_container},
        {"environment", &StepLoader::read_environment},
        {"monitor", &StepLoader::read_monitor},
    }};
    const auto it =
        std::find_if(k_handlings.begin(), k_handlings.end(), [&](const Handling& h) { return h.key == key; });
    return it == k_handlings.end() ? nullptr : &*it;
}

void StepLoader::read_run(Step& step, const TomlNode& node) {
    if (node.is_string()) {
        if (const auto text = read_template(node, diagnostics_)) {
            read_command(step, *text, node.text_place);
        }
        return;
    }
    step.arguments.reserve(node.items.size());
    for (const TomlNode& item : node.items) {
        if (auto text = read_template(item, diagnostics_)) {
            step.arguments.push_back(std::move(*text));
        }
    }
}

void StepLoader::read_command(Step& step, const TextTemplate& text, Place at) {
    Diagnostics of_words;
    check_shell_words(text, dialect_of(step.shell), numbers_, of_words);
    Diagnostics of_quotes;
    step.command = ShellCommand::compile(text, at, of_quotes);
    // What a command does with a word says more than the quotes within it.
    const std::vector<Diagnostic> first = of_words.sorted();
    for (Diagnostic& mistake : of_quotes.sorted()) {
        if (std::none_of(first.begin(), first.end(),
                         [&](const Diagnostic& told) { return told.place == mistake.place; })) {
            diagnostics_.add(std::move(mistake));
        }
    }
    for (const Diagnostic& mistake : first) {
        diagnostics_.add(mistake);
    }
}

void StepLoader::read_shell(Step& step, const TomlNode& node) {
    step.shell = read_texts(node);
}

void StepLoader::read_flow(Step& step, const TomlNode& node) {
    step.subflow = node.text();
}

void StepLoader::read_needs(Step& step, const TomlNode& node) {
    step.needs.clear();
    step.needs.reserve(node.items.size());
    if (!node.is_list()) {
        read_need(step, node);
        return;
    }
    for (const TomlNode& item : node.items) {
        read_need(step, item);
    }
}

void StepLoader::read_need(Step& step, const TomlNode& node) {
    if (node.is_string()) {
        step.needs.push_back({node.text(), std::nullopt, node.place});
        return;
    }
    const TomlNode* name = node.find("step");
    Need need{name->text(), std::nullopt, name->place};
    if (const TomlNode* when = node.find("when")) {
        need.when = read_expression(*when, diagnostics_);
    }
    step.needs.push_back(std::move(need));
}

void StepLoader::read_foreach(Step& step, const TomlNode& node) {
    step.foreach = read_expression(node, diagnostics_);
}

void StepLoader::read_as(Step& step, const TomlNode& node) {
    step.as = node.text();
}

void StepLoader::read_join(Step& step, const TomlNode& node) {
    step.joins = node.is_string() || node.scalar.as_bool();
    step.join_step = node.is_string() ? node.text() : std::string();
}

void StepLoader::read_when(Step& step, const TomlNode& node) {
    step.when = read_expression(node, diagnostics_);
}

void StepLoader::read_repeat(Step& step, const TomlNode& node) {
    Repeat repeat;
    if (const TomlNode* until = node.find("until")) {
        repeat.until = read_expression(*until, diagnostics_);
    }
    repeat.max = static_cast<std::uint32_t>(node.find("max")->scalar.as_int());
    if (const TomlNode* on_max = node.find("on_max")) {
        repeat.on_max_ok = on_max->text() == "ok";
    }
    step.repeat = std::move(repeat);
}

void StepLoader::read_params(Step& step, const TomlNode& node) {
    if (!node.is_table()) {
        step.params = read_texts(node);
        return;
    }
    if (auto setting = read_setting(node, diagnostics_)) {
        step.subflow_params = std::move(*setting);
    }
}

void StepLoader::read_inputs(Step& step, const TomlNode& node) {
    const auto add = [&](std::string path, const TomlNode& source) {
        auto expression = read_expression(source, diagnostics_);
        if (!expression) {
            return;
        }
        const auto& uses = expression->uses();
        if (uses.size() != 1 || uses.front().guarded ||
            uses.front().reference.text() != trim(source.text())) {
            diagnostics_.error("AMP1029", source.place,
                               fmt::format("the input '{}' of step '{}' is no artifact",
                                           printable(source.text()), step.name),
                               "name an artifact: \"train.model\"");
            return;
        }
        step.inputs.push_back({std::move(path), std::move(*expression)});
    };
    if (node.is_string()) {
        add({}, node);
    }
    for (const TomlNode& item : node.items) {
        add({}, item);
    }
    for (const TomlMember& member : node.members) {
        add(member.key, member.value);
    }
}

void StepLoader::read_outputs(Step& step, const TomlNode& node) {
    constexpr std::array<std::pair<std::string_view, TaskOutput::Type>, 5> k_types = {{
        {"file", TaskOutput::Type::file},
        {"dir", TaskOutput::Type::dir},
        {"json", TaskOutput::Type::json},
        {"text", TaskOutput::Type::text},
        {"metrics", TaskOutput::Type::metrics},
    }};
    step.outputs.reserve(step.outputs.size() + node.members.size());
    for (const TomlMember& member : node.members) {
        TaskOutput output{
            .name = member.key, .path = {}, .type = TaskOutput::Type::automatic, .optional = false};
        if (member.value.is_string()) {
            output.path = member.value.text();
        } else {
            output.path = member.value.find("path")->text();
            if (const TomlNode* type = member.value.find("type")) {
                output.type = std::find_if(k_types.begin(), k_types.end(), [&](const auto& t) {
                                  return t.first == type->text();
                              })->second;
            }
            if (const TomlNode* optional = member.value.find("optional")) {
                output.optional = optional->scalar.as_bool();
            }
        }
        step.outputs.push_back(std::move(output));
    }
}

void StepLoader::read_sources(Step& step, const TomlNode& node) {
    step.sources = read_texts(node);
}

void StepLoader::read_env(Step& step, const TomlNode& node) {
    for (const TomlMember& member : node.members) {
        if (auto text = read_template(member.value, diagnostics_)) {
            step.env.emplace_back(member.key, std::move(*text));
        }
    }
}

void StepLoader::read_secrets(Step& step, const TomlNode& node) {
    for (const std::string& name : node.is_list() ? read_texts(node) : std::vector<std::string>()) {
        step.secrets.emplace_back(name, "env:" + name);
    }
    for (const TomlMember& member : node.members) {
        step.secrets.emplace_back(member.key, member.value.text());
    }
}

void StepLoader::read_cwd(Step& step, const TomlNode& node) {
    step.cwd = read_template(node, diagnostics_);
}

void StepLoader::read_resources(Step& step, const TomlNode& node) {
    for (const TomlMember& member : node.members) {
        auto setting = read_setting(member.value, diagnostics_);
        if (!setting) {
            continue;
        }
        if (schema::find_key(schema::resource_keys(), member.key)->later) {
            step.later.insert_or_assign("resources." + member.key, *setting);
        }
        step.resources.insert_or_assign(member.key, std::move(*setting));
    }
}

void StepLoader::read_nodes(Step& step, const TomlNode& node) {
    step.nodes = read_setting(node, diagnostics_);
}

void StepLoader::read_tasks_per_node(Step& step, const TomlNode& node) {
    step.tasks_per_node = read_setting(node, diagnostics_);
}

void StepLoader::read_launcher(Step& step, const TomlNode& node) {
    step.launcher = read_setting(node, diagnostics_);
}

void StepLoader::read_on(Step& step, const TomlNode& node) {
    step.on = read_setting(node, diagnostics_);
}

void StepLoader::read_image(Step& step, const TomlNode& node) {
    step.image = read_setting(node, diagnostics_);
}

void StepLoader::read_container(Step& step, const TomlNode& node) {
    step.container = read_setting(node, diagnostics_);
}

void StepLoader::read_environment(Step& step, const TomlNode& node) {
    using Tool = PythonEnvironment::Tool;
    for (const Tool tool : {Tool::uv, Tool::requirements, Tool::conda}) {
        if (const TomlNode* file = node.find(environment_tool_name(tool))) {
            if (std::exchange(step.environment, EnvironmentSource{tool, file->text()})) {
                diagnostics_.error("AMP1026", file->place, "an environment is made from one file",
                                   "keep one of uv, requirements and conda");
            }
        }
    }
}

void StepLoader::read_monitor(Step& step, const TomlNode& node) {
    step.monitor = {};
    if (!node.is_table()) {
        step.monitor.interval_s = node.scalar.as_bool() ? step.monitor.interval_s : 0;
        return;
    }
    if (const TomlNode* interval = node.find("interval")) {
        step.monitor.interval_s = read_duration(*interval);
    }
    if (const TomlNode* gpu = node.find("gpu")) {
        step.monitor.gpu = gpu->scalar.as_bool();
    }
    if (const TomlNode* neuron = node.find("neuron")) {
        step.monitor.neuron = neuron->scalar.as_bool();
    }
    if (const TomlNode* hang = node.find("hang")) {
        step.monitor.hang_s = read_duration(*hang);
    }
}

void StepLoader::read_retry(Step& step, const TomlNode& node) {
    if (!node.is_table()) {
        step.retry.times = static_cast<std::uint32_t>(node.scalar.as_int());
        return;
    }
    const auto number = [&](std::string_view key, double& into) {
        if (const TomlNode* found = node.find(key)) {
            into = read_duration(*found);
        }
    };
    if (const TomlNode* times = node.find("times")) {
        step.retry.times = static_cast<std::uint32_t>(times->scalar.as_int());
    }
    if (const TomlNode* delay = node.find("delay")) {
        step.retry.delay_s = read_duration(*delay);
    }
    number("backoff", step.retry.backoff);
    number("max_delay", step.retry.max_delay_s);
    number("jitter", step.retry.jitter);
    if (const TomlNode* on = node.find("on")) {
        step.retry.on.clear();
        for (const TomlNode& cause : on->items) {
            step.retry.on.push_back(parse_cause(cause.text()).value_or(Cause::user));
        }
    }
    if (const TomlNode* grow = node.find("grow")) {
        for (const TomlMember& member : grow->members) {
            step.retry.grow.insert_or_assign(member.key, member.value.scalar.as_float());
            const bool later =
                schema::find_key(schema::resource_keys(), member.key)->later;  // as the resource
            if (auto factor = later ? read_setting(member.value, diagnostics_) : std::nullopt) {
                step.later.insert_or_assign("retry.grow." + member.key, std::move(*factor));
            }
        }
    }
}

void StepLoader::read_timeout(Step& step, const TomlNode& node) {
    step.timeout = read_setting(node, diagnostics_);
}

void StepLoader::read_catch(Step& step, const TomlNode& node) {
    if (node.is_string()) {
        step.catch_as = node.text();
    } else {
        step.catch_as = node.scalar.as_bool() ? "error" : "";
    }
}

void StepLoader::read_limit(Step& step, const TomlNode& node) {
    step.limit = read_setting(node, diagnostics_);
}

void StepLoader::read_priority(Step& step, const TomlNode& node) {
    step.priority = read_setting(node, diagnostics_);
}

void StepLoader::read_log(Step& step, const TomlNode& node) {
    if (node.is_string()) {
        step.log.head_bytes = LogCap::k_all;
    }
    for (const TomlMember& member : node.members) {
        const std::uint64_t bytes = parse_size(member.value.text()).value_or(0);
        (member.key == "head" ? step.log.head_bytes : step.log.tail_bytes) = bytes;
    }
}

void StepLoader::read_cache(Step& step, const TomlNode& node) {
    step.cache.reset();
    if (!node.is_table()) {
        if (node.scalar.as_bool()) {
            step.cache.emplace();
        }
        return;
    }
    step.cache.emplace();
    if (const TomlNode* ttl = node.find("ttl")) {
        step.cache->ttl_s = read_duration(*ttl);
    }
}

void StepLoader::read_checkpoint(Step& step, const TomlNode& node) {
    constexpr double k_interval_s = 60;
    constexpr double k_least_s = 0.1;
    step.checkpoint_s.reset();
    if (node.is_table() || node.scalar.as_bool()) {
        const TomlNode* interval = node.is_table() ? node.find("interval") : nullptr;
        step.checkpoint_s =
            interval != nullptr ? std::max(k_least_s, read_duration(*interval)) : k_interval_s;
    }
}

void StepLoader::read_cache_dirs(Step& step, const TomlNode& node) {
    step.cache_dirs.clear();
    const auto add = [&](const std::string& key, const TomlNode& folder) {
        if (auto text = read_template(folder, diagnostics_)) {
            step.cache_dirs.push_back({key, std::move(*text)});
        }
    };
    for (const TomlNode& item : node.items) {
        add(item.text(), item);
    }
    for (const TomlMember& member : node.members) {
        add(member.key, member.value);
    }
}

void StepLoader::read_wait(Step& step, const TomlNode& node) {
    Wait wait;
    wait.approval = node.is_string();
    if (const TomlNode* file = node.find("file")) {
        wait.file = read_template(*file, diagnostics_);
    }
    if (const TomlNode* url = node.find("url")) {
        wait.url = read_template(*url, diagnostics_);
    }
    if (const TomlNode* until = node.find("until")) {
        wait.until = read_expression(*until, diagnostics_);
    }
    if (const TomlNode* timeout = node.find("timeout")) {
        wait.timeout_s = read_duration(*timeout);
    }
    step.wait = std::move(wait);
}

}  // namespace amp::loading
