#pragma once

#include <string_view>

#include "core/flow/schema.hpp"

namespace amp::project_schema {

/// The whole of amp.toml.
const schema::Rule& root();
/// Which backend a key of a profile is for; empty: all.
std::string_view backend_of(std::string_view profile_key);
/// The rule at the end of a dotted path, or nullptr where there is none; free tables take any name.
const schema::Rule* rule_at(const std::vector<std::string>& path);

}  // namespace amp::project_schema
