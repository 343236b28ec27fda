#include "core/flow/functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"

namespace amp {
namespace {

using Arguments = std::span<const Value>;

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
    throw Error(ExitCode::invalid, std::move(message), {}, std::move(hint));
}

Value call_now(Arguments /*arguments*/, CallContext& context) {
    return format_time(context.scope.now());
}

Value call_failed(Arguments arguments, CallContext& context) {
    return context.scope.failed(arguments.empty() ? std::nullopt : std::optional(arguments[0].as_string()));
}

Value call_always(Arguments /*arguments*/, CallContext& /*context*/) {
    return true;
}

Value call_raw(Arguments arguments, CallContext& /*context*/) {
    return arguments[0];
}

constexpr std::size_t k_any = Function::k_any;
using Kind = Function::Kind;

/// By name, for binary search.
constexpr std::array<Function, 27> k_functions = {{
    {"always", 0, 0, "always()", call_always, Kind::plain},
    {"basename", 1, 1, "basename(path)", call_basename, Kind::plain},
    {"default", 1, k_any, "default(x, y, …)", nullptr, Kind::first_existing},
    {"dirname", 1, 1, "dirname(path)", call_dirname, Kind::plain},
    {"enumerate", 1, 2, "enumerate(list[, first])", call_enumerate, Kind::plain},
    {"exists", 1, k_any, "exists(x)", nullptr, Kind::all_exist},
    {"failed", 0, 1, "failed() or failed(\"step\")", call_failed, Kind::plain},
    {"float", 1, 1, "float(x)", call_float, Kind::plain},
    {"int", 1, 1, "int(x)", call_int, Kind::plain},
    {"join", 1, 2, "join(list, separator)", call_join, Kind::plain},
    {"json", 1, 1, "json(x)", call_json, Kind::plain},
    {"keys", 1, 1, "keys(object)", call_keys, Kind::plain},
    {"len", 1, 1, "len(x)", call_len, Kind::plain},
    {"lower", 1, 1, "lower(text)", call_lower, Kind::plain},
    {"max", 1, k_any, "max(list) or max(a, b, …)", call_max, Kind::plain},
    {"min", 1, k_any, "min(list) or min(a, b, …)", call_min, Kind::plain},
    {"now", 0, 0, "now()", call_now, Kind::plain},
    {"range", 1, 3, "range([first,] end[, step])", call_range, Kind::plain},
    {"raw", 1, 1, "raw(text)", call_raw, Kind::plain},
    {"replace", 3, 3, "replace(text, old, new)", call_replace, Kind::plain},
    {"sorted", 1, 1, "sorted(list)", call_sorted, Kind::plain},
    {"split", 1, 2, "split(text[, separator])", call_split, Kind::plain},
    {"str", 1, 1, "str(x)", call_str, Kind::plain},
    {"sum", 1, 1, "sum(list)", call_sum, Kind::plain},
    {"upper", 1, 1, "upper(text)", call_upper, Kind::plain},
    {"values", 1, 1, "values(object)", call_values, Kind::plain},
    {"zip", 1, k_any, "zip(list, list, …)", call_zip, Kind::plain},
}};

[[noreturn]] void refuse_operands(std::string_view op, const Value& a, const Value& b) {
    if (is_late(a) || is_late(b)) {
        refuse("the path of a file is known only where the task runs",
               "give the file a `{{ }}` of its own: \"{{ prepare.data }}.bak\"");
    }
    const bool text = op == "+" && (a.is_string() || b.is_string());
    refuse(fmt::format("'{}' cannot work on {} and {}", op, a.type_name(), b.type_name()),
           text ? "make it a text with str(x)" : "");
}

Value integers(std::int64_t a, char op, std::int64_t b) {
    std::int64_t out = 0;
    bool overflow = false;
    switch (op) {
        case '+':
            overflow = __builtin_add_overflow(a, b, &out);
            break;
        case '-':
            overflow = __builtin_sub_overflow(a, b, &out);
            break;
        case '*':
            overflow = __builtin_mul_overflow(a, b, &out);
            break;
        default:
            if (b == 0) {
                refuse("division by zero");
            }
            // Python's rule: the result has the sign of the divisor. INT64_MIN % -1 traps on x86.
            out = b == -1 ? 0 : a % b;
            out += out != 0 && (out < 0) != (b < 0) ? b : 0;
    }
    if (overflow) {
        refuse(fmt::format("{} {} {} does not fit 64 bits", a, op, b), "compute with floats: float(x)");
    }
    return out;
}

Value floats(double a, char op, double b) {
    switch (op) {
        case '+':
            return a + b;
        case '-':
            return a - b;
        case '*':
            return a * b;
        default:
            break;
    }
    if (b == 0) {
        refuse("division by zero");
    }
    if (op == '/') {
        return a / b;
    }
    const double rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value joined(const Value& a, const Value& b, Budget& budget) {
    if (a.is_string() && b.is_string()) {
        budget.bytes(a.as_string().size() + b.as_string().size());
        return a.as_string() + b.as_string();
    }
    budget.elements(a.as_list().size() + b.as_list().size());
    List out = a.as_list();
    out.insert(out.end(), b.as_list().begin(), b.as_list().end());
    return out;
}

struct Size {
    std::size_t elements = 0;
    std::size_t bytes = 0;
};

/// Stops soon after the limit: a value may hold one list many times.
void measure(const Value& value, Size& size) {
    if (size.elements > Budget::k_elements || size.bytes > Budget::k_bytes) {
        return;
    }
    if (value.is_string()) {
        size.bytes += value.as_string().size();
    } else if (value.is_list()) {
        size.elements += value.as_list().size();
        for (const Value& entry : value.as_list()) {
            measure(entry, size);
        }
    } else if (value.is_object()) {
        size.elements += value.as_object().size();
        for (const auto& [key, member] : value.as_object()) {
            size.bytes += key.size();
            measure(member, size);
        }
    }
}

template <class T>
int order(const T& a, const T& b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

void Budget::elements(std::size_t count) {
    if (count > k_elements || count > elements_left_) {
        refuse(fmt::format("the expression makes more than {} elements", k_elements));
    }
    elements_left_ -= count;
}

void Budget::bytes(std::size_t count) {
    if (count > k_bytes || count > bytes_left_) {
        refuse(fmt::format("the expression makes more than {} bytes of text", k_bytes));
    }
    bytes_left_ -= count;
}

void Budget::whole(const Value& value) {
    Size size;
    measure(value, size);
    elements(size.elements);
    bytes(size.bytes);
}

std::span<const Function> functions() {
    return k_functions;
}

const Function* find_function(std::string_view name) {
    const auto all = functions();
    const auto it = std::lower_bound(all.begin(), all.end(), name,
                                     [](const Function& f, std::string_view n) { return f.name < n; });
    return it != all.end() && it->name == name ? &*it : nullptr;
}

int compare_values(const Value& a, const Value& b) {
    if (a.is_int() && b.is_int()) {
        return order(a.as_int(), b.as_int());
    }
    if (a.is_number() && b.is_number()) {
        return order(a.as_float(), b.as_float());
    }
    if (a.is_string() && b.is_string()) {
        return order(a.as_string(), b.as_string());
    }
    if (a.is_bool() && b.is_bool()) {
        return order(a.as_bool(), b.as_bool());
    }
    if (!a.is_list() || !b.is_list()) {
        refuse(fmt::format("{} and {} have no order", a.type_name(), b.type_name()));
    }
    const List& left = a.as_list();
    const List& right = b.as_list();
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        if (const int first = compare_values(left[i], right[i]); first != 0) {
            return first;
        }
    }
    return order(left.size(), right.size());
}

Value arithmetic(const Value& a, std::string_view op, const Value& b, Budget& budget) {
    if (a.is_int() && b.is_int() && op != "/") {
        return integers(a.as_int(), op.front(), b.as_int());
    }
    if (a.is_number() && b.is_number()) {
        return floats(a.as_float(), op.front(), b.as_float());
    }
    if (op == "+" && ((a.is_string() && b.is_string()) || (a.is_list() && b.is_list()))) {
        return joined(a, b, budget);
    }
    refuse_operands(op, a, b);
}

}  // namespace amp
