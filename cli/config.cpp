#include "cli/config.hpp"

#include <fmt/format.h>

#include <vector>

#include "cli/documents.hpp"
#include "cli/session.hpp"
#include "core/base/json.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

void collect(const Value& value, const std::string& key, std::vector<SettingLine>& out,
             const Project& project) {
    if (value.is_object() && !value.as_object().empty()) {
        for (const auto& [name, member] : value.as_object()) {
            collect(member, key.empty() ? name : fmt::format("{}.{}", key, name), out, project);
        }
        return;
    }
    if (key.empty()) {
        return;  // no settings at all
    }
    const auto origin = project.origins.find(key);
    out.push_back({key, value, origin == project.origins.end() ? "built in" : origin->second});
}

bool is_below(const std::string& key, const std::string& table) {
    return table.empty() || key == table || key.starts_with(table + ".");
}

}  // namespace

std::vector<SettingLine> list_settings(const Project& project, const std::string& key) {
    std::vector<SettingLine> all;
    collect(project.settings, "", all, project);
    std::vector<SettingLine> chosen;
    std::vector<std::string> keys;
    for (SettingLine& line : all) {
        for (std::size_t dot = line.key.find('.'); dot != std::string::npos;
             dot = line.key.find('.', dot + 1)) {
            keys.push_back(line.key.substr(0, dot));
        }
        keys.push_back(line.key);
        if (is_below(line.key, key)) {
            chosen.push_back(std::move(line));
        }
    }
    if (chosen.empty() && !key.empty()) {
        throw Error(ExitCode::not_found, fmt::format("there is no setting '{}'", printable(key)), "",
                    near_hint(key, keys, "'amp config' lists all"));
    }
    return chosen;
}

ExitCode execute(Session& session, const ConfigCommand& command) {
    const Project project = session.project();
    const std::vector<SettingLine> lines = list_settings(project, command.key);
    if (session.common.json) {
        List settings;
        for (const SettingLine& line : lines) {
            settings.emplace_back(Object{{"key", line.key}, {"value", line.value}, {"origin", line.origin}});
        }
        session.out.document(Object{{"schema", "amp.config/1"},
                                    {"project_folder", project.folder},
                                    {"store_folder", project.store_folder},
                                    {"profile", text_or_null(project.profile)},
                                    {"settings", std::move(settings)}});
        return ExitCode::ok;
    }
    for (const SettingLine& line : lines) {
        const bool alone = line.key == command.key && !command.show_origin && line.value.is_string();
        const std::string value = alone ? line.value.as_string() : json::dump(line.value);
        const bool named = line.key != command.key || command.show_origin;
        session.out.result(printable(fmt::format("{}{}{}{}{}", named ? line.key : "", named ? " = " : "",
                                                 value, command.show_origin ? "  # " : "",
                                                 command.show_origin ? line.origin : "")) +
                           "\n");
    }
    if (lines.empty()) {
        session.out.say("no settings: there is no amp.toml");
    }
    return ExitCode::ok;
}

}  // namespace amp
