#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/flow/model.hpp"

namespace amp {

/// Does `text` hold `{{`? Then a setting keeps it as a template.
bool has_expression(std::string_view text);

/// The value with all its expressions evaluated: a text that is one `{{ }}` alone becomes that value with its
/// type, other texts with `{{ }}` become text, also within lists and objects.
/// @throws Error(invalid) from an expression, or for a file, whose path is late
Value evaluate(const Setting& setting, const Scope& scope);
/// Every expression within, in order; mistakes of form go to `diagnostics`.
std::vector<Expression> expressions_of(const Setting& setting, Diagnostics& diagnostics);

// A setting as what its key needs, evaluated. `key` is for the message: "step.train.timeout".
// @throws Error(invalid) with `key` as the place

/// "1h30m", "90s", or a number of seconds; not negative.
double setting_duration_s(const Setting& setting, const Scope& scope, std::string_view key);
/// "64G" (10⁹), "64Gi" (2³⁰); a bare number is an error.
std::uint64_t setting_size_bytes(const Setting& setting, const Scope& scope, std::string_view key);
/// A whole number from `min` to `max`; a float without a fraction and a text of digits are fine.
std::int64_t setting_int(const Setting& setting, const Scope& scope, std::string_view key, std::int64_t min,
                         std::int64_t max);
/// A finite number that is not negative.
double setting_number(const Setting& setting, const Scope& scope, std::string_view key);

// The same for values that are known already.

double duration_s(const Value& value, std::string_view key);
std::uint64_t size_bytes(const Value& value, std::string_view key);
std::int64_t whole_number(const Value& value, std::string_view key, std::int64_t min, std::int64_t max);
double number(const Value& value, std::string_view key);

}  // namespace amp
