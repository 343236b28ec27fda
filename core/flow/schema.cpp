#include "core/flow/schema.hpp"

#include <algorithm>
#include <array>

namespace amp::schema {
namespace {

// Values
// -----------------------------------------------------------------------------------------------------------

constexpr Rule k_text = {.kinds = k_string, .expected = "a text"};
constexpr Rule k_filled_text = {.kinds = k_string, .expected = "a text", .format = Format::filled};
constexpr Rule k_template = {
    .kinds = k_string, .expected = "a text", .format = Format::filled, .expression = true};
constexpr Rule k_switch = {.kinds = k_boolean, .expected = "true or false"};
constexpr Rule k_switch_expression = {.kinds = k_boolean | k_string,
                                      .expected = "true or false",
                                      .format = Format::template_only,
                                      .expression = true};
constexpr Rule k_anything = {.expected = "a value", .expression = true};
constexpr Rule k_free_table = {
    .kinds = k_table, .expected = "a table", .expression = true, .member = &k_anything};
constexpr Rule k_text_list = {.kinds = k_list, .expected = "a list of texts", .element = &k_filled_text};
constexpr Rule k_text_or_list = {.kinds = k_list | k_string,
                                 .expected = "a text or a list of texts",
                                 .format = Format::filled,
                                 .element = &k_filled_text};

constexpr std::string_view k_duration_text = "a duration such as \"1h30m\", or a number of seconds";
constexpr Rule k_pause = {
    .kinds = k_string | k_number, .expected = k_duration_text, .format = Format::duration, .min = 0};
constexpr Rule k_duration = {
    .kinds = k_string | k_number, .expected = k_duration_text, .format = Format::duration, .min = 0.001};
constexpr Rule k_duration_expression = {.kinds = k_string | k_number,
                                        .expected = k_duration_text,
                                        .format = Format::duration,
                                        .expression = true,
                                        .min = 0.001};
constexpr Rule k_size = {.kinds = k_string,
                         .expected = "a size with its unit such as \"64G\" or \"16Gi\"",
                         .format = Format::size,
                         .expression = true};
constexpr Rule k_count = {.kinds = k_integer | k_string,
                          .expected = "a whole number",
                          .format = Format::template_only,
                          .expression = true,
                          .min = 0,
                          .max = 1e9};
constexpr Rule k_positive = {.kinds = k_integer | k_string,
                             .expected = "a whole number from 1",
                             .format = Format::template_only,
                             .expression = true,
                             .min = 1,
                             .max = 1e9};
constexpr Rule k_whole = {.kinds = k_integer | k_string,
                          .expected = "a whole number",
                          .format = Format::template_only,
                          .expression = true,
                          .min = -2147483648.0,
                          .max = 2147483647.0};
constexpr Rule k_bare_expression = {
    .kinds = k_string, .expected = "an expression in quotes", .format = Format::expression};
constexpr Rule k_glob_list = {.kinds = k_list | k_string,
                              .expected = "a list of globs",
                              .format = Format::filled,
                              .element = &k_filled_text};
constexpr Rule k_profile = {
    .kinds = k_string, .expected = "the name of a profile", .format = Format::profile, .expression = true};
constexpr Rule k_variable = {
    .kinds = k_string, .expected = "the name of an environment variable", .format = Format::variable};
constexpr Rule k_scalar = {
    .kinds = k_string | k_number | k_boolean, .expected = "a text, number or boolean", .expression = true};

// [flow]
// -----------------------------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 4> k_concurrencies = {"allow", "queue", "skip", "replace"};
constexpr std::array<std::string_view, 3> k_trigger_events = {"success", "failure", "finish"};
constexpr std::array<std::string_view, 2> k_code_sources = {"image", "image+diff"};

constexpr Rule k_flow_name = {.kinds = k_string, .expected = "a name", .format = Format::flow_name};
constexpr Rule k_cron = {
    .kinds = k_string, .expected = "five cron fields, or @daily and the like", .format = Format::cron};
constexpr Rule k_timezone = {
    .kinds = k_string, .expected = "an IANA time zone such as \"Europe/Berlin\"", .format = Format::timezone};
constexpr Rule k_concurrency = {
    .kinds = k_string, .expected = "one of the words", .choices = k_concurrencies};
constexpr Rule k_trigger_event = {
    .kinds = k_string, .expected = "one of the words", .choices = k_trigger_events};
constexpr std::array<Key, 3> k_trigger_keys = {
    {{"flow", &k_flow_name, true}, {"on", &k_trigger_event}, {"params", &k_free_table}}};
constexpr Rule k_trigger = {
    .kinds = k_table, .expected = "a table { flow, on, params }", .keys = k_trigger_keys};
constexpr Rule k_triggers = {.kinds = k_list | k_table,
                             .expected = "a list of tables { flow, on, params }",
                             .element = &k_trigger,
                             .keys = k_trigger_keys};
constexpr std::array<Key, 2> k_code_keys = {{{"include", &k_glob_list}, {"exclude", &k_glob_list}}};
constexpr Rule k_code = {.kinds = k_table | k_string,
                         .expected = "{ include, exclude }, \"image\" or \"image+diff\"",
                         .choices = k_code_sources,
                         .keys = k_code_keys};

constexpr std::array<Key, 13> k_flow_keys = {{
    {"name", &k_flow_name, true},
    {"description", &k_text},
    {"project", &k_filled_text},
    {"tags", &k_text_list},
    {"schedule", &k_cron, false, true},
    {"timezone", &k_timezone, false, true},
    {"trigger", &k_triggers, false, true},
    {"concurrency", &k_concurrency, false, true},
    {"max_workers", &k_positive},
    {"keep_going", &k_switch},
    {"timeout", &k_duration},
    {"cleanup_timeout", &k_duration},
    {"code", &k_code, false, true},
}};

// [params], [config]
// -----------------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 8> k_parameter_types = {"string", "int",    "float", "bool",
                                                               "list",   "object", "file",  "secret"};
constexpr Rule k_plain_anything = {.expected = "a value"};
constexpr Rule k_parameter_type = {
    .kinds = k_string, .expected = "one of the words", .choices = k_parameter_types};
constexpr Rule k_choice_list = {
    .kinds = k_list, .expected = "a list", .element = &k_plain_anything, .filled = true};
constexpr Rule k_bound = {.kinds = k_number, .expected = "a number"};
constexpr Rule k_pattern = {.kinds = k_string, .expected = "a regular expression", .format = Format::pattern};
constexpr std::array<Key, 9> k_parameter_keys = {{
    {"type", &k_parameter_type},
    {"default", &k_plain_anything},
    {"choices", &k_choice_list},
    {"min", &k_bound},
    {"max", &k_bound},
    {"pattern", &k_pattern},
    {"help", &k_text},
    {"required", &k_switch},
    {"env", &k_variable},
}};
constexpr std::array<Key, 3> k_config_keys = {
    {{"file", &k_filled_text, true}, {"required", &k_switch}, {"env", &k_variable}}};

// [step.NAME]
// ------------------------------------------------------------------------------------------------------

constexpr Rule k_argument = {
    .kinds = k_string | k_number, .expected = "a text or number", .expression = true};
constexpr Rule k_run = {.kinds = k_string | k_list,
                        .expected = "a command as a text, or as a list of its arguments",
                        .format = Format::filled,
                        .expression = true,
                        .element = &k_argument,
                        .filled = true};
constexpr Rule k_shell = {.kinds = k_list,
                          .expected = "a list such as [\"sh\", \"-eu\", \"-c\"]",
                          .element = &k_filled_text,
                          .filled = true};
constexpr Rule k_step_reference = {
    .kinds = k_string, .expected = "the name of a step", .format = Format::filled};
constexpr std::array<Key, 2> k_need_keys = {
    {{"step", &k_step_reference, true}, {"when", &k_bare_expression}}};
constexpr Rule k_need = {.kinds = k_string | k_table,
                         .expected = "a step, or a table { step, when }",
                         .format = Format::filled,
                         .keys = k_need_keys};
constexpr Rule k_needs = {.kinds = k_string | k_list | k_table,
                          .expected = "a step, or a list of steps",
                          .format = Format::filled,
                          .element = &k_need,
                          .keys = k_need_keys};
constexpr Rule k_loop_name = {.kinds = k_string, .expected = "a name", .format = Format::loop_name};
constexpr Rule k_join = {.kinds = k_boolean | k_string,
                         .expected = "true, or the name of a foreach step",
                         .format = Format::filled};
constexpr std::array<std::string_view, 2> k_on_max = {"ok", "fail"};
constexpr Rule k_on_max_rule = {.kinds = k_string, .expected = "one of the words", .choices = k_on_max};
constexpr Rule k_rounds = {.kinds = k_integer, .expected = "a whole number from 1", .min = 1, .max = 1e6};
constexpr std::array<Key, 3> k_repeat_keys = {
    {{"until", &k_bare_expression}, {"max", &k_rounds, true}, {"on_max", &k_on_max_rule}}};
constexpr Rule k_repeat = {
    .kinds = k_table, .expected = "a table { until, max, on_max }", .keys = k_repeat_keys};
constexpr Rule k_step_params = {.kinds = k_string | k_list | k_table,
                                .expected = "a list of parameters or \"*\"; of a sub-flow a table",
                                .format = Format::filled,
                                .element = &k_filled_text,
                                .member = &k_anything,
                                .member_key = Format::identifier};
constexpr Rule k_input = {
    .kinds = k_string, .expected = "an artifact such as \"train.model\"", .format = Format::expression};
constexpr Rule k_inputs = {.kinds = k_string | k_list | k_table,
                           .expected = "a list of artifacts, or a table { \"path\" = \"step.name\" }",
                           .format = Format::expression,
                           .element = &k_input,
                           .member = &k_input,
                           .member_key = Format::relative};
constexpr std::array<std::string_view, 5> k_output_types = {"file", "dir", "json", "text", "metrics"};
constexpr Rule k_output_path = {.kinds = k_string, .expected = "a path", .format = Format::output};
constexpr Rule k_output_type = {.kinds = k_string, .expected = "one of the words", .choices = k_output_types};
constexpr std::array<Key, 3> k_output_keys = {
    {{"path", &k_output_path, true}, {"type", &k_output_type}, {"optional", &k_switch}}};
constexpr Rule k_output = {.kinds = k_string | k_table,
                           .expected = "a path, or a table { path, type, optional }",
                           .format = Format::output,
                           .keys = k_output_keys};
constexpr Rule k_outputs = {.kinds = k_table,
                            .expected = "a table { name = \"path\" }",
                            .member = &k_output,
                            .member_key = Format::identifier};
constexpr Rule k_env = {.kinds = k_table,
                        .expected = "a table { NAME = \"text\" }",
                        .member = &k_scalar,
                        .member_key = Format::variable};
constexpr Rule k_secret = {
    .kinds = k_string, .expected = "a source such as \"env:TOKEN\"", .format = Format::secret};
constexpr Rule k_secrets = {.kinds = k_list | k_table,
                            .expected = "a list of names, or a table { NAME = \"source\" }",
                            .element = &k_variable,
                            .member = &k_secret,
                            .member_key = Format::variable};
constexpr Rule k_cwd = {.kinds = k_string,
                        .expected = "a folder of the project, or \"task\"",
                        .format = Format::relative,
                        .expression = true};

constexpr Rule k_cpu = {.kinds = k_number | k_string,
                        .expected = "a number of processors",
                        .format = Format::template_only,
                        .expression = true,
                        .min = 0.001,
                        .max = 1e6};
constexpr Rule k_extended = {.kinds = k_table,
                             .expected = "a table { \"vendor.com/thing\" = 1 }",
                             .member = &k_count,
                             .member_key = Format::filled};
constexpr std::array<Key, 11> k_resource_keys = {{
    {"cpu", &k_cpu},
    {"memory", &k_size},
    {"gpu", &k_count},
    {"gpu_type", &k_template, false, true},
    {"disk", &k_size, false, true},
    {"shm", &k_size, false, true},
    {"tmpfs", &k_size, false, true},
    {"trainium", &k_count, false, true},
    {"inferentia", &k_count, false, true},
    {"efa", &k_count, false, true},
    {"extended", &k_extended, false, true},
}};
constexpr Rule k_resources = {
    .kinds = k_table, .expected = "a table { cpu, memory, gpu, … }", .keys = k_resource_keys};

constexpr std::array<std::string_view, 7> k_launchers = {"none", "torchrun", "accelerate", "deepspeed",
                                                         "ray",  "mpi",      "tensorflow"};
constexpr Rule k_launcher = {
    .kinds = k_string, .expected = "one of the words", .expression = true, .choices = k_launchers};
constexpr std::array<std::string_view, 10> k_causes = {"user",  "timeout", "oom",   "evicted", "preempted",
                                                       "image", "node",    "quota", "lost",    "infra"};
constexpr Rule k_cause = {.kinds = k_string, .expected = "a cause", .choices = k_causes};
constexpr Rule k_cause_list = {
    .kinds = k_list, .expected = "a list of causes", .element = &k_cause, .filled = true};
constexpr Rule k_retries = {.kinds = k_integer, .expected = "a whole number", .min = 0, .max = 1000};
constexpr Rule k_backoff = {.kinds = k_number, .expected = "a factor from 1", .min = 1, .max = 1000};
constexpr Rule k_share = {.kinds = k_number, .expected = "a share between 0 and 1", .min = 0, .max = 1};
constexpr std::array<Key, 5> k_grow_keys = {{{"cpu", &k_backoff},
                                             {"memory", &k_backoff},
                                             {"gpu", &k_backoff},
                                             {"disk", &k_backoff},
                                             {"shm", &k_backoff}}};
constexpr Rule k_grow = {.kinds = k_table, .expected = "a table { memory = 2.0 }", .keys = k_grow_keys};
constexpr std::array<Key, 7> k_retry_keys = {{
    {"times", &k_retries, true},
    {"delay", &k_pause},
    {"backoff", &k_backoff},
    {"max_delay", &k_pause},
    {"jitter", &k_share},
    {"on", &k_cause_list},
    {"grow", &k_grow},
}};
constexpr Rule k_retry = {.kinds = k_integer | k_table,
                          .expected = "a number, or a table { times, delay, … }",
                          .min = 0,
                          .max = 1000,
                          .keys = k_retry_keys};
constexpr Rule k_catch = {
    .kinds = k_boolean | k_string, .expected = "true, or a name for the error", .format = Format::identifier};

constexpr std::array<Key, 1> k_cache_keys = {{{"ttl", &k_duration}}};
constexpr Rule k_cache = {
    .kinds = k_boolean | k_table, .expected = "true, or a table { ttl }", .keys = k_cache_keys};
constexpr std::array<Key, 1> k_checkpoint_keys = {{{"interval", &k_duration}}};
constexpr Rule k_checkpoint = {
    .kinds = k_boolean | k_table, .expected = "true, or a table { interval }", .keys = k_checkpoint_keys};
constexpr Rule k_cache_dirs = {.kinds = k_list | k_table,
                               .expected = "a list of folders, or a table { key = \"folder\" }",
                               .element = &k_template,
                               .member = &k_template,
                               .member_key = Format::filled};
constexpr std::array<Key, 3> k_environment_keys = {
    {{"uv", &k_filled_text}, {"requirements", &k_filled_text}, {"conda", &k_filled_text}}};
constexpr Rule k_environment = {.kinds = k_table,
                                .expected = "a table { uv }, { requirements } or { conda }",
                                .keys = k_environment_keys,
                                .filled = true};
constexpr std::array<std::string_view, 1> k_waits = {"approval"};
constexpr std::array<Key, 4> k_wait_keys = {
    {{"file", &k_template}, {"url", &k_template}, {"until", &k_bare_expression}, {"timeout", &k_duration}}};
constexpr Rule k_wait = {.kinds = k_string | k_table,
                         .expected = "\"approval\", or a table { file, url, until, timeout }",
                         .choices = k_waits,
                         .keys = k_wait_keys,
                         .filled = true};
constexpr std::array<Key, 4> k_monitor_keys = {
    {{"interval", &k_duration}, {"gpu", &k_switch}, {"neuron", &k_switch}, {"hang", &k_duration}}};
constexpr Rule k_monitor = {
    .kinds = k_table, .expected = "a table { interval, gpu, neuron, hang }", .keys = k_monitor_keys};

constexpr std::array<Key, 39> k_step_keys = {{
    {"run", &k_run},
    {"shell", &k_shell},
    {"flow", &k_filled_text, false, true},
    {"needs", &k_needs},
    {"foreach", &k_bare_expression},
    {"as", &k_loop_name},
    {"join", &k_join},
    {"when", &k_bare_expression},
    {"repeat", &k_repeat},
    {"params", &k_step_params},
    {"inputs", &k_inputs},
    {"outputs", &k_outputs},
    {"sources", &k_glob_list},
    {"env", &k_env},
    {"secrets", &k_secrets, false, true},
    {"cwd", &k_cwd},
    {"resources", &k_resources},
    {"nodes", &k_positive, false, true},
    {"tasks_per_node", &k_positive, false, true},
    {"launcher", &k_launcher, false, true},
    {"on", &k_profile, false, true},
    {"image", &k_template, false, true},
    {"container", &k_switch_expression, false, true},
    {"slurm", &k_free_table, false, true},
    {"kubernetes", &k_free_table, false, true},
    {"batch", &k_free_table, false, true},
    {"retry", &k_retry},
    {"timeout", &k_duration_expression},
    {"max_wait", &k_duration_expression, false, true},
    {"fallback", &k_profile, false, true},
    {"catch", &k_catch},
    {"limit", &k_positive},
    {"priority", &k_whole},
    {"cache", &k_cache, false, true},
    {"checkpoint", &k_checkpoint, false, true},
    {"cache_dirs", &k_cache_dirs, false, true},
    {"environment", &k_environment, false, true},
    {"wait", &k_wait, false, true},
    {"monitor", &k_monitor, false, true},
}};
}  // namespace

std::span<const Key> flow_keys() {
    return k_flow_keys;
}
std::span<const Key> step_keys() {
    return k_step_keys;
}
std::span<const Key> resource_keys() {
    return k_resource_keys;
}
std::span<const Key> parameter_keys() {
    return k_parameter_keys;
}
std::span<const Key> config_keys() {
    return k_config_keys;
}

const Key* find_key(std::span<const Key> keys, std::string_view name) {
    const auto it = std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
    return it == keys.end() ? nullptr : &*it;
}

}  // namespace amp::schema
