#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/model.hpp"

namespace amp {

/// A file of settings as it was read.
struct SettingsFile {
    std::string path;  ///< for messages and origins
    std::string text;
};

/// The layers of settings, the weakest first: built-in, files in their order, AMP__A__B of the environment,
/// --set a.b=c.
struct ProjectConfigInputs {
    std::vector<SettingsFile> files;
    /// All variables that begin with AMP__, or the whole environment: others are passed over.
    std::map<std::string, std::string, std::less<>> environment;
    std::vector<std::string> sets;  ///< "a.b=c"
};

struct ProjectConfig {
    Value settings = Object{};  ///< all layers merged: tables key by key, everything else as a whole
    /// Where each value comes from, by its dotted key: "amp.toml:12", "$AMP__STORE__URL", "--set
    /// store.url=…", "built-in".
    std::map<std::string, std::string> origins;
};

/// Merges the layers and checks each (AMP10xx) and the whole (AMP2001 to AMP2005, AMP2009); diagnostics carry
/// the layer as their file.
ProjectConfig load_project_config(const ProjectConfigInputs& inputs, Diagnostics& diagnostics);

/// The places of settings files, the weakest first: /etc/xdg, $XDG_CONFIG_HOME (or ~/.config), amp.toml and
/// .amp/local.toml of the project.
/// @param variable a variable of the environment; nullopt: not set
std::vector<std::string> settings_paths(
    const std::string& project_folder,
    const std::function<std::optional<std::string>(const std::string&)>& variable);

/// The value of a dotted key ("profile.hpc.partition"), or nullptr.
const Value* find_setting(const Value& settings, std::string_view dotted);

/// Is there a profile of this name? "local" always is.
bool has_profile(const Value& settings, std::string_view profile);
/// "local", and those of the settings.
std::vector<std::string> profile_names(const Value& settings);
/// The backend that a profile names; "local" where it names none.
std::string backend_of(const Value& settings, std::string_view profile);
/// What a profile overrides in steps: {step: {key: value}}, for load_flow(); null: nothing.
Value step_overrides(const Value& settings, std::string_view profile);

/// Names against [naming]: AMP2006 for the flow's; AMP2010 for a step on a profile that is not there; and
/// AMP2008, a warning, for overrides of a step that only nearly exists.
void check_against_project(const Flow& flow, const Value& settings, std::string_view profile,
                           Diagnostics& diagnostics);
/// Why a tag may not be called so; nullopt when it may.
std::optional<std::string> tag_mistake(const Value& settings, std::string_view tag);

}  // namespace amp
