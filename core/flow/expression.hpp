#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"

namespace amp {

/// What follows the first name of a reference: `.name`, `[3]`, `.*`.
struct Access {
    enum class Kind { member, index, star };
    Kind kind = Kind::member;
    std::string name;        ///< of a member
    std::int64_t index = 0;  ///< of an index; a negative one counts from the end
    bool operator==(const Access&) const = default;
};

/// A reference as written: `params.lr`, `train[3].model`, `evaluate.*.accuracy`, `item`. Indices that are
/// themselves expressions end the static part: `dynamic` is then set and what follows is applied to the
/// value.
struct Reference {
    std::string root;
    std::vector<Access> path;
    bool dynamic = false;
    Place place;

    std::string text() const;
};

/// What an expression is evaluated in.
class Scope {
  public:
    virtual ~Scope() = default;
    /// The value, with all of `path` applied; nullopt when it does not exist (which default() and exists()
    /// decide upon, and everything else makes an error). @throws Error(invalid) for what can never be
    virtual std::optional<Value> resolve(const std::string& root, std::span<const Access> path) const = 0;
    /// failed() and failed("step").
    virtual bool failed(const std::optional<std::string>& step) const = 0;
    virtual Timestamp now() const = 0;
    /// Told after each evaluation, also one that failed, what it cost: steps, which are the same everywhere.
    virtual void worked(std::uint64_t /*steps*/) const {}
};

/// Applies members, indices and stars to a value; nullopt where something does not exist.
std::optional<Value> apply_path(const Value& value, std::span<const Access> path);

/// A parsed expression; immutable, cheap to copy. Grammar and functions: flow-format.md, "Expressions".
class Expression {
  public:
    /// @param text the expression, without `{{ }}`
    /// @param at where `text` begins, for diagnostics
    /// @param fixed_place the text in the file differs (escapes): every diagnostic is at `at`
    /// @return nullopt after reporting to `diagnostics`; depth is limited to 64, length to 16 KiB
    static std::optional<Expression> parse(std::string_view text, Place at, Diagnostics& diagnostics,
                                           bool fixed_place = false);

    /// Bounded in time and memory: a result or intermediate of over 10 million elements or 64 MiB is an
    /// error.
    /// @throws Error(invalid) with the reason, the expression in `where`
    Value evaluate(const Scope& scope) const;

    /// All references, in order.
    struct Use {
        Reference reference;
        bool guarded = false;      ///< inside default() or exists()
        bool conditional = false;  ///< behind `if`, `and`, `or`: it may never be asked for
    };
    const std::vector<Use>& uses() const;
    /// Does it call failed() or always() anywhere?
    bool is_cleanup() const;
    /// The steps named in failed("step").
    const std::vector<std::string>& failed_steps() const;
    /// Does it call raw()? (Then the text itself goes into a shell script.)
    bool is_raw() const;
    /// Its value when it is nothing but a literal.
    std::optional<Value> literal() const;
    const std::string& text() const;
    Place place() const;

  private:
    struct Tree;
    explicit Expression(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}
    std::shared_ptr<const Tree> tree_;
};

/// Names that are no step, `as` or artifact: the roots (`params`, `item`, …) and all function names.
bool is_reserved_word(std::string_view name);
std::span<const std::string_view> reserved_words();

/// A value as text in an argument or variable: strings as they are, numbers and booleans as JSON, null as "",
/// lists and objects as canonical JSON. @throws Error(invalid) for a file (its path is late: see Template)
/// and for text with NUL
std::string value_text(const Value& value);
/// Truth of `when`, `until` and `if`: a bool; null, 0, "", [] and {} are false, all else true.
bool truthy(const Value& value);

}  // namespace amp
