#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/model.hpp"
#include "core/flow/subflows.hpp"
#include "core/run/services.hpp"

namespace amp {

/// The key of a parameter that is a secret, as specs refer to it. Other secrets have their source as key.
std::string parameter_secret_key(std::string_view parameter);

/// The values of all secrets that the flow's steps name, and of its parameters that are secrets. Each is
/// looked up once a process (Services::secrets). Runs programs where the flow says `cmd:`: call only when its
/// steps are about to run too.
/// @throws Error(invalid) that tells of all that cannot be had, without a value
std::vector<Secret> look_up_secrets(Services& services, const std::string& project_folder, const Flow& flow);

/// The same of a flow and all that it runs: before there is a run, whatever they could lack is told.
void look_up_all_secrets(Services& services, const std::string& project_folder, const Flow& flow,
                         const Subflows& subflows);

/// Asks the user for the parameter's value; nullopt: there is nobody to ask.
std::optional<std::string> ask_for_secret(const Services& services, std::string_view name);

/// Reads a secret from a file, or from standard input for "-", without a line feed at its end.
/// @throws Error(not_found), Error(invalid) when it is empty, too long or holds NUL
std::string read_secret(const std::string& path);

}  // namespace amp
