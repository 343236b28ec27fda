#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/model.hpp"
#include "core/flow/schema.hpp"
#include "core/flow/toml_document.hpp"

namespace amp::loading {

// Each reads a node that was checked against its rule; what is wrong inside expressions is reported, and then
// there is no result.

std::optional<TextTemplate> read_template(const TomlNode& node, Diagnostics& diagnostics);
std::optional<Expression> read_expression(const TomlNode& node, Diagnostics& diagnostics);
/// Also of lists and tables: every text within is parsed, so that its mistakes are known at their own places.
std::optional<Setting> read_setting(const TomlNode& node, Diagnostics& diagnostics);
double read_duration(const TomlNode& node);
/// A text, or a list of texts.
std::vector<std::string> read_texts(const TomlNode& node);

void load_parameters(const TomlNode& table, Flow& flow, Diagnostics& diagnostics);
void load_config_files(const TomlNode& table, Flow& flow, Diagnostics& diagnostics);

/// Makes steps of [step.NAME], with [defaults] and a profile's overrides laid below and above their keys.
class StepLoader {
  public:
    /// @param params those of the flow, which are known by now
    StepLoader(const std::vector<Parameter>& params, Diagnostics& diagnostics);

    /// Checks [defaults] once, so that a mistake there is not told by every step.
    void set_defaults(const TomlNode& table);
    /// @param overrides {key: value} of the profile for this step; null: none
    void load(const TomlMember& member, const Value& overrides, Flow& flow);

  private:
    struct Entry {
        const schema::Key* key = nullptr;
        const TomlNode* node = nullptr;
        Place place;
        bool checked = false;
        bool of_defaults = false;
    };
    using Handler = void (StepLoader::*)(Step&, const TomlNode&);
    struct Handling {
        std::string_view key;
        Handler handler;
    };
    static const Handling* find_handling(std::string_view key);

    void add_own(const TomlMember& step, std::vector<Entry>& entries);
    void add_overrides(const Value& overrides, const TomlMember& step, std::vector<Entry>& entries);
    void add_defaults(std::vector<Entry>& entries);
    /// `above` laid over `below`, member by member, where the key is one whose members add up (env,
    /// resources, …).
    const TomlNode* lay_over(const schema::Key& key, const TomlNode* above, const TomlNode* below);
    void apply(Step& step, const Entry& entry);
    void apply_entries(Step& step, const std::vector<Entry>& entries);
    /// Of a key with mistakes of form: what is right in it.
    void apply_right_parts(Step& step, const Entry& entry);
    static void note_broken(Step& step, const Entry& entry);
    static void name_broken_outputs(Step& step, const TomlNode& node);
    void check_whole(const Step& step);
    void check_outputs(const Step& step);
    void check_bytes(const Step& step);

    void read_run(Step& step, const TomlNode& node);
    void read_command(Step& step, const TextTemplate& text, Place at);
    void read_shell(Step& step, const TomlNode& node);
    void read_flow(Step& step, const TomlNode& node);
    void read_needs(Step& step, const TomlNode& node);
    void read_need(Step& step, const TomlNode& node);
    void read_foreach(Step& step, const TomlNode& node);
    void read_as(Step& step, const TomlNode& node);
    void read_join(Step& step, const TomlNode& node);
    void read_when(Step& step, const TomlNode& node);
    void read_repeat(Step& step, const TomlNode& node);
    void read_params(Step& step, const TomlNode& node);
    void read_inputs(Step& step, const TomlNode& node);
    void read_outputs(Step& step, const TomlNode& node);
    void read_sources(Step& step, const TomlNode& node);
    void read_secrets(Step& step, const TomlNode& node);
    void read_env(Step& step, const TomlNode& node);
    void read_cwd(Step& step, const TomlNode& node);
    void read_resources(Step& step, const TomlNode& node);
    void read_nodes(Step& step, const TomlNode& node);
    void read_tasks_per_node(Step& step, const TomlNode& node);
    void read_launcher(Step& step, const TomlNode& node);
    void read_image(Step& step, const TomlNode& node);
    void read_container(Step& step, const TomlNode& node);
    void read_environment(Step& step, const TomlNode& node);
    void read_monitor(Step& step, const TomlNode& node);
    void read_on(Step& step, const TomlNode& node);
    void read_retry(Step& step, const TomlNode& node);
    void read_timeout(Step& step, const TomlNode& node);
    void read_log(Step& step, const TomlNode& node);
    void read_catch(Step& step, const TomlNode& node);
    void read_limit(Step& step, const TomlNode& node);
    void read_priority(Step& step, const TomlNode& node);
    void read_cache(Step& step, const TomlNode& node);
    void read_checkpoint(Step& step, const TomlNode& node);
    void read_cache_dirs(Step& step, const TomlNode& node);
    void read_wait(Step& step, const TomlNode& node);

    Diagnostics& diagnostics_;
    std::set<std::string, std::less<>> numbers_;  ///< parameters that are
    std::vector<Entry> defaults_;
    std::deque<TomlNode> made_;  ///< nodes that stand in no file
};

}  // namespace amp::loading
