#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP11xx: expressions.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 13> k_entries = {{
    {"AMP1101", "the expression cannot be read",
     "Something stands where the grammar of expressions wants something else: an operator without its "
     "second value, a bracket that is not closed, two values side by side. Expressions have values, "
     "operators, `x if c else y` and function calls; no statements, methods, comprehensions or named "
     "arguments.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
when = "params.x == "
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
when = "params.x == 'a'"
run = "./train"
)x"},
    {"AMP1102", "a text in an expression is not well-formed",
     R"x(A text in single or double quotes has no end, or holds an escape that does not exist. There are \n )x"
     R"x(\t \r \0 \\ \' \" \xHH and \uHHHH.)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
when = "params.x == 'a"
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
when = "params.x == 'a'"
run = "./train"
)x"},
    {"AMP1103", "no operator or character of an expression",
     "The operators are + - * / % == != < <= > >= `and` `or` `not` `in`; what other languages write (&&, "
     "||, !, **, |) is not understood.",
     R"x([flow]
name = "Demo"

[params]
x = "a"
n = 2

[step.train]
when = "params.x == 'a' && params.n > 1"
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"
n = 2

[step.train]
when = "params.x == 'a' and params.n > 1"
run = "./train"
)x"},
    {"AMP1104", "unknown function",
     "There is len, range, zip, enumerate, keys, values, sorted, default, exists, basename, dirname, join, "
     "split, lower, upper, replace, json, int, float, str, min, max, sum, now, failed, always and raw. "
     "Whatever else is to be computed is a step.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = ["./train", "{{ lenght(params.x) }}"]
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = ["./train", "{{ len(params.x) }}"]
)x"},
    {"AMP1105", "wrong arguments for a function",
     "The function takes another number of arguments, or failed() was given something other than the name of "
     "a step as a text.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = ["./train", "{{ replace(params.x, 'a') }}"]
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = ["./train", "{{ replace(params.x, 'a', 'b') }}"]
)x"},
    {"AMP1106", "the expression is too large",
     "An expression may nest 64 levels deep and have 16 KiB: what is more is data, and belongs in a file of "
     "[config] or in a step.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))) }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ 1 }}"]
)x"},
    {"AMP1107", "no number, or one that does not fit",
     "Whole numbers have 64 bits; digits and letters do not mix. Sizes and durations are texts: '64G', "
     "'1h30m'.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ 64G }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ '64G' }}"]
)x"},
    {"AMP1108", "comparisons cannot be chained",
     "`a < b < c` is not read as two comparisons: join them with `and`.",
     R"x([flow]
name = "Demo"

[params]
n = 2

[step.train]
when = "0 < params.n < 5"
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[params]
n = 2

[step.train]
when = "0 < params.n and params.n < 5"
run = "./train"
)x"},
    {"AMP1109", "the expression is empty",
     "There is nothing between the braces. Braces that are meant as text are written {{ '{{' }}.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ '{{' }}"]
)x"},
    {"AMP1110", "raw() must be the whole expression",
     "raw(x) puts the text of x itself into a shell script. So that it is plain to see what does so, "
     "nothing may stand around it: put all of it into the parentheses.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "./train {{ raw(params.x) + ' --fast' }}"
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "./train {{ raw(params.x + ' --fast') }}"
)x"},
    {"AMP1112", "a word of Python", "true, false and null are written in small letters.",
     R"x([flow]
name = "Demo"

[params]
fast = true

[step.train]
when = "params.fast == True"
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[params]
fast = true

[step.train]
when = "params.fast == true"
run = "./train"
)x"},
    {"AMP1113", "an expression that fails with what is known already",
     "What hangs on literals and parameters alone is computed before the run: by `amp validate` with the "
     "parameters' defaults, by `amp run` with the values that were given. It is a warning where other values "
     "could make it right, or where the step may be skipped.",
     R"x([flow]
name = "Demo"

[params]
n = 3

[step.train]
foreach = "params.n"
run = "./train {{ item }}"
)x",
     R"x([flow]
name = "Demo"

[params]
n = 3

[step.train]
foreach = "range(params.n)"
run = "./train {{ item }}"
)x"},
    {"AMP1114", "a value that its key cannot have",
     "A time, size or number of a step that is computed from literals and parameters alone is looked at "
     "before the run, as AMP1113 says.",
     R"x([flow]
name = "Demo"

[params]
n = 3

[step.train]
timeout = "{{ params.n }}x"
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[params]
n = 3

[step.train]
timeout = "{{ params.n }}m"
run = "./train"
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> expressions() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
