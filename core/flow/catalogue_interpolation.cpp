#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP12xx: interpolation.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 14> k_entries = {{
    {"AMP1201", "`{{` without `}}`",
     "An expression in a text begins with {{ and ends with }}. A literal {{ is written {{ '{{' }}.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "./train {{ params.x"
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "./train {{ params.x }}"
)x"},
    {"AMP1202", "`{{ }}` in single quotes",
     "In the string form of `run` a {{ }} becomes a reference to a shell variable, so that no value can "
     "ever be read as a command. Between single quotes the shell replaces nothing: use double quotes, or "
     "close the single ones around it.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "./train '{{ params.x }}'"
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "./train \"{{ params.x }}\""
)x"},
    {"AMP1203", "`{{ }}` in a comment",
     "A value in a comment of a shell script would be lost, and one with a line break would end the "
     "comment: leave the braces out.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
# trains on {{ params.x }}
./train
'''
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
# trains on params.x
./train
'''
)x"},
    {"AMP1204", "`{{ }}` in a here-document",
     "Set a variable before, and use it in the here-document, whose delimiter must then stand without "
     "quotes.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
cat > config.txt <<EOF
x = {{ params.x }}
EOF
'''
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
value={{ params.x }}
cat > config.txt <<EOF
x = ${value}
EOF
'''
)x"},
    {"AMP1205", "`{{ }}` in $'…'",
     "Between $' and ' the shell replaces nothing but escapes: close the quotes around the value.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
printf %s $'a\t{{ params.x }}'
'''
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
printf %s $'a\t'{{ params.x }}
'''
)x"},
    {"AMP1206", "`{{ }}` in backquotes",
     "What stands in backquotes is read twice by the shell. $(…) does the same without that.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "echo `basename {{ params.x }}`"
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "echo $(basename {{ params.x }})"
)x"},
    {"AMP1207", "`{{ }}` in ${…}",
     "Set a variable before, and use that: shells differ in how they quote within ${…}.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
echo ${NAME:-{{ params.x }}}
'''
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
value={{ params.x }}
echo ${NAME:-$value}
'''
)x"},
    {"AMP1208", "`{{ }}` in arithmetic of the shell",
     "In $((…)), ((…)), `let`, slices, subscripts, number comparisons of [[ ]] and what is assigned to an "
     "integer (`declare -i`) a shell runs commands that stand in a value: `a[$(command)]`. Compute within "
     "{{ }}, or use int(), which lets nothing but a number through.",
     R"x([flow]
name = "Demo"

[params]
n = 2

[step.train]
run = '''
echo $(( {{ params.n }} + 1 ))
'''
)x",
     R"x([flow]
name = "Demo"

[params]
n = 2

[step.train]
run = '''
echo {{ params.n + 1 }}
'''
)x"},
    {"AMP1209", "a backslash or `$` before `{{ }}`",
     "It would change the reference to the variable that {{ }} becomes: leave it out.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
./train ${{ params.x }}
'''
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
./train {{ params.x }}
'''
)x"},
    {"AMP1210", "`{{ }}` where the shell wants a name",
     "The name of a variable, loop or function cannot come from a value: for `read`, `unset`, `declare`, "
     "`printf -v`, `test -v` and the like `a[$(command)]` is a name too, and they run the command. Write the "
     "name out, or check the value before.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
{{ params.x }}=1 ./train
'''
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
env {{ params.x }}=1 ./train
'''
)x"},
    {"AMP1211", "the shell script is not closed",
     "A quote, bracket or here-document of the script has no end, so that it is not clear what a {{ }} in "
     "it stands in.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
./train "{{ params.x }}
'''
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
./train "{{ params.x }}"
'''
)x"},
    {"AMP1212", "`{{ *xs }}` that is not a whole argument",
     "{{ *xs }} is as many arguments as the list xs has: it must be a whole element of the list form of "
     "`run`.",
     R"x([flow]
name = "Demo"

[params]
xs = ["a", "b"]

[step.train]
run = ["./train", "--x={{ *params.xs }}"]
)x",
     R"x([flow]
name = "Demo"

[params]
xs = ["a", "b"]

[step.train]
run = ["./train", "{{ *params.xs }}"]
)x"},
    {"AMP1213", "a NUL byte in a script or value",
     "No argument, variable or path of a program can hold a NUL byte.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "./train {{ params.x }} \u0000"
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = "./train {{ params.x }}"
)x"},
    {"AMP1214", "`{{ }}` in a text that is read again as code",
     "eval, trap, alias and a shell that is started (`bash -c`, also behind env, xargs, find or docker) read "
     "a "
     "word as code, and the value would be a part of that. Give it as an argument or in a variable, which "
     "the code names. Numbers do no harm. What other commands do with their arguments is theirs: ssh hands "
     "them to a shell over there, python -c and awk have programs too.",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
bash -c "./train {{ params.x }}"
'''
)x",
     R"x([flow]
name = "Demo"

[params]
x = "a"

[step.train]
run = '''
bash -c './train "$1"' _ {{ params.x }}
'''
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> interpolation() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
