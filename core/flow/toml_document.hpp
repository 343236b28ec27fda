#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"

namespace amp {

struct TomlMember;

/// A value of a TOML file with its place: our own tree, so that one file alone knows the TOML library.
struct TomlNode {
    enum class Kind { string, integer, floating, boolean, datetime, list, table };

    Kind kind = Kind::table;
    Place place;       ///< of the value; of a table with a header, the header
    Value scalar;      ///< of all but lists and tables; a date is its text
    Place text_place;  ///< of a string: where its text begins, behind the quotes
    bool escaped =
        false;  ///< of a string: the file holds escapes, so columns within it are not those of the text
    std::vector<TomlNode> items;      ///< of a list
    std::vector<TomlMember> members;  ///< of a table, in the order of the file

    bool is_string() const { return kind == Kind::string; }
    bool is_list() const { return kind == Kind::list; }
    bool is_table() const { return kind == Kind::table; }
    const std::string& text() const { return scalar.as_string(); }
    /// The member, or nullptr. Linear.
    const TomlNode* find(std::string_view key) const;
    /// All of it as a value.
    Value value() const;
    /// "a string", "a list", … for messages.
    std::string_view kind_name() const;
};

struct TomlMember {
    std::string key;
    Place place;  ///< of the key
    TomlNode value;
};

/// The tree of a value that comes from elsewhere (a profile's override), all at one place.
TomlNode toml_node(const Value& value, Place place);

struct TomlDocument {
    TomlNode root;
    /// Lines with syntax errors were left out: what seems to be missing may stand there.
    bool incomplete = false;
};

/// Reads a TOML text of at most 8 MiB. Several syntax errors are found in one go: each is reported, its
/// statement left out, and the rest read again; a [table] given twice is there twice. Never throws, whatever
/// the bytes. Codes: AMP1001 syntax, AMP1002 defined twice, AMP1003 too large, AMP1004 no text, AMP1005
/// nested too deeply.
TomlDocument parse_toml(std::string_view text, Diagnostics& diagnostics);

}  // namespace amp
