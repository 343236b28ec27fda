#include "core/flow/params.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>

#include "core/flow/load.hpp"
#include "core/flow/params_pattern.hpp"

using namespace amp;

namespace {

Flow flow_with(const std::string& params) {
    Diagnostics diagnostics;
    Flow flow = load_flow("[flow]\nname='F'\n[params]\n" + params + "\n[step.a]\nrun='x'\n", "flow.toml",
                          diagnostics);
    REQUIRE_FALSE(diagnostics.has_errors());
    return flow;
}

struct Outcome {
    ResolvedParameters resolved;
    std::vector<Diagnostic> found;
    std::string codes() const {
        std::string out;
        for (const Diagnostic& d : found) {
            out += (out.empty() ? "" : " ") + d.code;
        }
        return out;
    }
};

Outcome resolve(const std::string& params, const ParameterInputs& inputs) {
    Diagnostics diagnostics;
    Outcome outcome{resolve_parameters(flow_with(params), inputs, diagnostics), {}};
    outcome.found = diagnostics.sorted();
    return outcome;
}

using Variables = std::map<std::string, std::string>;
ParameterInputs with_environment(Variables variables) {
    ParameterInputs inputs;
    inputs.environment = [variables = std::move(variables)](const std::string& name) {
        const auto it = variables.find(name);
        return it == variables.end() ? std::nullopt : std::optional(it->second);
    };
    return inputs;
}

Value given(const std::string& param, const std::string& text) {
    ParameterInputs inputs;
    inputs.given = {{"x", text}};
    const Outcome outcome = resolve(param, inputs);
    return outcome.found.empty() ? outcome.resolved.values.at("x") : Value("!" + outcome.found.front().code);
}

}  // namespace

TEST_CASE("texts become values of the parameter's type") {
    CHECK(given("x = 1", "42") == Value(42));
    CHECK(given("x = 1", " -7 ") == Value(-7));
    CHECK(given("x = 1", "4.5") == Value("!AMP1511"));
    CHECK(given("x = 1", "99999999999999999999") == Value("!AMP1511"));
    CHECK(given("x = 1.5", "3e-4") == Value(3e-4));
    CHECK(given("x = 1.5", "2") == Value(2.0));
    CHECK(given("x = true", "no") == Value(false));
    CHECK(given("x = true", "maybe") == Value("!AMP1511"));
    CHECK(given("x = 'a'", "007") == Value("007"));
    CHECK(given("x = 'a'", "") == Value(""));
    CHECK(given("x = [1]", "[1, \"b\", [2]]") == Value(List{1, "b", List{2}}));
    CHECK(given("x = [1]", "['b', 2]") == Value(List{"b", 2}));
    CHECK(given("x = [1]", "a,b") == Value("!AMP1511"));
    CHECK(given("x = [1]", "{\"a\": 1}") == Value("!AMP1511"));
    CHECK(given("x = { type = 'object' }", "{\"a\": {\"b\": 1}}") == Value(Object{{"a", Object{{"b", 1}}}}));
    CHECK(given("x = { type = 'object' }", "{ a = 1 }") == Value(Object{{"a", 1}}));
    CHECK(given("x = { type = 'object' }", "{ a = 1 }\ny = 2") == Value("!AMP1511"));
    CHECK(given("x = 'a'", "\xff") == Value("!AMP1511"));
}

TEST_CASE("what JSON cannot hold is no value, since a record would give it back as a text") {
    for (const char* text : {"nan", "inf", "-inf", "+inf", "NAN", "infinity", "1e999"}) {
        CAPTURE(text);
        CHECK(given("x = 1.5", text) == Value("!AMP1511"));
    }
    CHECK(given("x = [1]", "[nan]") == Value("!AMP1511"));
    CHECK(given("x = { type = 'object' }", "{ a = [inf] }") == Value("!AMP1511"));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(convert_parameter(Parameter::Type::floating, nan));
    CHECK_FALSE(convert_parameter(Parameter::Type::list, List{1, List{nan}}));
    CHECK_FALSE(convert_parameter(Parameter::Type::string, Value(std::string("a\0", 2))));
    const auto codes = [](const std::string& params) {
        Diagnostics diagnostics;
        load_flow("[flow]\nname = 'F'\n[params]\n" + params + "\n[step.a]\nrun = 'x'\n", "flow.toml",
                  diagnostics);
        std::string out;
        for (const Diagnostic& d : diagnostics.sorted()) {
            out += d.code + " ";
        }
        return out;
    };
    CHECK(codes("x = nan") == "AMP1502 ");
    CHECK(codes("x = [1.0, -inf]") == "AMP1502 ");
    CHECK(codes("x = { type = 'float', default = inf }") == "AMP1502 ");
    CHECK(codes("x = { default = 1.0, choices = [1.0, nan] }") == "AMP1502 ");
    CHECK(codes("x = { default = 1.0, min = nan }") == "AMP1504 ");
    CHECK(codes("x = { default = 1.0, max = inf }").empty());
    CHECK(codes("x = \"a\\u0000\"") == "AMP1213 ");
    CHECK(codes("x = { default = [\"a\\u0000\"] }") == "AMP1213 ");
}

TEST_CASE("constraints hold for what is given") {
    const std::string number = "x = { type = 'float', default = 1, min = 0, max = 2 }";
    CHECK(given(number, "2") == Value(2.0));
    CHECK(given(number, "2.1") == Value("!AMP1512"));
    CHECK(given(number, "-1") == Value("!AMP1512"));
    CHECK(given(number, "nan") == Value("!AMP1511"));
    CHECK(given("x = { choices = ['a', 'b'] }", "b") == Value("b"));
    CHECK(given("x = { choices = ['a', 'b'] }", "c") == Value("!AMP1512"));
    CHECK(given("x = { pattern = '^[a-z]+$' }", "abc") == Value("abc"));
    CHECK(given("x = { pattern = '^[a-z]+$' }", "abc1") == Value("!AMP1512"));
}

TEST_CASE("the strongest source wins") {
    const std::string params = "lr = { type = 'float', default = 1.0, env = 'MY_LR' }";
    ParameterInputs inputs = with_environment({{"AMP_PARAM_LR", "4"}, {"MY_LR", "5"}});
    inputs.file = "p.toml";
    inputs.file_text = "lr = 3.0\n";
    inputs.given = {{"lr", "9"}, {"lr", "2"}};
    CHECK(resolve(params, inputs).resolved.values.at("lr") == Value(2.0));
    inputs.given.clear();
    CHECK(resolve(params, inputs).resolved.values.at("lr") == Value(3.0));
    inputs.file.clear();
    CHECK(resolve(params, inputs).resolved.values.at("lr") == Value(4.0));
    inputs.recorded = Object{{"lr", 3.5}};
    CHECK(resolve(params, inputs).resolved.values.at("lr") == Value(3.5));
    inputs.recorded = {};
    inputs.inside_task = true;
    CHECK(resolve(params, inputs).resolved.values.at("lr") == Value(5.0));
    CHECK(resolve(params, {}).resolved.values.at("lr") == Value(1.0));
}

TEST_CASE("files of parameters") {
    ParameterInputs inputs;
    inputs.file = "p.json";
    inputs.file_text = R"({"x": 3})";
    CHECK(resolve("x = 1", inputs).resolved.values.at("x") == Value(3));
    inputs.file_text = R"({"x": "3"})";
    CHECK(resolve("x = 1", inputs).codes() == "AMP1511");
    inputs.file_text = R"({"z": 3})";
    CHECK(resolve("x = 1", inputs).codes() == "AMP1514");
    CHECK(resolve("x = 1", inputs).found.at(0).file == "p.json");
    inputs.file_text = R"([1])";
    CHECK(resolve("x = 1", inputs).codes() == "AMP1515");
    inputs.file_text = R"({"x": )";
    CHECK(resolve("x = 1", inputs).codes() == "AMP1515");
    inputs.file = "p.yaml";
    inputs.file_text = "x: 3\n";
    CHECK(resolve("x = 1", inputs).resolved.values.at("x") == Value(3));
    inputs.file_text = "x: 3\nx: 4\n";
    CHECK(resolve("x = 1", inputs).codes() == "AMP1515");
    CHECK(resolve("x = 1", inputs).found.at(0).file == "p.yaml");
    CHECK(resolve("x = 1", inputs).found.at(0).place.line == 2);
    inputs.file = "p.txt";
    CHECK(resolve("x = 1", inputs).codes() == "AMP1515");
    inputs.file = "p.toml";
    inputs.file_text = "x = \n";
    CHECK(resolve("x = 1", inputs).codes() == "AMP1001");
}

TEST_CASE("an option alone gives a bool, and no other type") {
    ParameterInputs inputs;
    inputs.given = {{"x", "true"}};
    inputs.bare = {"x"};
    CHECK(resolve("x = false", inputs).resolved.values.at("x") == Value(true));
    for (const std::string given : {"1", "'text'", "0.5", "[]"}) {
        const Outcome outcome = resolve("x = " + given, inputs);
        CHECK(outcome.codes() == "AMP1511");
        CHECK(outcome.found.at(0).message.starts_with("--x was given without a value"));
        CHECK(outcome.found.at(0).hint == "write --x=VALUE");
    }
    inputs.given.emplace_back("x", "said");  // by -p, which is stronger
    CHECK(resolve("x = 'text'", inputs).resolved.values.at("x") == Value("said"));
}

TEST_CASE("all mistakes are told in one go") {
    ParameterInputs inputs;
    inputs.given = {{"a", "x"}, {"lrr", "1"}, {"b", "7"}};
    const Outcome outcome = resolve(
        "a = 1\nb = { default = 1, max = 5 }\nlr = 0.1\nneeded = { type = 'string', required = true }",
        inputs);
    CHECK(outcome.codes() == "AMP1514 AMP1511 AMP1512 AMP1513");
    CHECK(outcome.found[0].hint == "did you mean 'lr'?");
}

TEST_CASE("an option's dashes are the name's underscores") {
    ParameterInputs inputs;
    inputs.given = {{"learning-rate", "2"}};
    CHECK(resolve("learning_rate = 1", inputs).resolved.values.at("learning_rate") == Value(2));
}

TEST_CASE("a parameter without default that nobody gives is null, unless it is required") {
    CHECK(resolve("x = { type = 'string' }", {}).resolved.values.at("x").is_null());
    CHECK(resolve("x = { type = 'string', required = true }", {}).codes() == "AMP1513");
}

TEST_CASE("secrets come from the environment or a file, and stand in no record or message") {
    const std::string params = "token = { type = 'secret', env = 'TOKEN', pattern = '^t' }";
    const Outcome outcome = resolve(params, with_environment({{"TOKEN", "t0p-secret"}}));
    CHECK(outcome.resolved.values.at("token") == Value("t0p-secret"));
    CHECK(outcome.resolved.secrets == std::vector<std::string>{"token"});
    CHECK(outcome.resolved.recordable().at("token").is_null());
    CHECK(resolve(params, {}).codes() == "AMP1513");
    const Outcome wrong = resolve(params, with_environment({{"TOKEN", "wrong-secret"}}));
    CHECK(wrong.codes() == "AMP1512");
    CHECK(wrong.found.at(0).message.find("wrong-secret") == std::string::npos);
    ParameterInputs typed;
    typed.given = {{"token", "t0p-secret"}};
    CHECK(resolve(params, typed).codes() == "AMP1517");
    CHECK(resolve(params, typed).found.at(0).message.find("t0p-secret") == std::string::npos);
    typed.read_secret = [](const std::string& path) { return "t-of " + path; };
    CHECK(resolve(params, typed).codes() == "AMP1517");
    typed.given = {{"token", "@dir/file"}};
    CHECK(resolve(params, typed).resolved.values.at("token") == Value("t-of dir/file"));
    typed.given = {{"token", "-"}};
    CHECK(resolve(params, typed).resolved.values.at("token") == Value("t-of -"));
    typed.given = {{"token", "@"}};
    CHECK(resolve(params, typed).codes() == "AMP1517");
}

TEST_CASE("a file must exist, and is stored by its content") {
    ParameterInputs inputs;
    inputs.given = {{"data", "there.csv"}};
    inputs.file_exists = [](const std::string& path) { return path == "there.csv"; };
    const Outcome outcome = resolve("data = { type = 'file' }", inputs);
    CHECK(outcome.codes().empty());
    CHECK(outcome.resolved.files == std::vector<std::pair<std::string, std::string>>{{"data", "there.csv"}});
    inputs.given = {{"data", "gone.csv"}};
    CHECK(resolve("data = { type = 'file' }", inputs).codes() == "AMP1516");
    // A resumed run's file is an artifact already.
    inputs.given.clear();
    inputs.recorded = Object{{"data", FileRef{"params/data", "00", 1, false}}};
    CHECK(resolve("data = { type = 'file', required = true }", inputs).codes().empty());
}

TEST_CASE("files of configuration") {
    Diagnostics ignored;
    const Flow flow = load_flow(
        "[flow]\nname='F'\n[config]\na='a.toml'\nb={file='b.json',required=false,env='B_FILE'}\n[step.x]"
        "\nrun='x'\n",
        "flow.toml", ignored);
    std::map<std::string, std::string> files = {
        {"a.toml", "k = [1]\n"}, {"other.json", R"({"k": 2})"}, {"bad.toml", "k = \n"}};
    ConfigInputs inputs;
    inputs.read = [&](const std::string& path) {
        return files.contains(path) ? std::optional(files.at(path)) : std::nullopt;
    };
    const auto codes = [&] {
        Diagnostics diagnostics;
        load_config(flow, inputs, diagnostics);
        std::string out;
        for (const Diagnostic& d : diagnostics.sorted()) {
            out += d.code + " ";
        }
        return out;
    };
    Diagnostics diagnostics;
    CHECK(load_config(flow, inputs, diagnostics).at("a") == Value(Object{{"k", List{1}}}));
    CHECK(load_config(flow, inputs, diagnostics).at("b").is_null());
    CHECK_FALSE(diagnostics.has_errors());
    inputs.given = {{"a", "other.json"}};
    CHECK(load_config(flow, inputs, diagnostics).at("a") == Value(Object{{"k", 2}}));
    inputs.environment = [](const std::string& name) {
        return name == "B_FILE" ? std::optional<std::string>("other.json") : std::nullopt;
    };
    CHECK(load_config(flow, inputs, diagnostics).at("b") == Value(Object{{"k", 2}}));
    inputs.given = {{"a", "gone.toml"}};
    CHECK(codes() == "AMP1520 ");
    inputs.given = {{"c", "other.json"}};
    CHECK(codes() == "AMP1521 ");
    inputs.given = {{"a", "bad.toml"}};
    CHECK(codes() == "AMP1001 ");
}

TEST_CASE("patterns are searched, and none can hang") {
    CHECK(matches_pattern("xaby", "ab"));
    CHECK_FALSE(matches_pattern("xaby", "^ab$"));
    CHECK(matches_pattern("v12", R"(^v\d+$)"));
    CHECK_FALSE(matches_pattern(std::string(3000, 'a'), "^(a+)+b$"));
    CHECK(pattern_mistake("(").has_value());
    CHECK(pattern_mistake("*a").has_value());
    CHECK(pattern_mistake(std::string(1000, 'a')).has_value());
    CHECK(pattern_mistake("(((a{200}){200}){200})").has_value());
    CHECK_FALSE(pattern_mistake("^[A-Z][A-Za-z]+Flow$").has_value());
}
