#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/flow/toml_document.hpp"

namespace amp::schema {

/// What the text of a string (or a number) must look like.
enum class Format {
    none,
    filled,         ///< any text but an empty one
    flow_name,      ///< [A-Za-z][A-Za-z0-9_-]*, at most 63
    step_name,      ///< [a-z][a-z0-9_]*, at most 63, no reserved word
    loop_name,      ///< as: an identifier, no reserved word but "item"
    identifier,     ///< [A-Za-z_][A-Za-z0-9_]*, at most 128
    profile,        ///< [A-Za-z0-9][A-Za-z0-9_.-]*
    variable,       ///< of the environment
    own_variable,   ///< one that a step gives its tasks: none of amp's own
    duration,       ///< "1h30m", or a number of seconds
    size,           ///< "64G", never a bare number
    cron,           ///< five fields, or @daily and the like
    timezone,       ///< an IANA name by its shape
    output,         ///< a path below $AMP_OUT, or below the working folder with "./"
    relative,       ///< a path that leaves no folder
    secret,         ///< file:… env:… aws:… kube:… cmd:…
    pattern,        ///< a regular expression
    expression,     ///< bare, without {{ }}: parsed by the loader
    template_only,  ///< a text only for its {{ }}
};

// Which kinds of values are fine: bits for Rule::kinds.
constexpr unsigned k_string = 1;
constexpr unsigned k_integer = 2;
constexpr unsigned k_float = 4;
constexpr unsigned k_boolean = 8;
constexpr unsigned k_list = 16;
constexpr unsigned k_table = 32;
constexpr unsigned k_date = 64;
constexpr unsigned k_number = k_integer | k_float;
constexpr unsigned k_any = 127;

struct Key;

/// What a value may be: data, from which checking, did-you-mean and messages come.
struct Rule {
    unsigned kinds = k_any;
    std::string_view expected;  ///< for messages: "a duration such as \"1h30m\", or seconds"
    Format format = Format::none;
    bool expression = false;  ///< a text with {{ }} is fine as well, whatever the format
    double min = -std::numeric_limits<double>::infinity();
    double max = std::numeric_limits<double>::infinity();
    std::span<const std::string_view> choices = {};
    const Rule* element = nullptr;     ///< of the items of a list
    const Rule* member = nullptr;      ///< of the values of a table with free keys …
    Format member_key = Format::none;  ///< … and what these keys look like
    std::span<const Key> keys = {};    ///< of a table with fixed keys
    bool filled = false;               ///< an empty list or table is a mistake
};

struct Key {
    std::string_view name;
    const Rule* rule = nullptr;
    std::string_view meaning = {};  ///< for amp-flow(5) and amp.toml(5): a line, with its default
    bool required = false;
    bool later = false;  ///< understood and checked, but not acted upon yet
};

// The tables of a flow file. schema.cpp holds the data.
std::span<const Key> flow_keys();
std::span<const Key> step_keys();
std::span<const Key> resource_keys();
std::span<const Key> parameter_keys();
std::span<const Key> config_keys();
const Key* find_key(std::span<const Key> keys, std::string_view name);

/// Where a value stands, for messages: "step.train.retry". A chain on the stack; text is made only for a
/// message.
struct Path {
    const Path* parent = nullptr;
    std::string_view name = {};
    std::optional<std::size_t> item = {};  ///< of a list, in place of a name
    std::string text() const;
};

/// Checks a value against its rule and reports everything wrong. @return whether all of it is right
bool check(const TomlNode& node, const Rule& rule, const Path& path, Diagnostics& diagnostics);
/// One key of a table with fixed keys: its rule, or nullptr after reporting it as unknown with a
/// did-you-mean.
const Key* known_key(const TomlMember& member, std::span<const Key> keys, const Path& table,
                     Diagnostics& diagnostics);

/// What is wrong with a text of some format: the code and hint of its diagnostic, and the reason ("is no
/// size").
struct Mistake {
    std::string_view code;
    std::string reason;
    std::string hint;
};
std::optional<Mistake> find_mistake(std::string_view text, Format format);
bool is_identifier(std::string_view text);

}  // namespace amp::schema
