// Words that a command takes for more than data: what validation refuses would run a hostile value in a real
// shell, and what it shows as the mended form does not.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

#include "core/flow/load.hpp"
#include "core/flow/shell_check.hpp"
#include "tests/support/shells.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/value_scope.hpp"

namespace amp {
namespace {

using test::Shell;
using test::ValueScope;

struct Loaded {
    Flow flow;
    std::vector<Diagnostic> found;
};

Loaded load(const std::string& script, const std::string& value, const std::string& shell = "bash") {
    Diagnostics diagnostics;
    const std::string text = fmt::format(
        "[flow]\nname = \"x\"\n[params]\nv = {}\n[step.a]\nshell = [\"{}\", \"-c\"]\nrun = '''\n{}\n'''\n",
        value, shell, script);
    Flow flow = load_flow(text, "flow.toml", diagnostics);
    return {std::move(flow), diagnostics.sorted()};
}

/// Does a hostile value run in any of the shells? One value for each way in.
std::string runs_in(const Loaded& loaded, const std::string& only = "") {
    const test::TempFolder folder;
    const std::string pwn = folder.path() + "/PWN";
    const std::string touch = "/usr/bin/touch " + pwn;
    if (loaded.flow.steps.empty() || !loaded.flow.steps[0].command) {
        return "";
    }
    for (const Shell& shell : test::installed_shells()) {
        if (!only.empty() && shell.name != only) {
            continue;
        }
        for (const std::string& value :
             {fmt::format("PATH[$({})]", touch), fmt::format("-vPATH[$({})]", touch), touch,
              fmt::format("-pPATH[$({})]", touch), fmt::format("([$({})]=1)", touch),
              fmt::format("$({})", touch), fmt::format("x;{}", touch), fmt::format("'\"x\";{} #", touch)}) {
            const ValueScope scope(Object{{"params", Object{{"v", value}}}});
            try {
                test::run_command(shell, *loaded.flow.steps[0].command, scope, "C", folder.path());
            } catch (const std::exception&) {
                continue;  // int() has refused it
            }
            if (std::filesystem::exists(pwn)) {
                return shell.name + " with " + value;
            }
        }
    }
    return "";
}

/// The script that a hint shows; empty where it shows none.
std::string script_of(std::string hint) {
    const std::size_t lines = hint.find(":\n");
    const std::size_t begin = lines == std::string::npos ? hint.find(": ") : lines;
    if (begin == std::string::npos) {
        return "";
    }
    hint.erase(0, begin + 2);
    for (const char* remark : {"\n(int()", "\nand write"}) {
        hint.erase(std::min(hint.find(remark), hint.size()));
    }
    return hint;
}

struct Row {
    std::string script;
    std::string code;
    bool runs = true;  ///< without the refusal, in a shell that is here
};

void check_refused(const std::vector<Row>& rows, const std::string& shell = "bash") {
    for (const Row& row : rows) {
        CAPTURE(row.script);
        const Loaded loaded = load(row.script, "\"a\"", shell);
        REQUIRE(!loaded.found.empty());
        CHECK(loaded.found[0].code == row.code);
        if (row.runs) {
            CHECK(runs_in(loaded) != "");
        }
        for (const Diagnostic& mistake : loaded.found) {
            const std::string script = script_of(mistake.hint);
            CAPTURE(mistake.hint);
            CHECK(runs_in(load(script, "\"a\"", shell)) == "");
        }
    }
}

TEST_CASE("words that the shell itself evaluates") {
    check_refused({{"test -v {{ params.v }}", "AMP1210"},
                   {"[ -v \"{{ params.v }}\" ]", "AMP1210"},
                   {"[ ! -v \"{{ params.v }}\" ]", "AMP1210"},
                   {"[ -n x -a -v \"{{ params.v }}\" ]", "AMP1210"},
                   {"command test -v {{ params.v }}", "AMP1210"},
                   {"builtin test -v {{ params.v }}", "AMP1210"},
                   {"te's't -v {{ params.v }}", "AMP1210"},
                   {"if true; then test -v {{ params.v }}; fi", "AMP1210"},
                   {"f() { test -v {{ params.v }}; }; f", "AMP1210"},
                   {"(test -v {{ params.v }})", "AMP1210"},
                   {"x=$(test -v {{ params.v }})", "AMP1210"},
                   {"case a in a) test -v {{ params.v }};; esac", "AMP1210"},
                   {"x=1 test -v {{ params.v }} >/dev/null", "AMP1210"},
                   {"printf -v {{ params.v }} x", "AMP1210"},
                   {"printf -v\"{{ params.v }}\" x", "AMP1210"},
                   {"printf {{ params.v }} x", "AMP1210"},
                   {"read -r \"{{ params.v }}\" <<< x", "AMP1210"},
                   {"read -ra {{ params.v }} <<< x", "AMP1210", false},
                   {"echo x | while read {{ params.v }}; do :; done", "AMP1210"},
                   {"unset \"A[{{ params.v }}]\"", "AMP1210", false},
                   {"A=1; unset \"A[{{ params.v }}]\"", "AMP1210"},
                   {"unset -v {{ params.v }}", "AMP1210"},
                   {"declare \"A[{{ params.v }}]=1\"", "AMP1210"},
                   {"declare \"{{ params.v }}=1\"", "AMP1210"},
                   {"f() { local \"{{ params.v }}=1\"; }; f", "AMP1210"},
                   {"declare -n r={{ params.v }}; echo $r", "AMP1210"},
                   {"declare -a A={{ params.v }}", "AMP1214"},
                   {"A=(1); declare A={{ params.v }}", "AMP1214"},
                   {"declare -i n; n={{ params.v }}", "AMP1208"},
                   {"declare -i n\nn+=\"{{ params.v }}\"", "AMP1208"},
                   {"f() { n={{ params.v }}; }; declare -i n; f", "AMP1208"},
                   {"declare -i n; for n in {{ params.v }}; do :; done", "AMP1208"},
                   {"f() { local -i n; n={{ params.v }}; }; f", "AMP1208"},
                   {"declare -i n={{ params.v }}", "AMP1208", false},
                   {"readonly -i n=\"{{ params.v }}\"", "AMP1208", false},
                   {"OPTIND={{ params.v }}", "AMP1208"},
                   {"mapfile {{ params.v }} <<< x", "AMP1210", false},
                   {"mapfile -C {{ params.v }} -c 1 A <<< x", "AMP1214"},
                   {"/bin/true & wait -n {{ params.v }}", "AMP1210"},
                   {"/bin/true & wait -n -p {{ params.v }}", "AMP1210"},
                   {"getopts ab {{ params.v }}", "AMP1210", false},
                   {"echo x >&{{ params.v }}", "AMP1214"}});
}

TEST_CASE("words that are read again as code") {
    check_refused({{"eval {{ params.v }}", "AMP1214"},
                   {"eval \"echo {{ params.v }}\"", "AMP1214"},
                   {"eval 'echo {{ params.v }}'", "AMP1214", false},
                   {"eval \"echo ${X:-{{ params.v }}}\"", "AMP1214", false},
                   {"trap \"echo {{ params.v }}\" EXIT", "AMP1214"},
                   {"trap -- {{ params.v }} EXIT", "AMP1214"},
                   {"/bin/bash -c \"echo {{ params.v }}\"", "AMP1214"},
                   {"/bin/sh -euc \"echo {{ params.v }}\"", "AMP1214"},
                   {"/bin/bash -euo pipefail -c \"echo {{ params.v }}\"", "AMP1214"},
                   {"exec /bin/bash -c {{ params.v }}", "AMP1214"},
                   {"/usr/bin/env A=1 /bin/sh -c {{ params.v }}", "AMP1214"},
                   {"echo a | /usr/bin/xargs -I % /bin/sh -c \"echo % {{ params.v }}\"", "AMP1214"},
                   {"/usr/bin/find . -maxdepth 0 -exec /bin/sh -c \"{{ params.v }}\" \\;", "AMP1214"},
                   {"bash -c 'echo {{ params.v }}'", "AMP1214", false},
                   {"su - me -c \"{{ params.v }}\"", "AMP1214", false},
                   {"BASH_ENV={{ params.v }} /bin/bash -c :", "AMP1214"},
                   {"PS4={{ params.v }}; set -x; true", "AMP1214"},
                   {"compgen -W {{ params.v }} x", "AMP1214"}});
}

TEST_CASE("what zsh and ksh alone evaluate") {
    const std::vector<Row> rows = {{"exit {{ params.v }}", "AMP1208"},
                                   {"shift {{ params.v }}", "AMP1208"},
                                   {"f() { return {{ params.v }}; }; f", "AMP1208"},
                                   {"printf '%d' {{ params.v }}", "AMP1208"},
                                   {"[ -t {{ params.v }} ]", "AMP1208"},
                                   {"print -v {{ params.v }} x", "AMP1210"},
                                   {"set -A {{ params.v }} x", "AMP1210"},
                                   {"export {{ params.v }}", "AMP1210"},
                                   {"integer n; n={{ params.v }}", "AMP1208"}};
    check_refused(rows, "/bin/zsh");
    CHECK(load("[ {{ params.v }} -eq 1 ]", "\"a\"", "ksh").found.at(0).code == "AMP1208");
    for (const std::string fine :
         {"exit {{ params.v }}", "printf '%d' {{ params.v }}", "[ {{ params.v }} -eq 1 ]"}) {
        CAPTURE(fine);
        const Loaded loaded = load(fine, "\"a\"");
        CHECK(loaded.found.empty());
        CHECK(runs_in(loaded, "bash") == "");
        CHECK(runs_in(loaded, "dash") == "");
    }
}

TEST_CASE("each hint for a context that quoting decides holds as well") {
    check_refused({{"X=abc; printf \"[%s]\" \"${X:{{ params.v }}}\"", "AMP1208", false},
                   {"X=abc; echo \"${X:0:{{ params.v }}}\"", "AMP1208", false},
                   {"A=(1); echo ${A[{{ params.v }}]}", "AMP1208", false},
                   {"A=(1); echo ${A[{{ params.v }}]:-x}", "AMP1208", false},
                   {"X=abc; echo ${X:${Y:-{{ params.v }}}}", "AMP1208", false},
                   {"echo $((1 + ${Y:-{{ params.v }}}))", "AMP1208", false},
                   {"[[ ${Y:-{{ params.v }}} -eq 1 ]]", "AMP1208", false},
                   {"A[${Y:-{{ params.v }}}]=1", "AMP1208", false},
                   {"echo ${!{{ params.v }}}", "AMP1210", false},
                   {"echo ${x{{ params.v }}}", "AMP1210", false},
                   {"echo \"${X:-{{ params.v }}}\"", "AMP1207", false},
                   {"X=abc; echo \"${X#{{ params.v }}}\" ", "AMP1207", false},
                   {"X=abc; echo \"${X/a/{{ params.v }}}\"", "AMP1207", false},
                   {"echo $(( {{ params.v }} ))", "AMP1208", false},
                   {"(( {{ params.v }} )) || :", "AMP1208", false},
                   {"let n={{ params.v }}", "AMP1208", false},
                   {"A[{{ params.v }}]=1", "AMP1208", false},
                   {"[[ {{ params.v }} -eq 1 ]]", "AMP1208", false},
                   {"[[ -v {{ params.v }} ]]", "AMP1210", false},
                   {"a=1; echo $a[{{ params.v }}]", "AMP1208", false},
                   {"echo '{{ params.v }}'", "AMP1202", false},
                   {"echo $'a{{ params.v }}'", "AMP1205", false},
                   {"echo `echo {{ params.v }}`", "AMP1206", false},
                   {"echo \\{{ params.v }}", "AMP1209", false},
                   {"echo ${{ params.v }}", "AMP1209", false},
                   {"{{ params.v }}=1 /bin/true", "AMP1210", false},
                   {"for {{ params.v }} in a; do :; done", "AMP1210", false},
                   {"echo 'eval {{ params.v }}'", "AMP1202", false}});
    // The mended line of a here-document in which more than the value is replaced.
    CHECK(load("cat <<E\n$(( {{ params.v }} ))\nE", "\"a\"").found.at(0).hint.find("int(") !=
          std::string::npos);
    CHECK(load("cat <<E\n{{ params.v }}\nE", "\"a\"").found.at(0).hint.find("int(") == std::string::npos);
}

TEST_CASE("numbers do no harm, and data stays data") {
    for (const std::string script :
         {"declare -i n; n={{ params.v }}", "bash -c \"train {{ params.v }}\"", "read -t {{ params.v }} x",
          "eval \"a{{ params.v }}=1\"", "trap \"kill {{ params.v }}\" EXIT"}) {
        CAPTURE(script);
        CHECK(load(script, "3").found.empty());
        CHECK(load(script, "0.5").found.empty());
        CHECK(load(script, "{ type = \"int\", default = 3 }").found.empty());
    }
    CHECK(load("bash -c \"train {{ int(params.v) }} {{ len(params.v) + 1 }} {{ 'a' }}\"", "\"3\"")
              .found.empty());
    for (const std::string script : {"printf '%s\\n' {{ params.v }}",
                                     "printf \"{{ params.v }}\\n\"",
                                     "printf -- {{ params.v }}",
                                     "printf -v x %s {{ params.v }}",
                                     "echo bash -c {{ params.v }}",
                                     "read -r x <<< {{ params.v }}",
                                     "read -p {{ params.v }} x < /dev/null || :",
                                     "export A={{ params.v }} B=\"{{ params.v }}\"",
                                     "local_dir={{ params.v }}; declare x={{ params.v }}",
                                     "bash train.sh {{ params.v }}",
                                     "bash -c 'echo \"$1\"' _ {{ params.v }}",
                                     "sh -x ./run.sh -c {{ params.v }}",
                                     "[ -n {{ params.v }} ] && [ {{ params.v }} = \"{{ params.v }}\" ]",
                                     "test -f {{ params.v }}",
                                     "command -v {{ params.v }}",
                                     "trap 'rm -f x' {{ params.v }}",
                                     "cp {{ params.v }} \"$eval\"",
                                     "exec ./serve {{ params.v }}",
                                     "case {{ params.v }} in eval) x={{ params.v }};; esac",
                                     "for eval in {{ params.v }} \"{{ params.v }}\"; do echo \"$eval\"; done",
                                     "cat a > {{ params.v }} 2>&1",
                                     "A=({{ params.v }}); A+=(\"{{ params.v }}\")",
                                     "env X={{ params.v }} train --c {{ params.v }}",
                                     "./test -v {{ params.v }}",
                                     "git -c x={{ params.v }} commit -m {{ params.v }}"}) {
        CAPTURE(script);
        const Loaded loaded = load(script, "\"a\"");
        CHECK((loaded.found.empty() || loaded.found[0].code + loaded.found[0].message == ""));
        CHECK(runs_in(loaded, "bash") == "");
        CHECK(runs_in(loaded, "dash") == "");
    }
}

}  // namespace
}  // namespace amp
