#include "core/flow/project_config_schema.hpp"

#include <algorithm>
#include <array>

namespace amp::project_schema {
namespace {

using schema::Format;
using schema::k_boolean;
using schema::k_integer;
using schema::k_list;
using schema::k_number;
using schema::k_string;
using schema::k_table;
using schema::Key;
using schema::Rule;

constexpr Rule k_text = {.kinds = k_string, .expected = "a text", .format = Format::filled};
constexpr Rule k_texts = {.kinds = k_list, .expected = "a list of texts", .element = &k_text};
constexpr Rule k_switch = {.kinds = k_boolean, .expected = "true or false"};
constexpr Rule k_anything = {.expected = "a value"};
constexpr Rule k_free = {.kinds = k_table, .expected = "a table", .member = &k_anything};
constexpr Rule k_patch = {.kinds = k_table | k_list | k_string,
                          .expected = "a table, or a list of patches",
                          .element = &k_anything,
                          .member = &k_anything};
constexpr Rule k_profile_name = {
    .kinds = k_string, .expected = "the name of a profile", .format = Format::profile};
constexpr Rule k_duration = {.kinds = k_string | k_number,
                             .expected = R"(a duration such as "14d")",
                             .format = Format::duration,
                             .min = 0.001};
constexpr Rule k_pattern = {.kinds = k_string, .expected = "a regular expression", .format = Format::pattern};
constexpr Rule k_count = {.kinds = k_integer, .expected = "a whole number", .min = 0, .max = 1e9};
constexpr Rule k_number_rule = {.kinds = k_number, .expected = "a number", .min = 0, .max = 1e9};
constexpr Rule k_size = {
    .kinds = k_string, .expected = R"(a size with its unit such as "64G" or "16Gi")", .format = Format::size};
constexpr Rule k_scalar = {.kinds = k_string | k_number | k_boolean, .expected = "a text, number or boolean"};
constexpr Rule k_env = {.kinds = k_table,
                        .expected = R"(a table { NAME = "text" })",
                        .member = &k_scalar,
                        .member_key = Format::variable};
constexpr Rule k_variable = {
    .kinds = k_string, .expected = "the name of an environment variable", .format = Format::variable};
constexpr Rule k_secret = {
    .kinds = k_string, .expected = R"(a source such as "env:TOKEN")", .format = Format::secret};
constexpr Rule k_secrets = {.kinds = k_list | k_table,
                            .expected = R"(a list of names, or a table { NAME = "source" })",
                            .element = &k_variable,
                            .member = &k_secret,
                            .member_key = Format::variable};

constexpr std::array<Key, 1> k_project_keys = {
    {{"name", &k_text, "what the project is called", false, true}}};
constexpr Rule k_project = {.kinds = k_table, .expected = "a table", .keys = k_project_keys};
constexpr std::array<Key, 4> k_store_keys = {
    {{"url", &k_text, "the folder of the store; default: .amp beside this file"},
     {"endpoint", &k_text, "of a store that speaks S3", false, true},
     {"region", &k_text, "of a bucket", false, true},
     {"profile", &k_text, "of the AWS configuration", false, true}}};
constexpr Rule k_store = {.kinds = k_table, .expected = "a table { url, endpoint }", .keys = k_store_keys};

constexpr std::array<std::string_view, 5> k_backends = {"local", "ssh", "slurm", "kubernetes", "batch"};
constexpr Rule k_backend = {.kinds = k_string, .expected = "one of the words", .choices = k_backends};

/// A key of a profile and the backend that it is for.
struct ProfileKey {
    std::string_view name;
    std::string_view backend;
};
constexpr std::array<ProfileKey, 26> k_of_backends = {{
    {"host", "ssh and slurm"},
    {"root", "ssh and slurm"},
    {"carry", "ssh and slurm"},
    {"keep_above", "ssh"},
    {"partition", "slurm"},
    {"account", "slurm"},
    {"qos", "slurm"},
    {"constraint", "slurm"},
    {"reservation", "slurm"},
    {"modules", "slurm"},
    {"context", "kubernetes"},
    {"namespace", "kubernetes"},
    {"queue", "kubernetes"},
    {"service_account", "kubernetes"},
    {"node_selector", "kubernetes"},
    {"tolerations", "kubernetes"},
    {"pull_secrets", "kubernetes"},
    {"priority_class", "kubernetes"},
    {"kubeconfig", "kubernetes"},
    {"region", "batch"},
    {"queues", "batch"},
    {"job_role", "batch"},
    {"execution_role", "batch"},
    {"log_group", "batch"},
    {"share", "batch"},
    {"aws_profile", "batch"},
}};

constexpr std::array<Key, 2> k_carry_keys = {
    {{"python", &k_text,
      "the version of its Python, as \"3.11\"; default: as here, or as the project asks for"},
     {"machine", &k_text, "its kind, as `uname -m` has it; default: as here"}}};
constexpr Rule k_carry = {.kinds = k_boolean | k_table,
                          .expected = "true, false, or a table { python, machine }",
                          .keys = k_carry_keys,
                          .filled = true};

/// The keys of a step, and of all steps of a profile: made of the flow's schema.
const Rule& step_rule() {
    static const Rule rule = [] {
        Rule made{.kinds = k_table, .expected = "a table with keys of a step"};
        made.keys = schema::step_keys();
        return made;
    }();
    return rule;
}
const Rule& steps_rule() {
    static const Rule rule = {.kinds = k_table,
                              .expected = "a table of steps",
                              .member = &step_rule(),
                              .member_key = Format::step_name};
    return rule;
}

const Rule& profile_rule() {
    static const std::array<Key, 37> keys = {{
        {"backend", &k_backend,
         "where tasks run: local, ssh. The others are read and checked; this version runs nothing there yet"},
        {"store", &k_text, "a store of its own", false, true},
        {"image", &k_text, "the container image of steps that name none", false, true},
        {"env", &k_env, "variables that all tasks get", false, true},
        {"secrets", &k_secrets, "secrets that all tasks get", false, true},
        {"max_workers", &k_count, "tasks at once, on another machine; default: as many as it has processors"},
        {"cpu", &k_number_rule, "processors of a task that names none", false, true},
        {"memory", &k_size, "memory of a task that names none", false, true},
        {"gpu", &k_count, "GPUs of a task that names none", false, true},
        {"patch", &k_patch, "what the backend has and no key says", false, true},
        {"step", &steps_rule(), "overrides any key of any step, by the step's name"},
        {"host", &k_text, "the other machine, or the login node, as ssh knows it"},
        {"root", &k_text, "the folder of amp there; default: ~/.cache/amp"},
        {"carry", &k_carry,
         "the packages of Python environments are got here and sent there; false: that machine gets them "
         "itself. "
         "Default: true"},
        {"keep_above", &k_size,
         "files and folders that a task there has made, and that are larger, stay there until someone asks "
         "for "
         "them; default: nothing stays"},
        {"partition", &k_text, "of Slurm", false, true},
        {"account", &k_text, "of Slurm", false, true},
        {"qos", &k_text, "of Slurm", false, true},
        {"constraint", &k_text, "of Slurm", false, true},
        {"reservation", &k_text, "of Slurm", false, true},
        {"modules", &k_texts, "environment modules to load", false, true},
        {"context", &k_text, "of the kubeconfig", false, true},
        {"namespace", &k_text, "where jobs run", false, true},
        {"queue", &k_text, "of Kueue", false, true},
        {"service_account", &k_text, "of pods", false, true},
        {"node_selector", &k_free, "of pods", false, true},
        {"tolerations", &k_texts, "of pods", false, true},
        {"pull_secrets", &k_texts, "for images", false, true},
        {"priority_class", &k_text, "of pods", false, true},
        {"kubeconfig", &k_text, "the file; default: that of kubectl", false, true},
        {"region", &k_text, "of AWS", false, true},
        {"queues", &k_texts, "job queues, the preferred first", false, true},
        {"job_role", &k_text, "the IAM role of tasks", false, true},
        {"execution_role", &k_text, "the IAM role that starts them", false, true},
        {"log_group", &k_text, "of CloudWatch", false, true},
        {"share", &k_text, "identifier of fair-share scheduling", false, true},
        {"aws_profile", &k_text, "of the AWS configuration", false, true},
    }};
    static const Rule rule = [] {
        Rule made{.kinds = k_table, .expected = "a table with backend and its keys"};
        made.keys = keys;
        return made;
    }();
    return rule;
}

constexpr std::array<std::string_view, 2> k_engines = {"docker", "podman"};
constexpr Rule k_engine = {.kinds = k_string, .expected = "docker or podman", .choices = k_engines};
constexpr std::array<Key, 2> k_containers_keys = {
    {{"engine", &k_engine,
      "what runs them: docker or podman; default: docker where its daemon answers, else podman"},
     {"all", &k_switch, "those of all steps that name an image run in it; default: false"}}};
constexpr Rule k_containers = {
    .kinds = k_table, .expected = "a table { engine, all }", .keys = k_containers_keys};

constexpr std::array<Key, 2> k_code_keys = {
    {{"max_file", &k_size,
      "the largest file of the project that is read, kept with a run and shipped; default: 100Mi"},
     {"max_total", &k_size,
      "how much of the project is; beyond it the largest files are left out; default: 2Gi"}}};
constexpr Rule k_code = {
    .kinds = k_table, .expected = "a table { max_file, max_total }", .keys = k_code_keys};

constexpr std::array<Key, 2> k_naming_keys = {{{"flow", &k_pattern, "what names of flows must match"},
                                               {"tag", &k_pattern, "what tags must match", false, true}}};
constexpr Rule k_naming = {.kinds = k_table, .expected = "a table { flow, tag }", .keys = k_naming_keys};

constexpr std::array<std::string_view, 3> k_requirements = {"clean-tree", "succeeded", "image-digest"};
constexpr Rule k_requirement = {.kinds = k_string, .expected = "one of the words", .choices = k_requirements};
constexpr Rule k_requirement_list = {
    .kinds = k_list, .expected = "a list of requirements", .element = &k_requirement};
constexpr Rule k_metric = {
    .kinds = k_string, .expected = R"(a comparison such as ">= 0.9")", .format = Format::filled};
constexpr Rule k_metrics = {.kinds = k_table,
                            .expected = R"(a table { "step.metric" = ">= 0.9" })",
                            .member = &k_metric,
                            .member_key = Format::filled};
constexpr std::array<Key, 5> k_policy_keys = {{
    {"require", &k_requirement_list, "what must hold"},
    {"metrics", &k_metrics, "what metrics must reach, by STEP.METRIC"},
    {"max_age", &k_duration, "how old the run, or the image, may be"},
    {"registries", &k_texts, "where images may come from"},
    {"digest", &k_switch, "images must be named by their digest"},
}};
constexpr Rule k_policy = {
    .kinds = k_table, .expected = "a table { require, metrics, max_age }", .keys = k_policy_keys};
constexpr Rule k_policies = {
    .kinds = k_table, .expected = "a table of policies", .member = &k_policy, .member_key = Format::filled};

constexpr std::array<Key, 2> k_webhook_keys = {
    {{"env", &k_variable, "a variable that holds the address"}, {"file", &k_text, "a file that holds it"}}};
constexpr Rule k_webhook = {.kinds = k_string | k_table,
                            .expected = "an address, or a table { env } or { file }",
                            .format = Format::filled,
                            .keys = k_webhook_keys};
constexpr std::array<Key, 3> k_notify_keys = {{{"webhook", &k_webhook, "the address to call", true},
                                               {"on", &k_texts, "which events; default: failures"},
                                               {"template", &k_text, "of the message"}}};
constexpr Rule k_notify = {.kinds = k_table, .expected = "a table { webhook, on }", .keys = k_notify_keys};
constexpr Rule k_notifications = {.kinds = k_table,
                                  .expected = "a table of notifications",
                                  .member = &k_notify,
                                  .member_key = Format::profile};

}  // namespace

const Rule& root() {
    static const Rule profiles = {.kinds = k_table,
                                  .expected = "a table of profiles",
                                  .member = &profile_rule(),
                                  .member_key = Format::profile};
    static const std::array<Key, 9> keys = {{
        {"default", &k_profile_name, "the profile that is used without --on; default: local"},
        {"project", &k_project, "what is said of the project"},
        {"store", &k_store,
         "where runs, logs and artifacts are kept; $AMP_STORE names a folder where url does not"},
        {"profile", &profiles, "named choices of backend, store and defaults"},
        {"containers", &k_containers, "how tasks run in containers on this machine"},
        {"code", &k_code, "how large the project's code may be; [flow] code and .ampignore say what it is"},
        {"naming", &k_naming, "how names must look"},
        {"policy", &k_policies, "what a run must satisfy before it is deployed", false, true},
        {"notify", &k_notifications, "who is told", false, true},
    }};
    static const Rule rule = [] {
        Rule made{.kinds = k_table, .expected = "a table"};
        made.keys = keys;
        return made;
    }();
    return rule;
}

std::string_view backend_of(std::string_view profile_key) {
    const auto it = std::find_if(k_of_backends.begin(), k_of_backends.end(),
                                 [&](const ProfileKey& k) { return k.name == profile_key; });
    return it == k_of_backends.end() ? std::string_view() : it->backend;
}

const Rule* rule_at(const std::vector<std::string>& path) {
    const Rule* rule = &root();
    for (const std::string& name : path) {
        if (!rule->keys.empty()) {
            const Key* key = schema::find_key(rule->keys, name);
            rule = key == nullptr ? nullptr : key->rule;
        } else {
            rule = rule->member;
        }
        if (rule == nullptr) {
            return nullptr;
        }
    }
    return rule;
}

}  // namespace amp::project_schema
