#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/base/text.hpp"
#include "core/flow/load_parts.hpp"

namespace amp::loading {
namespace {

/// Keys whose members add up, where a default or profile names some and the step others.
constexpr std::array<std::string_view, 6> k_adding_up = {"env",        "resources", "slurm",
                                                         "kubernetes", "batch",     "secrets"};

bool adds_up(std::string_view key) {
    return std::find(k_adding_up.begin(), k_adding_up.end(), key) != k_adding_up.end();
}

/// "step.artifact"
bool names_an_artifact(std::string_view text) {
    const std::size_t dot = text.find('.');
    return dot != std::string_view::npos && schema::is_identifier(text.substr(0, dot)) &&
           schema::is_identifier(text.substr(dot + 1));
}

}  // namespace

StepLoader::StepLoader(const std::vector<Parameter>& params, Diagnostics& diagnostics)
    : diagnostics_(diagnostics) {
    using Type = Parameter::Type;
    for (const Parameter& parameter : params) {
        if (parameter.type == Type::integer || parameter.type == Type::floating ||
            parameter.type == Type::boolean) {
            numbers_.insert(parameter.name);
        }
    }
}

void StepLoader::set_defaults(const TomlNode& table) {
    const schema::Path path{nullptr, "defaults"};
    if (!table.is_table()) {
        diagnostics_.error("AMP1011", table.place,
                           fmt::format("`defaults` must be a table, not {}", table.kind_name()));
        return;
    }
    Step trial;
    const TomlNode* shell = table.find("shell");
    if (shell != nullptr && std::all_of(shell->items.begin(), shell->items.end(),
                                        [](const TomlNode& item) { return item.is_string(); })) {
        trial.shell = read_texts(*shell);  // what a text of `run` means depends on it
    }
    for (const TomlMember& member : table.members) {
        const std::size_t before = diagnostics_.error_count();
        const schema::Key* key = schema::known_key(member, schema::step_keys(), path, diagnostics_);
        if (key == nullptr) {
            continue;
        }
        Entry entry{key, &member.value, member.place, true, true};
        if (schema::check(member.value, *key->rule, {&path, member.key}, diagnostics_)) {
            apply(trial, entry);
        }
        entry.checked = diagnostics_.error_count() == before;
        defaults_.push_back(entry);
    }
}

void StepLoader::load(const TomlMember& member, const Value& overrides, Flow& flow) {
    if (const auto mistake = schema::find_mistake(member.key, schema::Format::step_name)) {
        diagnostics_.error(std::string(mistake->code), member.place,
                           fmt::format("'{}' {}", printable(member.key), mistake->reason), mistake->hint);
    }
    Step& step = flow.steps.emplace_back();  // large: made where it stays
    step.name = member.key;
    step.place = member.place;
    if (!member.value.is_table()) {
        diagnostics_.error(
            "AMP1011", member.value.place,
            fmt::format("`step.{}` must be a table, not {}", printable(member.key), member.value.kind_name()),
            fmt::format("begin it with [step.{}]", printable(member.key)));
        return;
    }
    std::vector<Entry> entries;
    entries.reserve(member.value.members.size() + defaults_.size());
    add_own(member, entries);
    add_overrides(overrides, member, entries);
    add_defaults(entries);
    step.key_places.reserve(entries.size());
    // The shell comes before what it reads.
    std::stable_partition(entries.begin(), entries.end(),
                          [](const Entry& e) { return e.key->name == "shell"; });
    apply_entries(step, entries);
    if (!flow.incomplete) {
        check_whole(step);
    }
    for (const Entry& entry : entries) {
        if (entry.key->name == "outputs" && step.is_broken("outputs")) {
            name_broken_outputs(step, *entry.node);
        }
    }
}

void StepLoader::apply_entries(Step& step, const std::vector<Entry>& entries) {
    for (const Entry& entry : entries) {
        step.key_places.emplace_back(entry.key->name, entry.place);
        const std::size_t before = diagnostics_.error_count();
        if (entry.checked) {
            apply(step, entry);
        } else if (!entry.of_defaults) {  // else its mistakes were told
            apply_right_parts(step, entry);
        }
        if (!entry.checked || diagnostics_.error_count() > before) {
            note_broken(step, entry);
        }
    }
}

void StepLoader::add_own(const TomlMember& step, std::vector<Entry>& entries) {
    const schema::Path root{nullptr, "step"};
    const schema::Path path{&root, step.key};
    for (const TomlMember& member : step.value.members) {
        if (const schema::Key* key = schema::known_key(member, schema::step_keys(), path, diagnostics_)) {
            const bool right = schema::check(member.value, *key->rule, {&path, member.key}, diagnostics_);
            const bool twice =  // a table below the step's that is there twice, which was told
                std::any_of(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
            if (twice) {
                continue;
            }
            entries.push_back({key, &member.value, member.place, right, false});
        }
    }
}

void StepLoader::add_overrides(const Value& overrides, const TomlMember& step, std::vector<Entry>& entries) {
    if (!overrides.is_object()) {
        return;
    }
    const schema::Path root{nullptr, "the profile's step"};
    const schema::Path path{&root, step.key};
    made_.push_back(toml_node(overrides, step.place));
    for (const TomlMember& member : made_.back().members) {
        const schema::Key* key = schema::known_key(member, schema::step_keys(), path, diagnostics_);
        if (key == nullptr || !schema::check(member.value, *key->rule, {&path, member.key}, diagnostics_)) {
            continue;
        }
        const auto own =
            std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
        if (own == entries.end()) {
            entries.push_back({key, &member.value, member.place, true, false});
        } else {
            own->node = own->checked ? lay_over(*key, &member.value, own->node) : &member.value;
            own->checked = true;
        }
    }
}

void StepLoader::add_defaults(std::vector<Entry>& entries) {
    const auto find = [&](std::string_view name) {
        return std::find_if(entries.begin(), entries.end(),
                            [&](const Entry& e) { return e.key->name == name; });
    };
    // What a step does is one choice: its own `flow` replaces a default `run`, and the other way round.
    const bool does_something = find("run") != entries.end() || find("flow") != entries.end();
    for (const Entry& entry : defaults_) {
        const auto own = find(entry.key->name);
        if (own != entries.end()) {
            if (own->checked && entry.checked) {
                own->node = lay_over(*entry.key, own->node, entry.node);
            }
        } else if (!does_something || (entry.key->name != "run" && entry.key->name != "flow")) {
            entries.push_back(entry);
        }
    }
}

const TomlNode* StepLoader::lay_over(const schema::Key& key, const TomlNode* above, const TomlNode* below) {
    if (!adds_up(key.name) || !above->is_table() || !below->is_table()) {
        return above;
    }
    TomlNode both = *above;
    for (const TomlMember& member : below->members) {
        if (above->find(member.key) == nullptr) {
            both.members.push_back(member);
        }
    }
    made_.push_back(std::move(both));
    return &made_.back();
}

void StepLoader::apply(Step& step, const Entry& entry) {
    if (entry.key->later) {
        if (auto setting = read_setting(*entry.node, diagnostics_)) {
            step.later.insert_or_assign(std::string(entry.key->name), std::move(*setting));
        }
    }
    if (const Handling* handling = find_handling(entry.key->name)) {
        (this->*handling->handler)(step, *entry.node);
    }
}

/// No argument, variable or path of a program can hold a NUL byte.
void StepLoader::check_bytes(const Step& step) {
    const auto plain = [&](std::string_view text, std::string_view key) {
        if (text.find('\0') != std::string_view::npos) {
            diagnostics_.error("AMP1213", step.place_of(key),
                               fmt::format("`{}` of step '{}' holds a NUL byte", key, step.name),
                               "leave \\u0000 out");
        }
    };
    const auto one = [&](const TextTemplate& text, std::string_view key) {
        for (const TextTemplate::Part& part : text.parts()) {
            if (const auto* words = std::get_if<std::string>(&part)) {
                plain(*words, key);
            }
        }
    };
    for (const TextTemplate& argument : step.arguments) {
        one(argument, "run");
    }
    for (const std::string& word : step.shell) {
        plain(word, "shell");
    }
    for (const auto& [name, text] : step.env) {
        one(text, "env");
    }
    if (step.cwd) {
        one(*step.cwd, "cwd");
    }
    for (const TaskOutput& output : step.outputs) {
        plain(output.path, "outputs");
    }
    for (const CacheFolder& cached : step.cache_dirs) {
        one(cached.folder, "cache_dirs");
    }
    if (step.subflow_params) {  // each becomes a variable of the sub-flow's tasks
        for (const auto& [name, value] : step.subflow_params->value.as_object()) {
            plain(value.is_string() ? value.as_string() : "", "params");
        }
    }
    if (step.wait) {
        for (const auto* text : {&step.wait->file, &step.wait->url}) {
            if (*text) {
                one(**text, "wait");
            }
        }
    }
}

/// What concerns several keys of a step at once. One that is broken was given: what it lacks was told.
void StepLoader::check_whole(const Step& step) {
    const bool runs = step.command || !step.arguments.empty() || step.is_broken("run");
    const bool includes = !step.subflow.empty() || step.is_broken("flow");
    if (runs && includes) {
        diagnostics_.error("AMP1026", step.place_of("flow"),
                           fmt::format("step '{}' has both `run` and `flow`", step.name),
                           "a step either runs a command or a flow: make two steps");
    }
    if (!runs && !includes && !step.wait && !step.is_broken("wait")) {
        diagnostics_.error("AMP1027", step.place, fmt::format("step '{}' does nothing", step.name),
                           "add run = \"…\"");
    }
    if (!includes && step.subflow_params) {
        diagnostics_.error("AMP1026", step.place_of("params"),
                           fmt::format("step '{}' gives values to `params`, but runs no flow", step.name),
                           "list the names of the parameters that it uses: params = [\"lr\"]");
    }
    if (step.is_gang() && includes) {
        diagnostics_.error(
            "AMP1026", step.place_of("flow"),
            fmt::format("step '{}' runs a flow, which has no nodes and ranks of its own", step.name),
            "give nodes and launcher to the steps of that flow");
    }
    if (runs && step.container && step.container->value == Value(true) && !step.image &&
        !step.is_broken("image")) {
        diagnostics_.error("AMP1608", step.place_of("container"),
                           fmt::format("step '{}' runs in a container, but has no image", step.name),
                           "name one: image = \"python:3.12\"");
    }
    check_outputs(step);
    check_bytes(step);
    if (step.repeat && !step.repeat->until && !step.repeat->on_max_ok && !step.is_broken("repeat")) {
        diagnostics_.error(
            "AMP1312", step.place_of("repeat"),
            fmt::format("step '{}' repeats without `until`, so its {} rounds always end as a failure",
                        step.name, step.repeat->max),
            "add until = \"…\", or on_max = \"ok\"");
    }
}

void StepLoader::check_outputs(const Step& step) {
    std::set<std::string_view> paths;
    for (const TaskOutput& output : step.outputs) {
        if (!step.subflow.empty() && !names_an_artifact(output.path)) {
            diagnostics_.error(
                "AMP1029", step.place_of("outputs"),
                fmt::format("'{}', an output of step '{}', is no artifact of the sub-flow",
                            printable(output.path), step.name),
                fmt::format("name a step there and what it makes: {} = \"publish.url\"", output.name));
        }
        if (step.subflow.empty() && !paths.insert(output.path).second) {
            diagnostics_.error("AMP1028", step.place_of("outputs"),
                               fmt::format("two outputs of step '{}' have the path '{}'", step.name,
                                           printable(output.path)));
        }
        if (!step.catch_as.empty() && output.name == step.catch_as) {
            diagnostics_.error(
                "AMP1028", step.place_of("catch"),
                fmt::format("the error of step '{}' would be called '{}', which is the name of an output",
                            step.name, output.name),
                "give the error another name: catch = \"failure\"");
        }
    }
}

}  // namespace amp::loading
