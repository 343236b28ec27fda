#include "core/flow/shell_lexer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "tests/support/cpu_time.hpp"

namespace amp {
namespace {

/// Every `@` of `script` as its context: one letter each; then the problem, if any.
std::string contexts(std::string script) {
    for (char& c : script) {
        c = c == '@' ? k_shell_slot : c;
    }
    const ShellScan scan = scan_shell(script);
    std::string out;
    for (const ShellSlot& slot : scan.slots) {
        // bare, double quotes, single, ansi, comment, here, Here (quoted), delimiter, backquotes, parameter,
        // Arithmetic, subscript, integer comparison, name, backslash, dollar
        out += std::string_view("bdsachHl`pA[in\\$").at(static_cast<std::size_t>(slot.context));
    }
    return out + (scan.problem ? "!" : "");
}

struct Row {
    std::string script;
    std::string expected;
};

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CAPTURE(row.script);
        CHECK(contexts(row.script) == row.expected);
    }
}

TEST_CASE("quotes") {
    check({{"a @ b", "b"},
           {"@", "b"},
           {"a@b@", "bb"},
           {"a \"@\" @", "db"},
           {"a 'x' @ 'y @'", "bs"},
           {"a \"it's @\" @", "db"},
           {"a 'say \"' @ '\"'", "b"},
           {"a $'x\\'@' @", "ab"},
           {"a \"$'@'\" @", "db"},
           {"a $\"@\" @", "db"},
           {"a \\' @ \\\" @", "bb"},
           {"a \\@", "\\"},
           {"a \\\\@ \"\\\\@\" \"\\@\"", "bd\\"},
           {"a \\\n@", "b"},
           {"a \"\\\"@\"", "d"},
           {"a \"$\"@ $@", "b$"},
           {"a \"$@\" $$@ \"$#@\" \\$@", "$b$b"},
           {"a $x@ \"$x@\" ${x}@ \"${x}@\" $1@ $?@", "bdbdbb"},
           {"a ~@ *@ [@] {@,b} --x=@", "bbbbb"}});
}

TEST_CASE("comments") {
    check({{"a # @\nb @", "cb"},
           {"# it's @\n@", "cb"},
           {"a#@ ${#x}@ $#", "bb"},
           {"a;# @\n", "c"},
           {"(# @\n@)", "cb"},
           {"a \"# @\"", "d"},
           {"a \\# @", "b"},
           {"a &&# '\n@", "b"},
           {"$(# ')\n@)", "b"}});
}

TEST_CASE("substitutions nest") {
    check({{"$(a @)@", "bb"},
           {"\"$(a @ \"@\" 'x')@\"", "bdd"},
           {"\"$(a ')' @)\" @", "bb"},
           {"\"$(a \"$(b \"@\")\" @)@\"", "dbd"},
           {"`a @` @", "`b"},
           {"\"`a \\`@`\"@", "`b"},
           {"a <(b @) >(c \"@\") @", "bdb"},
           {"(a; (b @); c) @", "bb"},
           {"$( (a @) )@", "bb"},
           {"$((a); (b @))@", "bb"},
           {"$((a @) | b)\"@\"", "bd"},
           {"((a @); b) @", "bb"}});
}

TEST_CASE("parameters and arithmetic") {
    check({{"${x:-@}@", "pb"},
           {"\"${x:-@}@\"", "pd"},
           {"\"${x:-\"@\"}\"@", "pb"},
           {"\"${x:-it's}@\"", "!"},
           {"\"${x:-it\\'s}@\"", "d"},
           {"\"${x:-'a b'}@\"", "d"},
           {"\"${x:-'@'}@\"", "pd"},
           {"\"${x:-'}'}@\"", "!"},
           {"$(( ${x:-'} ))@'", "!"},
           {"$(('1' + 2))@", "b"},
           {"\"${x#'}'}@\"", "d"},
           {"${x:-'}'}@", "b"},
           {"${x:-$(a @)}@", "bb"},
           {"${#}@ ${#x}@ ${x#@} ${!x}@ ${x[@]}", "bbpb["},
           {"${x/\\}/@}", "p"},
           {"$((1 + @)) @", "Ab"},
           {"$((1 + (2 * @))) \"$((@))\" \"$((\"@\"))\"", "AAA"},
           {"((x = @)); @", "Ab"},
           {"for ((i=0; i<@; i++)); do a @; done", "Ab"},
           {"$(( $(a @) + 1 ))@", "bb"},
           {"$[1 + @]@", "Ab"},
           {"a[@]=1 b", "["},
           {"a[1]=@ b[2]+=@", "bb"},
           {"declare a[@]=1", "["},
           {"x=([@]=1 [2]=@)", "[b"},
           {"echo a[@] [@]", "bb"},
           {"echo $x[@] \"$x[@]\" \"${x}[@]\" \"$x[\"@", "[[db"},
           {"let x=@ \"y=@\"", "AA"},
           {"declare -i x=@; @", "Ab"},
           {"local -ri x; export x=@", "b"}});
}

TEST_CASE("conditions") {
    check({{"[[ @ == @ ]] && a @", "bbb"},
           {"[[ @ -eq 3 ]]; @", "ib"},
           {"[[ 3 -lt \"@\" && @ == a ]]", "ib"},
           {"[[ $(a @) -eq 3 ]]", "b"},
           {"[[ x =~ ^(a|@)$ ]] @", "bb"},
           {"[[ -v @ || -f @ ]]", "nb"},
           {"[ @ -eq 3 ] @", "bb"},
           {"if [[ a ]]; then case @ in @) b @;; esac; fi", "bbb"},
           {"\"$([[ a < b ]] && c @)@\"", "bd"}});
}

TEST_CASE("case patterns do not close a substitution") {
    check({{"\"$(case x in a) b '@';; esac)@\"", "sd"},
           {"$(case @ in (a|@) b @;; *) '@' ;; esac)@", "bbbsb"},
           {"$(case x in a) b ;; esac; c @)@ ')'", "bb"},
           {"$(case x in\na)\n case y in b) @;; esac ;;\nc) d ;& e) f;;& g) @\nesac\n)@", "bbb"},
           {"$(echo case x in a)@ '@'", "bs"},
           {"$(A=1 case; b)@ '@'", "bs"},
           {"$(if a; then case x in esac; fi)@'@'", "bs"},
           {"$(for x do case x in a) b;; esac done)@'@'", "bs"},
           {"$(f() { case x in a) b;; esac }; f)@'@'", "bs"},
           {"$(case x in @(a|b)) c;; esac)@'@'", "bbs"},
           {"$(case x in a) (b);; esac)@'@'", "bs"}});
}

TEST_CASE("here-documents") {
    check({{"a <<E @\nb @ 'x\nE\nc @", "bhb"},
           {"a <<'E' @\nb @\nE\nc @", "bHb"},
           {"a <<\\E\n@\nE\n@", "Hb"},
           {"a <<\"E F\"\n@\nE F\n@", "Hb"},
           {"a <<-E\n\t@\n\tE\n@", "hb"},
           {"a <<-E\n @\n E\n@", "hh"},
           {"a <<A <<B @\n@\nA\n@\nB\n@", "bhhb"},
           {"a << @\n", "l"},
           {"a <<< @ \"@\" '@'", "bds"},
           {"$(a <<E\nit's @\nE\n)@", "hb"},
           {"\"$(a <<E\nit's \" @\nE\n)@\"", "hd"},
           {"a <<E && (b\nit's @\nE\n@)", "hb"},
           {"a <<E\nx\\\nE\n@\nE\n@", "hb"},
           {"a $((1<<2)) @\nb", "b"},
           {"$(a <<E)@\nb\nE\n", "!"},
           {"a <<E\n@", "h"},
           {"f <<E; b \"\n@\"\nE\n@", "db"}});
}

TEST_CASE("words of commands") {
    check({{"x=@ y=\"@\" a @", "bdb"},
           {"@=1", "n"},
           {"a@b=1 c", "n"},
           {"@ =1", "b"},
           {"@ --x=@", "bb"},
           {"./@/x=@", "bb"},
           {"env @=1 b", "b"},
           {"export @=1 x=@ @", "nbb"},
           {"for @ in a; do b; done", "n"},
           {"for i in @ \"@\"; do a; done", "bd"},
           {"function @ { a; }", "n"},
           {"f@() { a; }", "n"},
           {"a > @ 2>@ <@ &>@ >&@ >>\"@\" | b @", "bbbbbdb"},
           {"x=(@ \"@\" # @\n'@')", "bdcs"},
           {"if @; then @; fi; while @; do @; done", "bbbb"},
           {"a & @; ! @ || { @; }", "bbb"}});
}

TEST_CASE("what has no end is told") {
    for (const std::string script : {"a 'b @", "a \"b @", "a $(b @", "a ${b @", "a $((b @", "a `b @",
                                     "a $'b @", "(a @", "[[ a @", "x=(@", "a <<'E @", "\"$(a \")@"}) {
        CAPTURE(script);
        CHECK(contexts(script).back() == '!');
    }
}

TEST_CASE("random scripts neither crash nor hang, and account for every slot before a problem") {
    std::mt19937_64 random(7);
    const std::string_view pieces[] = {
        "$(",  "$((", "((", "(",   ")",   "))",    "'",    "\"",   "`",    "\\",  "${",    "}",
        "$'",  "$[",  "]",  "[[ ", " ]]", "case ", " in ", "esac", ";;",   "<<E", "\nE\n", "\n",
        " # ", "@",   "@",  " @ ", "a",   " ",     "x=",   "=(",   "for ", "do ", "-eq",   "let ",
        "<(",  "<<-", "|",  "&&",  ";",   "\xff",  "$x[",  "1",    "{",    "<<'"};
    for (int i = 0; i < 100'000; ++i) {
        std::string script;
        for (std::size_t n = random() % 30; n > 0; --n) {
            script += pieces[random() % std::size(pieces)];
        }
        for (char& c : script) {
            c = c == '@' ? k_shell_slot : c;
        }
        const ShellScan scan = scan_shell(script);
        std::size_t found = 0;
        std::size_t next = 0;
        for (const ShellSlot& slot : scan.slots) {
            REQUIRE(slot.offset < script.size());
            REQUIRE(script[slot.offset] == k_shell_slot);
            REQUIRE(slot.begin <= slot.offset);
            REQUIRE((found == 0 || slot.offset >= next));
            next = slot.offset + 1;
            ++found;
        }
        if (!scan.problem) {
            REQUIRE(found ==
                    static_cast<std::size_t>(std::count(script.begin(), script.end(), k_shell_slot)));
        }
    }
}

TEST_CASE("a mebibyte of anything takes no time") {
    const double begin = cpu_seconds();
    for (const std::string piece : {"(",         "$(",    "$((",  "((",   "${",     "\"",
                                    "'",         "`",     "\"$(", "[[ ",  "x=(",    "case x in a) ",
                                    "<<E\n",     "@",     "a[@",  "$x[@", "$((a) ", "\\",
                                    "[[ @ -eq ", "${x:-", "$[",   "x@(",  "#@\n",   "<<E ",
                                    "@=",        "{ "}) {
        std::string script;
        while (script.size() < (1U << 20)) {
            script += piece;
        }
        contexts(script);
    }
    CHECK(cpu_seconds() - begin < 20.0);
}

}  // namespace
}  // namespace amp
