#include "cli/complete_names.hpp"

#include <algorithm>

#include "cli/command_list.hpp"
#include "cli/help_topics.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/catalogue.hpp"
#include "core/flow/model.hpp"
#include "core/run/inspect.hpp"

namespace amp {

CompletionWords as_words(const std::vector<std::string>& names) {
    CompletionWords out;
    for (const std::string& name : names) {
        out.emplace_back(name, "");
    }
    return out;
}

CompletionWords command_words() {
    CompletionWords out;
    for (const CommandInfo& command : command_list()) {
        if (!command.hidden) {
            out.emplace_back(command.name, command.summary);
        }
    }
    return out;
}

CompletionWords built_in_words(ValueKind kind, std::string_view metavar) {
    CompletionWords out;
    if (kind == ValueKind::choice) {
        for (const std::string_view word : split(metavar, '|')) {
            out.emplace_back(word, "");
        }
    } else if (kind == ValueKind::code) {
        for (const CatalogueEntry& entry : catalogue()) {
            out.emplace_back(entry.code, entry.title);
        }
    } else if (kind == ValueKind::topic) {
        out = command_words();
        for (const HelpTopic& topic : help_topics()) {
            out.emplace_back(topic.name, topic.summary);
        }
    }
    return out;
}

CompletionWords option_words(const Flow& flow, std::string_view typed) {
    CompletionWords out;
    for (const Parameter& parameter : flow.params) {
        if (parameter.type == Parameter::Type::secret) {
            continue;
        }
        std::string name = "--" + parameter.name;
        if (typed.find('_') == std::string_view::npos) {
            std::replace(name.begin(), name.end(), '_', '-');
        }
        out.emplace_back(name, parameter.help.empty() ? "parameter of the flow" : parameter.help);
    }
    return out;
}

CompletionWords value_words(const Parameter& parameter) {
    CompletionWords out;
    for (const Value& choice : parameter.choices) {
        out.emplace_back(choice.is_string() ? choice.as_string() : json::dump(choice), "");
    }
    if (parameter.type == Parameter::Type::boolean) {
        out.emplace_back("true", "");
        out.emplace_back("false", "");
    }
    return out;
}

CompletionWords sort_words(const std::string& front, const Flow* flow) {
    CompletionWords out;
    if (flow == nullptr) {
        for (const std::string& field : run_field_names()) {
            out.emplace_back(front + field, "");
        }
        return out;
    }
    for (const Parameter& parameter : flow->params) {
        out.emplace_back(front + "params." + parameter.name, "a parameter");
    }
    return out;
}

}  // namespace amp
