#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/value.hpp"

namespace amp {

/// What --select picks of a document, a small part of what jq knows: `.`, `.name`, `."any name"`, `[0]`,
/// `[-1]` and `[]` (each), one behind the other: `.runs[].run`, `.tasks[0].state`.
class Selection {
  public:
    /// @throws Error(usage) for all else that jq knows
    static Selection parse(std::string_view text);

    /// Calls `each` with what is picked. A name that an object lacks is null. Where `strict`, a document that
    /// lacks the first one, or in which another does not fit (a part of a text), is an error; else null.
    /// @throws Error(usage) only where strict, with a did-you-mean
    void pick(const Value& document, bool strict, const std::function<void(const Value&)>& each) const;

  private:
    struct Part {
        enum class Kind { member, item, each };
        Kind kind = Kind::member;
        std::string name = {};
        std::int64_t item = 0;
    };
    struct Picking {
        bool strict;
        const std::function<void(const Value&)>& each;
    };
    void pick_from(const Value& value, std::size_t at, const Picking& picking) const;

    std::string text_;
    std::vector<Part> parts_;
};

/// Text in one line without a tab, and back again: `\\`, `\t`, `\n`; all else that could steer a terminal
/// as `\x1b`.
std::string plain_field(std::string_view text);
/// Fields with tabs between, and a newline: a record of --plain.
std::string plain_line(const std::vector<std::string>& fields);
/// A string as plain_field, all else as JSON.
std::string plain_value(const Value& value);

}  // namespace amp
