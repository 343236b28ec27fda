#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/flow/expression.hpp"

namespace amp {

/// What one evaluation may still make. Every operation that is not constant in time charges it.
class Budget {
  public:
    static constexpr std::size_t k_elements = 10'000'000;
    static constexpr std::size_t k_bytes = std::size_t{64} << 20;

    /// A list or walk of `count` elements. @throws Error(invalid) past k_elements at once, or four times that
    /// in all
    void elements(std::size_t count);
    /// A text of `count` bytes. @throws Error(invalid) past k_bytes at once, or sixteen times that in all
    void bytes(std::size_t count);
    /// All elements and bytes within `value`.
    void whole(const Value& value);
    /// What was charged, in steps of about the same time.
    std::size_t used() const {
        constexpr std::size_t k_bytes_a_step = 16;
        return 4 * k_elements - elements_left_ + (16 * k_bytes - bytes_left_) / k_bytes_a_step;
    }

  private:
    std::size_t elements_left_ = 4 * k_elements;
    std::size_t bytes_left_ = 16 * k_bytes;
};

struct CallContext {
    const Scope& scope;
    Budget& budget;
};

/// A function of expressions. default() and exists() get their arguments unevaluated, all others as values.
struct Function {
    enum class Kind { plain, first_existing, all_exist };
    static constexpr std::size_t k_any = 255;

    std::string_view name;
    std::size_t min_arguments = 0;
    std::size_t max_arguments = k_any;
    std::string_view usage;  ///< for messages: "range([first,] end[, step])"
    Value (*call)(std::span<const Value> arguments, CallContext& context) = nullptr;
    Kind kind = Kind::plain;
};

/// All of them, by name.
std::span<const Function> functions();
const Function* find_function(std::string_view name);

/// A file, or `outputs.NAME`: a value whose path is known only where the task runs.
bool is_late(const Value& value);
/// Less than, equal, greater: -1, 0, 1 for numbers, texts, booleans and lists of them.
/// @throws Error(invalid) for what has no order
int compare_values(const Value& a, const Value& b);
/// a + b - c …: numbers; `+` also texts and lists. @throws Error(invalid)
Value arithmetic(const Value& a, std::string_view op, const Value& b, Budget& budget);

// Groups of functions, each with its own file; put into one table by functions().
Value call_len(std::span<const Value> arguments, CallContext& context);
Value call_range(std::span<const Value> arguments, CallContext& context);
Value call_zip(std::span<const Value> arguments, CallContext& context);
Value call_enumerate(std::span<const Value> arguments, CallContext& context);
Value call_keys(std::span<const Value> arguments, CallContext& context);
Value call_values(std::span<const Value> arguments, CallContext& context);
Value call_sorted(std::span<const Value> arguments, CallContext& context);
Value call_min(std::span<const Value> arguments, CallContext& context);
Value call_max(std::span<const Value> arguments, CallContext& context);
Value call_sum(std::span<const Value> arguments, CallContext& context);

Value call_basename(std::span<const Value> arguments, CallContext& context);
Value call_dirname(std::span<const Value> arguments, CallContext& context);
Value call_join(std::span<const Value> arguments, CallContext& context);
Value call_split(std::span<const Value> arguments, CallContext& context);
Value call_lower(std::span<const Value> arguments, CallContext& context);
Value call_upper(std::span<const Value> arguments, CallContext& context);
Value call_replace(std::span<const Value> arguments, CallContext& context);
Value call_json(std::span<const Value> arguments, CallContext& context);
Value call_int(std::span<const Value> arguments, CallContext& context);
Value call_float(std::span<const Value> arguments, CallContext& context);
Value call_str(std::span<const Value> arguments, CallContext& context);

}  // namespace amp
