#include "core/flow/project_config.hpp"

#include <doctest/doctest.h>

#include <string>

#include "core/flow/load.hpp"

using namespace amp;

namespace {

const std::string k_example = R"(
default = "hpc"

[project]
name = "agents"

[store]
url = "s3://ml-agents/amp"
endpoint = "https://minio.example.com"

[profile.hpc]
backend = "slurm"
host = "bastion"
root = "/shared/amp"
partition = "gpu"
account = "research"

[profile.eks]
backend = "kubernetes"
context = "prod"
namespace = "ml"
queue = "team-a"

[profile.batch]
backend = "batch"
region = "eu-west-1"
queues = ["gpu-spot", "gpu"]
image = "registry.example.com/ml@sha256:00"

[profile.hpc.step.train]
nodes = 32
resources = { trainium = 16, efa = 8 }

[naming]
flow = "^[A-Z][A-Za-z]+Flow$"
tag = "^(ready-for-prod|exp-[a-z0-9-]+)$"

[policy.ready-for-prod]
require = ["clean-tree", "succeeded", "image-digest"]
metrics = { "evaluate.accuracy" = ">= 0.9" }
max_age = "14d"

[policy.images]
registries = ["registry.example.com"]
digest = true
max_age = "30d"

[notify.slack]
webhook = { env = "SLACK_WEBHOOK_URL" }
on = ["failure", "step:train:success"]
)";

std::string codes_of(const ProjectConfigInputs& inputs) {
    Diagnostics diagnostics;
    load_project_config(inputs, diagnostics);
    std::string out;
    for (const Diagnostic& d : diagnostics.sorted()) {
        out += (out.empty() ? "" : " ") + d.code;
    }
    return out;
}

std::string codes_of(const std::string& text) {
    ProjectConfigInputs inputs;
    inputs.files = {{"amp.toml", text}};
    return codes_of(inputs);
}

ProjectConfig load(const ProjectConfigInputs& inputs) {
    Diagnostics diagnostics;
    ProjectConfig config = load_project_config(inputs, diagnostics);
    CHECK_FALSE(diagnostics.has_errors());
    return config;
}

Value at(const ProjectConfig& config, std::string_view key) {
    const Value* found = find_setting(config.settings, key);
    return found == nullptr ? Value() : *found;
}

}  // namespace

TEST_CASE("a whole amp.toml is understood, with the place of each value") {
    ProjectConfigInputs inputs;
    inputs.files = {{"amp.toml", k_example}};
    const ProjectConfig config = load(inputs);
    CHECK(at(config, "profile.hpc.partition") == Value("gpu"));
    CHECK(config.origins.at("profile.hpc.partition") == "amp.toml:15");
    CHECK(at(config, "policy.ready-for-prod.metrics.\"evaluate.accuracy\"") == Value(">= 0.9"));
    CHECK(has_profile(config.settings, "eks"));
    CHECK(has_profile(config.settings, "local"));
    CHECK_FALSE(has_profile(config.settings, "hpcc"));
    CHECK(step_overrides(config.settings, "hpc").find("train")->find("nodes")->as_int() == 32);
    CHECK(step_overrides(config.settings, "eks").is_null());
}

TEST_CASE("without any file there is the built-in default") {
    const ProjectConfig config = load({});
    CHECK(at(config, "default") == Value("local"));
    CHECK(config.origins.at("default") == "built-in");
}

TEST_CASE("stronger layers win value by value, each with its origin") {
    ProjectConfigInputs inputs;
    inputs.files = {{"/etc/xdg/amp/config.toml", "[store]\nurl = 'a'\nregion = 'r'\n"},
                    {"amp.toml", k_example},
                    {".amp/local.toml", "[profile.hpc]\npartition = 'debug'\n"}};
    inputs.environment = {{"AMP__PROFILE__HPC__ACCOUNT", "me"},
                          {"AMP__POLICY__READY_FOR_PROD__MAX_AGE", "1d"},
                          {"PATH", "/bin"},
                          {"AMP_STORE", "x"}};
    inputs.sets = {"profile.hpc.host=login", "profile.batch.queues=[\"cpu\"]", "profile.batch.gpu=4",
                   "policy.ready-for-prod.metrics.'evaluate.accuracy'= > 0.5"};
    const ProjectConfig config = load(inputs);
    CHECK(at(config, "store.url") == Value("s3://ml-agents/amp"));
    CHECK(config.origins.at("store.url") == "amp.toml:8");
    CHECK(config.origins.at("store.region") == "/etc/xdg/amp/config.toml:3");
    CHECK(at(config, "profile.hpc.partition") == Value("debug"));
    CHECK(config.origins.at("profile.hpc.partition") == ".amp/local.toml:2");
    CHECK(at(config, "profile.hpc.account") == Value("me"));
    CHECK(config.origins.at("profile.hpc.account") == "AMP__PROFILE__HPC__ACCOUNT");
    CHECK(at(config, "policy.ready-for-prod.max_age") == Value("1d"));
    CHECK(at(config, "profile.hpc.host") == Value("login"));
    CHECK(config.origins.at("profile.hpc.host") == "--set");
    CHECK(at(config, "profile.batch.queues") == Value(List{"cpu"}));
    CHECK(at(config, "profile.batch.gpu") == Value(4));
    CHECK(at(config, "policy.ready-for-prod.metrics.'evaluate.accuracy'") == Value(" > 0.5"));
}

TEST_CASE("mistakes of form, with the layer as their file") {
    CHECK(codes_of("[profle.x]\n") == "AMP1010");
    CHECK(codes_of("[profile.x]\nbackend = 'slrum'\n") == "AMP1013");
    CHECK(codes_of("[store]\nurl = 3\n") == "AMP1011");
    CHECK(codes_of("[naming]\nflow = '('\n") == "AMP1025");
    CHECK(codes_of("[profile.x]\nbackend = 'slurm'\n[profile.x.step.train]\ntimeot = 3\n") == "AMP1010");
    CHECK(codes_of("[notify.s]\non = ['failure']\n") == "AMP1012");
    CHECK(codes_of("default = \n") == "AMP1001");
    Diagnostics diagnostics;
    ProjectConfigInputs inputs;
    inputs.files = {{"/home/me/.config/amp/config.toml", "[stroe]\n"}};
    inputs.sets = {"store.ulr=x"};
    load_project_config(inputs, diagnostics);
    const auto found = diagnostics.sorted();
    REQUIRE(found.size() == 2);
    CHECK(found[0].file == "--set");
    CHECK(found[0].hint == "did you mean 'url'?");
    CHECK(found[1].file == "/home/me/.config/amp/config.toml");
    CHECK(found[1].place.line == 1);
}

TEST_CASE("mistakes of the whole") {
    CHECK(codes_of("default = 'hcp'\n[profile.hpc]\nbackend = 'slurm'\n") == "AMP2001");
    CHECK(codes_of("[profile.hpc]\nhost = 'x'\n") == "AMP2005");
    CHECK(codes_of("[profile.hpc]\nbackend = 'slurm'\nnamespace = 'x'\n") == "AMP2004");
    CHECK(codes_of("[profile.local]\nmax_workers = 3\n").empty());
    CHECK(codes_of("[policy.p]\nmetrics = { 'a.b' = 'good' }\n") == "AMP2009");
    ProjectConfigInputs inputs;
    inputs.files = {{"amp.toml", k_example}};
    inputs.sets = {"default=nowhere"};
    CHECK(codes_of(inputs) == "AMP2001");
    inputs.sets = {"default", "=x", "a..b=x", "'a=x"};
    CHECK(codes_of(inputs) == "AMP2002 AMP2002 AMP2002 AMP2002");
    inputs.sets = {};
    inputs.environment = {{"AMP__", "x"}, {"AMP__STORE__", "x"}};
    CHECK(codes_of(inputs) == "AMP2003 AMP2003");
    std::string deep = "a";
    for (int i = 0; i < 100000; ++i) {
        deep += ".a";
    }
    inputs.environment.clear();
    inputs.sets = {deep + "=1"};
    CHECK(codes_of(inputs) == "AMP2002");
}

TEST_CASE("names of flows and tags follow the project's patterns") {
    ProjectConfigInputs inputs;
    inputs.files = {{"amp.toml", k_example}};
    const ProjectConfig config = load(inputs);
    const auto codes = [&](const std::string& flow_text, std::string_view profile) {
        Diagnostics diagnostics;
        const Flow flow = load_flow(flow_text, "flow.toml", diagnostics);
        check_against_project(flow, config.settings, profile, diagnostics);
        std::string out;
        for (const Diagnostic& d : diagnostics.sorted()) {
            out += d.code + " ";
        }
        return out;
    };
    CHECK(codes("[flow]\nname='TrainFlow'\n[step.train]\nrun='x'\n", "hpc").empty());
    CHECK(codes("[flow]\nname='train'\n[step.train]\nrun='x'\n", "hpc") == "AMP2006 ");
    CHECK(codes("[flow]\nname='TrainFlow'\n[step.trian]\nrun='x'\n", "hpc") == "AMP2008 ");
    CHECK(codes("[flow]\nname='TrainFlow'\n[step.other]\nrun='x'\n", "hpc").empty());
    CHECK_FALSE(tag_mistake(config.settings, "ready-for-prod").has_value());
    CHECK_FALSE(tag_mistake(config.settings, "exp-7").has_value());
    CHECK(tag_mistake(config.settings, "best one").has_value());
    CHECK_FALSE(tag_mistake(Object{}, "best one").has_value());
}

TEST_CASE("where settings are looked for, the weakest first") {
    const auto with = [](std::map<std::string, std::string> variables) {
        return settings_paths("/p", [variables](const std::string& name) {
            return variables.contains(name) ? std::optional(variables.at(name)) : std::nullopt;
        });
    };
    CHECK(with({{"HOME", "/h"}}) == std::vector<std::string>{"/etc/xdg/amp/config.toml",
                                                             "/h/.config/amp/config.toml", "/p/amp.toml",
                                                             "/p/.amp/local.toml"});
    CHECK(with({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/x"}}).at(1) == "/x/amp/config.toml");
    CHECK(with({}).size() == 3);
}
