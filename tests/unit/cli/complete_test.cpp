#include "cli/complete.hpp"

#include <doctest/doctest.h>

#include "cli/command_list.hpp"
#include "cli/complete_typed.hpp"
#include "cli/parser.hpp"

namespace amp {
namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("each value that a command takes is of a kind that completion knows") {
    for (const CommandInfo& command : command_list()) {
        const std::vector<OptionInfo> options = command_options(command.name);
        CHECK(!options.empty());
        for (const OptionInfo& option : options) {
            CAPTURE(command.name);
            CAPTURE(option.metavar);
            CHECK((!option.takes_value || value_kind(option.metavar).has_value()));
            CHECK(!option.help.empty());
        }
    }
    CHECK(value_kind("auto|always|never") == ValueKind::choice);
    CHECK(value_kind("RUN") == ValueKind::run);
    CHECK(!value_kind("SOMETHING"));
}

TEST_CASE("a typed line is split as shells do, and nothing is expanded") {
    CHECK(split_typed("amp sh") == Words{"amp", "sh"});
    CHECK(split_typed("amp ") == Words{"amp", ""});
    CHECK(split_typed("amp  'a b'\"c\" d\\ e") == Words{"amp", "a bc", "d e"});
    CHECK(split_typed("amp 'a b") == Words{"amp", "a b"});
    CHECK(split_typed("amp \"\\\"x\" $(y) \\") == Words{"amp", "\"x", "$(y)", "\\"});
    CHECK(split_typed("") == Words{""});
}

TEST_CASE("what was typed is told apart, and a value that is to come is known") {
    const std::vector<OptionInfo> options = command_options("run");
    Typed typed =
        read_typed(options, true, {"flow.toml", "--tag", "a", "--tag=b", "--lr", "0.1", "-q", "--fast"});
    CHECK(typed.positionals == Words{"flow.toml"});
    CHECK(typed.options.size() == 5);
    CHECK(typed.value_of("--lr") == "0.1");
    CHECK(typed.waiting == "--fast");
    CHECK(typed.has(*find_option(options, "--quiet")));
    CHECK(!typed.has(*find_option(options, "--json")));
    typed = read_typed(options, true, {"--fast", "--tag"});
    CHECK(typed.waiting == "--tag");
    typed = read_typed(options, true, {"--", "--tag"});
    CHECK(typed.ended);
    CHECK(typed.positionals == Words{"--tag"});
    CHECK(read_typed(options, true, {"-p"}).waiting == "-p");
    CHECK(read_typed(options, true, {"-plr=1"}).waiting.empty());
    CHECK(read_typed(command_options("show"), false, {"--lr"}).waiting.empty());
    CHECK(read_typed(options, true, {"-qp"}).waiting == "-p");
    typed = read_typed(options, true, {"-qp", "lr=1", "flow.toml", "-qplr=2"});
    CHECK(typed.has(*find_option(options, "--quiet")));
    CHECK(typed.value_of("-p") == "lr=1");
    CHECK(typed.positionals == Words{"flow.toml"});
    CHECK(typed.waiting.empty());
    CHECK(value_in_cluster(options, "-qplr=1") == 3);
    CHECK(value_in_cluster(options, "-plr=1") == 2);
    CHECK(value_in_cluster(options, "-p") == std::string::npos);
    CHECK(value_in_cluster(options, "-qq") == std::string::npos);
}

TEST_CASE("whatever is typed behind `amp complete` is no mistake") {
    for (const Words& words :
         {Words{"complete"}, Words{"complete", "--nonsense"}, Words{"complete", "--line"},
          Words{"complete", "--", "--", "-x"}, Words{"complete", "--line", "amp 'x"}}) {
        CHECK(std::holds_alternative<CompleteCommand>(parse_command_line(words).command));
    }
}

}  // namespace amp
