#include "core/flow/references.hpp"

#include <algorithm>
#include <array>

#include "core/base/text.hpp"
#include "core/flow/schema.hpp"
#include "core/flow/setting.hpp"

namespace amp {
namespace {

void add(std::vector<SiteExpression>& out, Site site, const std::vector<Expression>& expressions) {
    for (const Expression& expression : expressions) {
        out.push_back({site, expression, nullptr, false, false});
    }
}

void add_command(std::vector<SiteExpression>& out, const Step& step) {
    if (step.command) {
        for (const auto& [name, expression] : step.command->variables()) {
            out.push_back({Site::command, expression, nullptr, false, false});
        }
        for (const TextTemplate::Part& part : step.command->script()) {
            if (const auto* raw = std::get_if<Expression>(&part)) {
                out.push_back({Site::command, *raw, nullptr, false, false});
            }
        }
    }
    for (const TextTemplate& argument : step.arguments) {
        add(out, Site::command, argument.expressions());
    }
    for (const auto& [name, text] : step.env) {
        add(out, Site::command, text.expressions());
    }
    if (step.cwd) {
        add(out, Site::command, step.cwd->expressions());
    }
}

/// The text of a command with its expressions left out.
std::string plain_text(const Step& step) {
    std::string text;
    const auto append = [&](const std::vector<TextTemplate::Part>& parts) {
        for (const TextTemplate::Part& part : parts) {
            if (const auto* plain = std::get_if<std::string>(&part)) {
                text += *plain;
            }
        }
        text += ' ';
    };
    if (step.command) {
        append(step.command->script());
    }
    for (const TextTemplate& argument : step.arguments) {
        append(argument.parts());
    }
    return step.broken ? text + step.broken->commands : text;
}

/// The identifier at the start of `text`, behind blanks and one quote.
std::string_view leading_name(std::string_view text) {
    std::size_t begin = text.find_first_not_of(" \t");
    if (begin != std::string_view::npos && (text[begin] == '"' || text[begin] == '\'')) {
        ++begin;
    }
    if (begin == std::string_view::npos) {
        return {};
    }
    std::size_t end = begin;
    while (end < text.size() &&
           (schema::is_identifier(text.substr(end, 1)) || (text[end] >= '0' && text[end] <= '9'))) {
        ++end;
    }
    return text.substr(begin, end - begin);
}

/// What its keys with values say: resources, the gang, limits.
void add_settings(std::vector<SiteExpression>& out, const Step& step) {
    Diagnostics told_before;  // by load_flow
    const auto setting = [&](Site site, const Setting& value) {
        add(out, site, expressions_of(value, told_before));
    };
    for (const auto& [key, value] : step.resources) {
        if (!step.later.contains("resources." + key)) {
            setting(Site::start, value);
        }
    }
    for (const auto* value :
         {&step.nodes, &step.tasks_per_node, &step.launcher, &step.on, &step.image, &step.container}) {
        if (*value) {
            setting(Site::start, **value);
        }
    }
    for (const auto& [key, value] : step.later) {
        const std::size_t first = out.size();
        setting(Site::start, value);
        std::for_each(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(),
                      [](SiteExpression& entry) { entry.later = true; });
    }
    for (const CacheFolder& cached : step.cache_dirs) {
        add(out, Site::start, cached.folder.expressions());
    }
    if (step.timeout) {
        setting(Site::start, *step.timeout);
    }
    if (step.subflow_params) {
        setting(Site::start, *step.subflow_params);
    }
    for (const auto* value : {&step.limit, &step.priority}) {
        if (*value) {
            setting(Site::whole, **value);
        }
    }
}

/// Of the texts that a key has.
Site site_of(std::string_view key) {
    if (key == "limit" || key == "priority") {
        return Site::whole;
    }
    return key == "run" || key == "env" || key == "cwd" ? Site::command : Site::start;
}

}  // namespace

std::optional<std::string> secret_parameter(const Expression& expression, const Flow& flow) {
    for (const Parameter& parameter : flow.params) {
        if (parameter.type == Parameter::Type::secret &&
            trim(expression.text()) == "params." + parameter.name) {
            return parameter.name;
        }
    }
    return std::nullopt;
}

std::vector<SiteExpression> expressions_of(const Step& step) {
    std::vector<SiteExpression> out;
    const auto one = [&](Site site, const std::optional<Expression>& expression, const Need* need = nullptr) {
        if (expression) {
            out.push_back({site, *expression, need, false, false});
        }
    };
    one(Site::foreach, step.foreach);
    one(Site::when, step.when);
    for (const Need& need : step.needs) {
        one(Site::edge, need.when, &need);
    }
    if (step.repeat) {
        one(Site::until, step.repeat->until);
    }
    add_command(out, step);
    for (const Step::Input& input : step.inputs) {
        out.push_back({Site::input, input.source, nullptr, false, false});
    }
    if (step.wait) {
        for (const auto* text : {&step.wait->file, &step.wait->url}) {
            if (*text) {
                add(out, Site::start, (*text)->expressions());
            }
        }
        one(Site::start, step.wait->until);
    }
    add_settings(out, step);
    if (step.broken) {
        for (const auto& [key, expression] : step.broken->expressions) {
            out.push_back({site_of(key), expression, nullptr, false, true});
        }
    }
    return out;
}

std::vector<std::string> visible_artifacts(const Step& step) {
    constexpr std::array<std::string_view, 4> k_signs = {"amp put ", "AMP_OUT/", "AMP_OUT}/", "amp.put("};
    std::vector<std::string> names;
    const std::string text = plain_text(step);
    for (const std::string_view sign : k_signs) {
        for (std::size_t at = text.find(sign); at != std::string::npos;
             at = text.find(sign, at + sign.size())) {
            const std::string_view name = leading_name(std::string_view(text).substr(at + sign.size()));
            if (schema::is_identifier(name)) {
                names.emplace_back(name);
            }
        }
    }
    return names;
}

ArtifactIndex::ArtifactIndex(const Flow& flow) : names_(flow.steps.size()) {
    for (StepId id = 0; id < flow.steps.size(); ++id) {
        const Step& step = flow.steps[id];
        for (const TaskOutput& output : step.outputs) {
            names_[id].push_back(output.name);
        }
        if (!step.catch_as.empty()) {
            names_[id].push_back(step.catch_as);
        }
        for (const std::string& name : names_[id]) {
            add_maker(name, id);
        }
        for (std::string& name : visible_artifacts(step)) {
            if (add_maker(name, id)) {
                names_[id].push_back(std::move(name));
            }
        }
    }
}

bool ArtifactIndex::add_maker(const std::string& name, StepId step) {
    std::vector<StepId>& makers = makers_[name];
    if (!makers.empty() && makers.back() == step) {
        return false;
    }
    makers.push_back(step);
    return true;
}

bool ArtifactIndex::makes(StepId step, std::string_view name) const {
    const std::vector<StepId>& all = makers(name);  // sorted, as steps were added in their order
    return std::binary_search(all.begin(), all.end(), step);
}

const std::vector<StepId>& ArtifactIndex::makers(std::string_view name) const {
    static const std::vector<StepId> none;
    const auto it = makers_.find(name);
    return it == makers_.end() ? none : it->second;
}

}  // namespace amp
