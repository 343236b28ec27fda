#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/flow/project_config.hpp"
#include "core/flow/schema.hpp"
#include "core/flow/toml_document.hpp"

namespace amp::project_config {

/// A path as text: a.b."c.d".
std::string dotted(const std::vector<std::string>& path);
/// "a.b.'c.d'" → a, b, c.d; empty when it is no dotted key.
std::vector<std::string> parse_dotted(std::string_view text);

/// Lays layers over one another, the strongest last, and remembers where each value comes from.
class Merger {
  public:
    explicit Merger(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    void add_built_in();
    void add_file(const SettingsFile& file);
    /// @param source both the file of its diagnostics and its origin
    void add_value(const std::vector<std::string>& path, std::string_view text, const std::string& source);
    /// The path that a variable's name (behind AMP__) means: letters of any case, `_` for `-`; empty when it
    /// is none.
    std::vector<std::string> path_of_variable(std::string_view name) const;

    ProjectConfig result() { return std::move(config_); }

  private:
    void pass_on(const Diagnostics& found, const std::string& file);
    std::string meant(const std::vector<std::string>& path, const schema::Rule* rule,
                      const std::string& part) const;
    void merge(const TomlNode& node, const std::string& source, bool with_line);
    Value merged(const Value& below, const TomlNode& above, std::vector<std::string>& path,
                 const std::string& source, bool with_line);
    void forget(const std::string& key);

    Diagnostics& diagnostics_;
    ProjectConfig config_;
};

}  // namespace amp::project_config
