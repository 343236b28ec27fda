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
                             .expected = "a duration such as \"14d\"",
                             .format = Format::duration,
                             .min = 0.001};
constexpr Rule k_pattern = {.kinds = k_string, .expected = "a regular expression", .format = Format::pattern};
constexpr Rule k_count = {.kinds = k_integer, .expected = "a whole number", .min = 0, .max = 1e9};
constexpr Rule k_number_rule = {.kinds = k_number, .expected = "a number", .min = 0, .max = 1e9};
constexpr Rule k_size = {.kinds = k_string,
                         .expected = "a size with its unit such as \"64G\" or \"16Gi\"",
                         .format = Format::size};
constexpr Rule k_scalar = {.kinds = k_string | k_number | k_boolean, .expected = "a text, number or boolean"};
constexpr Rule k_env = {.kinds = k_table,
                        .expected = "a table { NAME = \"text\" }",
                        .member = &k_scalar,
                        .member_key = Format::variable};
constexpr Rule k_variable = {
    .kinds = k_string, .expected = "the name of an environment variable", .format = Format::variable};
constexpr Rule k_secret = {
    .kinds = k_string, .expected = "a source such as \"env:TOKEN\"", .format = Format::secret};
constexpr Rule k_secrets = {.kinds = k_list | k_table,
                            .expected = "a list of names, or a table { NAME = \"source\" }",
                            .element = &k_variable,
                            .member = &k_secret,
                            .member_key = Format::variable};

constexpr std::array<Key, 1> k_project_keys = {{{"name", &k_text}}};
constexpr Rule k_project = {.kinds = k_table, .expected = "a table", .keys = k_project_keys};
constexpr std::array<Key, 4> k_store_keys = {
    {{"url", &k_text}, {"endpoint", &k_text}, {"region", &k_text}, {"profile", &k_text}}};
constexpr Rule k_store = {.kinds = k_table, .expected = "a table { url, endpoint }", .keys = k_store_keys};

constexpr std::array<std::string_view, 4> k_backends = {"local", "slurm", "kubernetes", "batch"};
constexpr Rule k_backend = {.kinds = k_string, .expected = "one of the words", .choices = k_backends};

/// A key of a profile and the backend that it is for.
struct ProfileKey {
    std::string_view name;
    std::string_view backend;
};
constexpr std::array<ProfileKey, 24> k_of_backends = {{
    {"host", "slurm"},
    {"root", "slurm"},
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
    static const std::array<Key, 35> keys = {{
        {"backend", &k_backend},   {"store", &k_text},           {"image", &k_text},
        {"env", &k_env},           {"secrets", &k_secrets},      {"max_workers", &k_count},
        {"cpu", &k_number_rule},   {"memory", &k_size},          {"gpu", &k_count},
        {"patch", &k_patch},       {"step", &steps_rule()},      {"host", &k_text},
        {"root", &k_text},         {"partition", &k_text},       {"account", &k_text},
        {"qos", &k_text},          {"constraint", &k_text},      {"reservation", &k_text},
        {"modules", &k_texts},     {"context", &k_text},         {"namespace", &k_text},
        {"queue", &k_text},        {"service_account", &k_text}, {"node_selector", &k_free},
        {"tolerations", &k_texts}, {"pull_secrets", &k_texts},   {"priority_class", &k_text},
        {"kubeconfig", &k_text},   {"region", &k_text},          {"queues", &k_texts},
        {"job_role", &k_text},     {"execution_role", &k_text},  {"log_group", &k_text},
        {"share", &k_text},        {"aws_profile", &k_text},
    }};
    static const Rule rule = [] {
        Rule made{.kinds = k_table, .expected = "a table with backend and its keys"};
        made.keys = keys;
        return made;
    }();
    return rule;
}

constexpr std::array<Key, 2> k_naming_keys = {{{"flow", &k_pattern}, {"tag", &k_pattern}}};
constexpr Rule k_naming = {.kinds = k_table, .expected = "a table { flow, tag }", .keys = k_naming_keys};

constexpr std::array<std::string_view, 3> k_requirements = {"clean-tree", "succeeded", "image-digest"};
constexpr Rule k_requirement = {.kinds = k_string, .expected = "one of the words", .choices = k_requirements};
constexpr Rule k_requirement_list = {
    .kinds = k_list, .expected = "a list of requirements", .element = &k_requirement};
constexpr Rule k_metric = {
    .kinds = k_string, .expected = "a comparison such as \">= 0.9\"", .format = Format::filled};
constexpr Rule k_metrics = {.kinds = k_table,
                            .expected = "a table { \"step.metric\" = \">= 0.9\" }",
                            .member = &k_metric,
                            .member_key = Format::filled};
constexpr std::array<Key, 5> k_policy_keys = {{
    {"require", &k_requirement_list},
    {"metrics", &k_metrics},
    {"max_age", &k_duration},
    {"registries", &k_texts},
    {"digest", &k_switch},
}};
constexpr Rule k_policy = {
    .kinds = k_table, .expected = "a table { require, metrics, max_age }", .keys = k_policy_keys};
constexpr Rule k_policies = {
    .kinds = k_table, .expected = "a table of policies", .member = &k_policy, .member_key = Format::filled};

constexpr std::array<Key, 2> k_webhook_keys = {{{"env", &k_variable}, {"file", &k_text}}};
constexpr Rule k_webhook = {.kinds = k_string | k_table,
                            .expected = "an address, or a table { env } or { file }",
                            .format = Format::filled,
                            .keys = k_webhook_keys};
constexpr std::array<Key, 3> k_notify_keys = {
    {{"webhook", &k_webhook, true}, {"on", &k_texts}, {"template", &k_text}}};
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
    static const std::array<Key, 7> keys = {{
        {"default", &k_profile_name},
        {"project", &k_project},
        {"store", &k_store},
        {"profile", &profiles},
        {"naming", &k_naming},
        {"policy", &k_policies},
        {"notify", &k_notifications},
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
