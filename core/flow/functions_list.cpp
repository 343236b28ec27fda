#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "core/flow/functions.hpp"

namespace amp {
namespace {

using Arguments = std::span<const Value>;

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
    throw Error(ExitCode::invalid, std::move(message), {}, std::move(hint));
}

const List& list_of(std::string_view function, const Value& value) {
    if (!value.is_list()) {
        refuse(fmt::format("{}() needs a list, not {}", function, value.type_name()));
    }
    return value.as_list();
}

const Object& object_of(std::string_view function, const Value& value) {
    if (!value.is_object() || is_late(value)) {
        refuse(fmt::format("{}() needs an object, not {}", function,
                           is_late(value) ? "file" : value.type_name()));
    }
    return value.as_object();
}

std::int64_t integer_of(std::string_view function, const Value& value) {
    if (!value.is_int()) {
        refuse(fmt::format("{}() needs int, not {}", function, value.type_name()),
               value.is_float() ? "write int(x)" : "");
    }
    return value.as_int();
}

Value extreme(std::string_view function, Arguments arguments, CallContext& context, int wanted) {
    const Arguments all = arguments.size() == 1 ? Arguments(list_of(function, arguments[0])) : arguments;
    if (all.empty()) {
        refuse(fmt::format("{}() of an empty list", function), "write default(…), or a condition on len(x)");
    }
    context.budget.elements(all.size());
    const Value* best = &all.front();
    for (const Value& value : all) {
        best = compare_values(value, *best) == wanted ? &value : best;
    }
    // A single value has no other to be compared with, but must have an order.
    compare_values(*best, *best);
    return *best;
}

}  // namespace

Value call_len(Arguments arguments, CallContext& context) {
    const Value& value = arguments[0];
    if (value.is_list()) {
        return static_cast<std::uint64_t>(value.as_list().size());
    }
    if (value.is_object() && !is_late(value)) {
        return static_cast<std::uint64_t>(value.as_object().size());
    }
    if (!value.is_string()) {
        refuse(fmt::format("len() needs a list, object or string, not {}",
                           is_late(value) ? "file" : value.type_name()));
    }
    const std::string& text = value.as_string();
    context.budget.bytes(text.size());
    return static_cast<std::int64_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Value call_range(Arguments arguments, CallContext& context) {
    const std::int64_t first = arguments.size() > 1 ? integer_of("range", arguments[0]) : 0;
    const std::int64_t end = integer_of("range", arguments.size() > 1 ? arguments[1] : arguments[0]);
    const std::int64_t step = arguments.size() > 2 ? integer_of("range", arguments[2]) : 1;
    if (step == 0) {
        refuse("the step of range() is zero");
    }
    const bool up = step > 0;
    if (up ? first >= end : first <= end) {
        return List{};
    }
    // In unsigned arithmetic, where no difference of two 64-bit numbers overflows.
    const std::uint64_t distance = up ? static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(first)
                                      : static_cast<std::uint64_t>(first) - static_cast<std::uint64_t>(end);
    const std::uint64_t stride =
        up ? static_cast<std::uint64_t>(step) : std::uint64_t{0} - static_cast<std::uint64_t>(step);
    const std::uint64_t count = (distance - 1) / stride + 1;
    context.budget.elements(count);
    List out;
    out.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        out.emplace_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(first) +
                                                   i * static_cast<std::uint64_t>(step)));
    }
    return out;
}

Value call_zip(Arguments arguments, CallContext& context) {
    std::size_t count = std::numeric_limits<std::size_t>::max();
    for (const Value& argument : arguments) {
        count = std::min(count, list_of("zip", argument).size());
    }
    context.budget.elements(count);
    context.budget.elements(count * arguments.size());
    List out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        List entry;
        for (const Value& argument : arguments) {
            entry.push_back(argument.as_list()[i]);
        }
        out.emplace_back(std::move(entry));
    }
    return out;
}

Value call_enumerate(Arguments arguments, CallContext& context) {
    const List& list = list_of("enumerate", arguments[0]);
    const std::int64_t first = arguments.size() > 1 ? integer_of("enumerate", arguments[1]) : 0;
    context.budget.elements(3 * list.size());
    List out;
    out.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        out.emplace_back(
            List{arithmetic(first, "+", static_cast<std::uint64_t>(i), context.budget), list[i]});
    }
    return out;
}

Value call_keys(Arguments arguments, CallContext& context) {
    const Object& object = object_of("keys", arguments[0]);
    context.budget.elements(object.size());
    List out;
    for (const auto& member : object) {
        out.emplace_back(member.first);
    }
    return out;
}

Value call_values(Arguments arguments, CallContext& context) {
    const Object& object = object_of("values", arguments[0]);
    context.budget.elements(object.size());
    List out;
    for (const auto& member : object) {
        out.push_back(member.second);
    }
    return out;
}

Value call_sorted(Arguments arguments, CallContext& context) {
    List out = list_of("sorted", arguments[0]);
    context.budget.whole(arguments[0]);
    for (const Value& value : out) {
        compare_values(value, out.front());
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const Value& a, const Value& b) { return compare_values(a, b) < 0; });
    return out;
}

Value call_min(Arguments arguments, CallContext& context) {
    return extreme("min", arguments, context, -1);
}
Value call_max(Arguments arguments, CallContext& context) {
    return extreme("max", arguments, context, 1);
}

Value call_sum(Arguments arguments, CallContext& context) {
    const List& list = list_of("sum", arguments[0]);
    context.budget.elements(list.size());
    Value out = 0;
    for (const Value& value : list) {
        if (!value.is_number()) {
            refuse(fmt::format("sum() needs numbers, not {}", value.type_name()),
                   value.is_string() ? "join(list, \"\") puts texts together" : "");
        }
        out = arithmetic(out, "+", value, context.budget);
    }
    return out;
}

}  // namespace amp
