#pragma once

#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/value.hpp"
#include "core/run/project.hpp"

namespace amp {

struct Session;

/// `amp config [KEY]`: the settings in effect.
struct ConfigCommand {
    std::string key;  ///< empty: all
    bool show_origin = false;
};

/// A setting, and where it comes from.
struct SettingLine {
    std::string key;  ///< "profile.hpc.partition"
    Value value;
    std::string origin;
};
/// All settings, or those at and below `key`. @throws Error(not_found) with a did-you-mean
std::vector<SettingLine> list_settings(const Project& project, const std::string& key);

ExitCode execute(Session& session, const ConfigCommand& command);

}  // namespace amp
