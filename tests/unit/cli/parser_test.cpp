#include "cli/parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "cli/command_list.hpp"

namespace amp {
namespace {

template <class Expected>
Expected parse(const std::vector<std::string>& arguments) {
    const CommandLine line = parse_command_line(arguments);
    REQUIRE(std::holds_alternative<Expected>(line.command));
    return std::get<Expected>(line.command);
}

Error usage_error_of(const std::vector<std::string>& arguments) {
    try {
        parse_command_line(arguments);
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::usage);
        return error;
    }
    FAIL("parsed what should be refused");
    return {ExitCode::ok, ""};
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("common options stand before and behind the command") {
    for (const Words& words :
         {Words{"--json", "--color", "never", "-q", "--set", "a.b=c", "runs", "--on", "hpc"},
          Words{"runs", "--set=a.b=c", "--profile", "hpc", "--json", "-q", "--color=never"}}) {
        const CommonOptions common = parse_command_line(words).common;
        CHECK(common.json);
        CHECK(common.quiet);
        CHECK(common.color == ColorMode::never);
        CHECK(common.overrides == Words{"a.b=c"});
        CHECK(common.profile == "hpc");
    }
}

TEST_CASE("run: options, parameters and parameters as options") {
    const RunCommand run = parse<RunCommand>({"run",
                                              "--lr",
                                              "0.1",
                                              "flow.toml",
                                              "-p",
                                              "model=a=b",
                                              "--batch-size=-4",
                                              "--tag",
                                              "x",
                                              "--tag",
                                              "y",
                                              "--max-workers",
                                              "3",
                                              "--keep-going",
                                              "--params",
                                              "p.toml",
                                              "--config",
                                              "data=d.toml",
                                              "--fast",
                                              "--events=ndjson"});
    CHECK(run.start.flow == "flow.toml");
    CHECK(run.start.params.given ==
          NameValues{{"lr", "0.1"}, {"batch_size", "-4"}, {"fast", "true"}, {"model", "a=b"}});
    CHECK(run.start.params.bare == Words{"fast"});
    CHECK(run.start.params.file == "p.toml");
    CHECK(run.start.params.config == NameValues{{"data", "d.toml"}});
    CHECK(run.start.tags == Words{"x", "y"});
    CHECK(run.start.max_workers == 3);
    CHECK(run.start.keep_going == true);
    CHECK(run.follow.events);
    CHECK(!run.follow.detach);
}

TEST_CASE("what names something is never empty") {
    for (const Words& words : {Words{"run", ""}, Words{"validate", "a", ""}, Words{"show", ""},
                               Words{"logs", ""}, Words{"get", "", "x"}, Words{"run", "--like="},
                               Words{"runs", "--tag", ""}, Words{"gc", "--older-than", ""}}) {
        CAPTURE(words.front());
        CHECK(usage_error_of(words).message().find("it is empty") != std::string::npos);
    }
    CHECK(usage_error_of({"run", ""}).message() == "'' is no FLOW: it is empty");
    CHECK(usage_error_of({"run", "--like", ""}).message() == "option '--like': '' names no run: it is empty");
}

TEST_CASE("an option of the command is never the value of another") {
    const Error error = usage_error_of({"run", "--tag", "--detach"});
    CHECK(error.message() == "option '--tag' needs a value, and '--detach' is an option");
    CHECK(error.hint() == "--tag=--detach gives it as the value");
    CHECK(parse<RunCommand>({"run", "--tag=--detach"}).start.tags == Words{"--detach"});
    CHECK(parse<RunCommand>({"run", "--fast", "-q"}).start.params.bare == Words{"fast"});
    CHECK(usage_error_of({"runs", "--limit=3", "--limit", "1"}).message() ==
          "option '--limit' is given twice");
    CHECK(usage_error_of({"runs", "--limit", "0"}).message() == "option '--limit' takes at least 1, not 0");
}

TEST_CASE("run without anything") {
    const RunCommand run = parse<RunCommand>({"run"});
    CHECK(run.start.flow.empty());
    CHECK(run.start.params.empty());
    CHECK(!run.start.max_workers);
    CHECK(!run.start.keep_going);
    CHECK(!run.follow.events);
    CHECK(run.start.until.empty());
    CHECK(!run.start.concurrency);
}

TEST_CASE("parts of a flow, and leaving") {
    const RunCommand run = parse<RunCommand>(
        {"run", "--only", "a", "--origin", "latest", "--only=b", "--detach", "--concurrency", "skip"});
    CHECK(run.start.only == Words{"a", "b"});
    CHECK(run.start.origin == "latest");
    CHECK(run.start.concurrency == "skip");
    CHECK(run.follow.detach);
    const ResumeCommand resume = parse<ResumeCommand>({"resume", "--from", "a", "--until", "b", "x"});
    CHECK(resume.resume.from == Words{"a"});
    CHECK(resume.resume.until == Words{"b"});
    CHECK(resume.resume.run == "x");
    CHECK(parse<AttachCommand>({"attach"}).run == "latest");
    CHECK_THROWS_AS(parse<RunCommand>({"run", "--detach", "--events=ndjson"}), Error);
    CHECK_THROWS_AS(parse<RunCommand>({"run", "--concurrency", "wait"}), Error);
}

TEST_CASE("negative values of parameters and odd words are taken as they are") {
    CHECK(parse<RunCommand>({"run", "--lr", "-0.1"}).start.params.given == NameValues{{"lr", "-0.1"}});
    CHECK(parse<RunCommand>({"run", "-pa=[1,2]", "-p", "b={}", "-pc="}).start.params.given ==
          NameValues{{"a", "[1,2]"}, {"b", "{}"}, {"c", ""}});
    CHECK(parse<PutCommand>({"put", "loss", "-0.5"}).value == "-0.5");
    CHECK(parse<PutCommand>({"put", "x", "-"}).value == "-");
    CHECK(parse<PutCommand>({"put", "x", "++"}).value == "++");
    CHECK(parse<PutCommand>({"put", "x", "[a,b]"}).value == "[a,b]");
    CHECK(parse<PutCommand>({"put", "x", ""}).value.empty());
    CHECK(parse<PutCommand>({"put", "--", "x", "--json"}).value == "--json");
    CHECK(parse<ValidateCommand>({"validate", "a b.toml", "[x,y].toml", "{}"}).flows ==
          Words{"a b.toml", "[x,y].toml", "{}"});
}

TEST_CASE("a parameter that looks like a misspelt option is remembered as such") {
    const RunCommand run = parse<RunCommand>({"run", "--max-worker", "3", "--lr", "1"});
    CHECK(run.slips == NameValues{{"--max-worker", "--max-workers"}});
    CHECK(run.start.params.given == NameValues{{"max_worker", "3"}, {"lr", "1"}});
}

TEST_CASE("resume") {
    const ResumeCommand resume = parse<ResumeCommand>({"resume", "--take-over", "--retry-caught", "--lr=2"});
    CHECK(resume.resume.run == "latest");
    CHECK(resume.resume.take_over);
    CHECK(resume.resume.retry_caught);
    CHECK(resume.resume.params.given == NameValues{{"lr", "2"}});
    CHECK(parse<ResumeCommand>({"resume", "261120"}).resume.run == "261120");
}

TEST_CASE("logs, artifacts and get take RUN/STEP/INDEX") {
    const LogsCommand logs = parse<LogsCommand>({"logs", "latest/train/3.0@2", "-f", "--attempt", "2"});
    CHECK(logs.target == TaskTarget{"latest", "train", TaskIndex{{3, 0}, 2}});
    CHECK(logs.follow);
    CHECK(logs.attempt == 2);
    CHECK(parse<LogsCommand>({"logs"}).target == TaskTarget{});
    CHECK(parse<LogsCommand>({"logs", "r1", "--step", "train"}).target == TaskTarget{"r1", "train", {}});
    CHECK(parse<ArtifactsCommand>({"artifacts", "r1/a"}).target == TaskTarget{"r1", "a", {}});

    const GetCommand inside = parse<GetCommand>({"get", "train/model"});
    CHECK(!inside.target);
    CHECK(inside.name == "train/model");
    const GetCommand outside = parse<GetCommand>({"get", "-o", "out", "r1/a/_", "model"});
    CHECK(outside.target == TaskTarget{"r1", "a", TaskIndex{}});
    CHECK(outside.name == "model");
    CHECK(outside.output == "out");
}

TEST_CASE("runs, show, config, explain, validate, cancel") {
    const RunsCommand runs = parse<RunsCommand>({"runs", "--flow", "F", "--tag", "t", "--state", "failed",
                                                 "--since", "2d", "--until", "2026-01-01", "--where",
                                                 "params.lr > 0.1", "--sort", "-params.lr", "--limit", "5"});
    CHECK(runs.flow == "F");
    CHECK(runs.tag == "t");
    CHECK(runs.state == "failed");
    CHECK(runs.since == "2d");
    CHECK(runs.until == "2026-01-01");
    CHECK(runs.where == "params.lr > 0.1");
    CHECK(runs.sort == "-params.lr");
    CHECK(runs.limit == 5);
    CHECK(parse<ShowCommand>({"show", "flow.toml", "--dot"}).dot);
    CHECK(parse<ConfigCommand>({"config", "profile.hpc", "--show-origin"}).show_origin);
    CHECK(parse<ExplainCommand>({"explain", "AMP1203"}).code == "AMP1203");
    CHECK(parse<ValidateCommand>({"validate", "--format", "json"}).format == "json");
    CHECK(parse<CancelCommand>({"cancel"}).run == "latest");
}

TEST_CASE("tag") {
    const TagCommand tag = parse<TagCommand>({"tag", "add", "r1", "a", "b"});
    CHECK(tag.action == TagCommand::Action::add);
    CHECK(tag.run == "r1");
    CHECK(tag.tags == Words{"a", "b"});
    CHECK(parse<TagCommand>({"tag", "list"}).run == "latest");
    CHECK(usage_error_of({"tag", "add", "r1"}).message().find("at least one tag") != std::string::npos);
    CHECK(usage_error_of({"tag", "ad", "r1", "x"}).message() ==
          "expected one of add, remove, list, not 'ad'");
}

TEST_CASE("help and version anywhere") {
    CHECK(parse<HelpCommand>({}).topic.empty());
    CHECK(parse<HelpCommand>({"-h"}).topic.empty());
    CHECK(parse<HelpCommand>({"run", "flow.toml", "--lr", "1", "-h"}).topic == "run");
    CHECK(parse<HelpCommand>({"-h", "run"}).topic == "run");
    CHECK(parse<HelpCommand>({"help", "exit-codes"}).topic == "exit-codes");
    parse<VersionCommand>({"--version"});
    parse<VersionCommand>({"version"});
    CHECK(parse_command_line({"--version", "--json"}).common.json);
    CHECK(parse<PutCommand>({"put", "x", "--", "-h"}).value == "-h");
}

TEST_CASE("every command has help that lists its options and its examples") {
    for (const CommandInfo& command : command_list()) {
        const std::string help = command_help(command.name);
        CHECK(help.starts_with("Usage: amp " + std::string(command.name)));
        CHECK(help.find(command.examples) != std::string::npos);
        CHECK(help.find("--json") != std::string::npos);
        CHECK(std::count(command.examples.begin(), command.examples.end(), '\n') == 2);
    }
    CHECK(command_help("run").find("-p, --param NAME=VALUE") != std::string::npos);
    CHECK(command_help("nothing").empty());
}

TEST_CASE("what cannot be understood is a usage error with a hint") {
    struct Row {
        Words words;
        std::string message;
        std::string hint;
    };
    const std::vector<Row> rows = {
        {{"rnu"}, "unknown command 'rnu'", "did you mean 'amp run'?"},
        {{"frobnicate"}, "unknown command 'frobnicate'", "'amp help' lists the commands"},
        {{"run", "--from", "train"}, "'--from' is no option of amp run", "amp resume takes it"},
        {{"resume", "--only=train"}, "'--only' is no option of amp resume", "amp run takes it"},
        {{"run", "--isolated"},
         "'--isolated' is not in this version of amp yet",
         "a parameter called so is given by -p isolated=VALUE"},
        {{"run", "--retry-caught"}, "'--retry-caught' is no option of amp run", "amp resume takes it"},
        {{"runs", "--limt", "3"}, "unknown option '--limt'", "did you mean '--limit'?"},
        {{"run", "--keep-goin"}, "unknown option '--keep-goin'", "did you mean '--keep-going'?"},
        {{"runs", "--xyzzy"}, "unknown option '--xyzzy'", "'amp runs -h' lists the options"},
        {{"runs", "-z"}, "unknown option '-z'", "'amp runs -h' lists the options"},
        {{"--verison"}, "unknown option '--verison'", "did you mean '--version'?"},
        {{"runs", "--limit"}, "option '--limit' needs a value", ""},
        {{"runs", "--limit", "many"}, "option '--limit' takes a whole number, not 'many'", ""},
        {{"runs", "--limit", "-1"}, "option '--limit' takes a whole number, not '-1'", ""},
        {{"runs", "--json=yes"}, "option '--json' takes no value", ""},
        {{"runs", "--color", "red"}, "option '--color' takes auto, always, never, not 'red'", ""},
        {{"runs", "extra"}, "unexpected argument 'extra'", "'amp runs -h' shows how it is used"},
        {{"run", "a.toml", "b.toml"}, "unexpected argument 'b.toml'", "'amp run -h' shows how it is used"},
        {{"run", "-p", "lr"}, "'lr' is no NAME=VALUE", ""},
        {{"run", "-p", "=1"}, "'=1' is no NAME=VALUE", ""},
        {{"logs", "a/b/c/d"},
         "'a/b/c/d' is no RUN[/STEP[/INDEX]]",
         "for instance latest/train/3, Flow/latest/train or @tag/train"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.message);
        const Error error = usage_error_of(row.words);
        CHECK(error.message() == row.message);
        CHECK(error.hint() == row.hint);
    }
    usage_error_of({"put", "x"});
    usage_error_of({"get"});
    usage_error_of({"get", "a", "b", "c"});
    usage_error_of({"tag"});
    usage_error_of({"logs", "r/s/banana"});
}

TEST_CASE("amp shell takes a step or a task, of the latest run or of one that is named") {
    const auto target = [](const std::vector<std::string>& words) {
        std::vector<std::string> all = {"shell"};
        all.insert(all.end(), words.begin(), words.end());
        return parse<TaskShellCommand>(all).target;
    };
    const TaskIndex three{{3}, 0};
    CHECK(target({"train"}) == ShellTarget{{"latest", "train", {}}, true});
    CHECK(target({"train/3"}) == ShellTarget{{"latest", "train", three}, true});
    CHECK(target({"train/_"}) == ShellTarget{{"latest", "train", TaskIndex{}}, true});
    CHECK(target({"latest/train"}) == ShellTarget{{"latest", "train", {}}, false});
    CHECK(target({"@good/train/3"}) == ShellTarget{{"@good", "train", three}, false});
    CHECK(target({"Flow/latest", "train/3"}) == ShellTarget{{"Flow/latest", "train", three}, false});
    CHECK(target({"k3fx", "train"}) == ShellTarget{{"k3fx", "train", {}}, false});
    for (const std::vector<std::string>& wrong :
         {std::vector<std::string>{}, {"@good"}, {"latest", "a/b"}, {"a/b", "c"}, {"a", "b", "c"}, {"a/"}}) {
        CHECK_THROWS_AS(target(wrong), Error);
    }
}

}  // namespace amp
