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

constexpr std::string_view k_duration_text = R"(a duration such as "1h30m", or a number of seconds)";
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
                         .expected = R"(a size with its unit such as "64G" or "16Gi")",
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
constexpr Rule k_timezone = {.kinds = k_string,
                             .expected = R"(an IANA time zone such as "Europe/Berlin")",
                             .format = Format::timezone};
constexpr Rule k_concurrency = {
    .kinds = k_string, .expected = "one of the words", .choices = k_concurrencies};
constexpr Rule k_trigger_event = {
    .kinds = k_string, .expected = "one of the words", .choices = k_trigger_events};
constexpr std::array<Key, 3> k_trigger_keys = {
    {{"flow", &k_flow_name, "the name of the flow whose end starts this one", true},
     {"on", &k_trigger_event, "which end; default: success"},
     {"params", &k_free_table, "parameters that it is started with"}}};
constexpr Rule k_trigger = {
    .kinds = k_table, .expected = "a table { flow, on, params }", .keys = k_trigger_keys};
constexpr Rule k_triggers = {.kinds = k_list | k_table,
                             .expected = "a list of tables { flow, on, params }",
                             .element = &k_trigger,
                             .keys = k_trigger_keys};
constexpr std::array<Key, 2> k_code_keys = {
    {{"include", &k_glob_list, "what belongs to the code besides what git tracks"},
     {"exclude", &k_glob_list, "what does not"}}};
constexpr Rule k_code = {.kinds = k_table | k_string,
                         .expected = R"({ include, exclude }, "image" or "image+diff")",
                         .choices = k_code_sources,
                         .keys = k_code_keys};

constexpr std::array<Key, 13> k_flow_keys = {{
    {"name", &k_flow_name, "what the flow is called: letters, digits, _ and -, at most 63", true},
    {"description", &k_text, "for people; shown by amp show"},
    {"project", &k_filled_text, "the project that it belongs to"},
    {"tags", &k_text_list, "tags of each of its runs"},
    {"schedule", &k_cron, "when it is started by itself", false, true},
    {"timezone", &k_timezone, "of the schedule; default: UTC", false, true},
    {"trigger", &k_triggers, "the flows at whose end it is started", false, true},
    {"concurrency", &k_concurrency, "what happens when another run of the flow is on; default: allow"},
    {"max_workers", &k_positive, "tasks at once; default: what the machine has room for"},
    {"keep_going", &k_switch, "after a failure, go on with all that does not depend on it; default: false"},
    {"timeout", &k_duration, "of the run as a whole; default: none"},
    {"cleanup_timeout", &k_duration, "of the clean-up steps at the end; default: 10m"},
    {"code", &k_code,
     "which files are the code of a run: on top of git and .ampignore; or \"image\": the image holds the "
     "code at "
     "git's commit; or \"image+diff\": and what is not committed is shipped"},
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
    {"type", &k_parameter_type, "default: that of the default, else string"},
    {"default", &k_plain_anything, "what it is when nothing is given; without one it must be given"},
    {"choices", &k_choice_list, "the values that it may have"},
    {"min", &k_bound, "the least number"},
    {"max", &k_bound, "the greatest number"},
    {"pattern", &k_pattern, "what a text must match as a whole"},
    {"help", &k_text, "for people; shown by amp show and by completion"},
    {"required", &k_switch, "whether it must be given; default: when there is no default"},
    {"env", &k_variable, "a variable of the environment that gives it"},
}};
constexpr std::array<Key, 3> k_config_keys = {
    {{"file", &k_filled_text, "a TOML, YAML or JSON file of the project", true},
     {"required", &k_switch, "whether it must exist; default: true"},
     {"env", &k_variable, "a variable of the environment that names another file"}}};

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
                          .expected = R"(a list such as ["sh", "-eu", "-c"])",
                          .element = &k_filled_text,
                          .filled = true};
constexpr Rule k_step_reference = {
    .kinds = k_string, .expected = "the name of a step", .format = Format::filled};
constexpr std::array<Key, 2> k_need_keys = {
    {{"step", &k_step_reference, "the step that must have ended", true},
     {"when", &k_bare_expression, "follow this edge only where it holds"}}};
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
    {{"until", &k_bare_expression, "do it again until this holds; it sees the artifacts of the round"},
     {"max", &k_rounds, "rounds at most", true},
     {"on_max", &k_on_max_rule, "what it is when until never held; default: fail"}}};
constexpr Rule k_repeat = {
    .kinds = k_table, .expected = "a table { until, max, on_max }", .keys = k_repeat_keys};
constexpr Rule k_step_params = {.kinds = k_string | k_list | k_table,
                                .expected = R"(a list of parameters or "*"; of a sub-flow a table)",
                                .format = Format::filled,
                                .element = &k_filled_text,
                                .member = &k_anything,
                                .member_key = Format::identifier};
constexpr Rule k_input = {
    .kinds = k_string, .expected = R"(an artifact such as "train.model")", .format = Format::expression};
constexpr Rule k_inputs = {.kinds = k_string | k_list | k_table,
                           .expected = R"(a list of artifacts, or a table { "path" = "step.name" })",
                           .format = Format::expression,
                           .element = &k_input,
                           .member = &k_input,
                           .member_key = Format::relative};
constexpr std::array<std::string_view, 5> k_output_types = {"file", "dir", "json", "text", "metrics"};
constexpr Rule k_output_path = {.kinds = k_string, .expected = "a path", .format = Format::output};
constexpr Rule k_output_type = {.kinds = k_string, .expected = "one of the words", .choices = k_output_types};
constexpr std::array<Key, 3> k_output_keys = {
    {{"path", &k_output_path, "below $AMP_OUT; with ./ in front below the working folder", true},
     {"type", &k_output_type, "default: file, or dir when it is one"},
     {"optional", &k_switch, "whether it may be missing; default: false"}}};
constexpr Rule k_output = {.kinds = k_string | k_table,
                           .expected = "a path, or a table { path, type, optional }",
                           .format = Format::output,
                           .keys = k_output_keys};
constexpr Rule k_outputs = {.kinds = k_table,
                            .expected = R"(a table { name = "path" })",
                            .member = &k_output,
                            .member_key = Format::identifier};
constexpr Rule k_env = {.kinds = k_table,
                        .expected = R"(a table { NAME = "text" })",
                        .member = &k_scalar,
                        .member_key = Format::own_variable};
constexpr Rule k_secret = {
    .kinds = k_string, .expected = R"(a source such as "env:TOKEN")", .format = Format::secret};
constexpr Rule k_secrets = {.kinds = k_list | k_table,
                            .expected = R"(a list of names, or a table { NAME = "source" })",
                            .element = &k_variable,
                            .member = &k_secret,
                            .member_key = Format::own_variable};
constexpr Rule k_cwd = {.kinds = k_string,
                        .expected = R"(a folder of the project, or "task")",
                        .format = Format::relative,
                        .expression = true};

constexpr Rule k_cpu = {.kinds = k_number | k_string,
                        .expected = "a number of processors",
                        .format = Format::template_only,
                        .expression = true,
                        .min = 0.001,
                        .max = 1e6};
constexpr Rule k_extended = {.kinds = k_table,
                             .expected = R"(a table { "vendor.com/thing" = 1 })",
                             .member = &k_count,
                             .member_key = Format::filled};
constexpr std::array<Key, 11> k_resource_keys = {{
    {"cpu", &k_cpu, "processors; default: 1"},
    {"memory", &k_size, "G is 10^9 bytes, Gi is 2^30; default: not counted"},
    {"gpu", &k_count,
     "GPUs; default: 0. They are counted along the bus: CUDA_DEVICE_ORDER is PCI_BUS_ID unless it is set"},
    {"gpu_type", &k_template, "which kind of GPU", false, true},
    {"disk", &k_size, "scratch space", false, true},
    {"shm", &k_size, "size of /dev/shm", false, true},
    {"tmpfs", &k_size, "size of /tmp in memory", false, true},
    {"trainium", &k_count, "AWS Trainium devices", false, true},
    {"inferentia", &k_count, "AWS Inferentia devices", false, true},
    {"efa", &k_count, "Elastic Fabric Adapters", false, true},
    {"extended", &k_extended, "extended resources of Kubernetes", false, true},
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
constexpr std::array<Key, 5> k_grow_keys = {{{"cpu", &k_backoff, "factor for cpu"},
                                             {"memory", &k_backoff, "factor for memory"},
                                             {"gpu", &k_backoff, "factor for gpu, rounded up"},
                                             {"disk", &k_backoff, "factor for disk", false, true},
                                             {"shm", &k_backoff, "factor for shm", false, true}}};
constexpr Rule k_grow = {.kinds = k_table, .expected = "a table { memory = 2.0 }", .keys = k_grow_keys};
constexpr std::array<Key, 7> k_retry_keys = {{
    {"times", &k_retries, "retries after the first attempt", true},
    {"delay", &k_pause, "before the first retry; default: none"},
    {"backoff", &k_backoff, "factor of the delay from one retry to the next; default: 1"},
    {"max_delay", &k_pause, "the longest delay; default: 1h"},
    {"jitter", &k_share, "the share of the delay that is left to chance"},
    {"on", &k_cause_list, "the causes that are retried; default: user, timeout, oom"},
    {"grow", &k_grow, "factors by which resources grow after oom"},
}};
constexpr Rule k_retry = {.kinds = k_integer | k_table,
                          .expected = "a number, or a table { times, delay, … }",
                          .min = 0,
                          .max = 1000,
                          .keys = k_retry_keys};
constexpr Rule k_catch = {
    .kinds = k_boolean | k_string, .expected = "true, or a name for the error", .format = Format::identifier};

constexpr std::array<Key, 1> k_cache_keys = {
    {{"ttl", &k_duration, "how long a result is good; default: for ever"}}};
constexpr Rule k_cache = {
    .kinds = k_boolean | k_table, .expected = "true, or a table { ttl }", .keys = k_cache_keys};
constexpr std::array<Key, 1> k_checkpoint_keys = {
    {{"interval", &k_duration, "how often it is saved while the task runs; default: 60s"}}};
constexpr Rule k_checkpoint = {
    .kinds = k_boolean | k_table, .expected = "true, or a table { interval }", .keys = k_checkpoint_keys};
constexpr Rule k_cache_dirs = {.kinds = k_list | k_table,
                               .expected = R"(a list of folders, or a table { key = "folder" })",
                               .element = &k_template,
                               .member = &k_template,
                               .member_key = Format::filled};
constexpr Rule k_environment_file = {
    .kinds = k_string, .expected = "a file of the project", .format = Format::relative};
constexpr std::array<Key, 3> k_environment_keys = {
    {{"uv", &k_environment_file, "a lock file of uv (uv.lock), beside its pyproject.toml"},
     {"requirements", &k_environment_file, "a requirements file of pip, with what it includes"},
     {"conda", &k_environment_file, "an environment file of conda"}}};
constexpr Rule k_environment = {.kinds = k_table,
                                .expected = "a table { uv }, { requirements } or { conda }",
                                .keys = k_environment_keys,
                                .filled = true};
constexpr std::array<std::string_view, 1> k_waits = {"approval"};
constexpr std::array<Key, 4> k_wait_keys = {
    {{"file", &k_template, "until this file of the project exists"},
     {"url", &k_template, "until this address (http, https) answers"},
     {"until", &k_bare_expression, "until this holds, or until the time that it gives"},
     {"timeout", &k_duration, "how long; then the step has failed with cause timeout"}}};
constexpr Rule k_wait = {.kinds = k_string | k_table,
                         .expected = R"("approval", or a table { file, url, until, timeout })",
                         .choices = k_waits,
                         .keys = k_wait_keys,
                         .filled = true};
constexpr Rule k_interval = {
    .kinds = k_string | k_number, .expected = k_duration_text, .format = Format::duration, .min = 0.1};
constexpr std::array<Key, 4> k_monitor_keys = {
    {{"interval", &k_interval, "between two samples; default: 10s"},
     {"gpu", &k_switch, "sample the GPUs of the task, where nvidia-smi shows them; default: true"},
     {"neuron", &k_switch, "sample Neuron devices, where neuron-monitor is there; default: true"},
     {"hang", &k_duration,
      "after so long without output, metric or progress the attempt is ended, with cause timeout; default: "
      "never"}}};
constexpr Rule k_monitor = {.kinds = k_boolean | k_table,
                            .expected = "true or false, or a table { interval, gpu, neuron, hang }",
                            .keys = k_monitor_keys};

constexpr std::array<std::string_view, 1> k_log_words = {"all"};
constexpr Rule k_plain_size = {
    .kinds = k_string, .expected = R"(a size with its unit such as "64M" or "16Mi")", .format = Format::size};
constexpr std::array<Key, 2> k_log_keys = {
    {{"head", &k_plain_size, "what is kept from the beginning; default: 16Mi"},
     {"tail", &k_plain_size, "what is kept from the end of what follows; default: 1Mi"}}};
constexpr Rule k_log = {.kinds = k_string | k_table,
                        .expected = R"("all", or a table { head, tail })",
                        .choices = k_log_words,
                        .keys = k_log_keys,
                        .filled = true};

constexpr std::array<Key, 40> k_step_keys = {{
    {"run", &k_run,
     "the command. A text is given to a shell, in which {{ }} is a quoted variable and never text; a list is "
     "run without a shell"},
    {"shell", &k_shell, "the shell of a run that is a text; default: bash -euo pipefail -c"},
    {"flow", &k_filled_text, "instead of run: a flow's file, which is run as this step"},
    {"needs", &k_needs, "the steps that must have ended before; without any it starts with the run"},
    {"foreach", &k_bare_expression, "a list: one task for each item"},
    {"as", &k_loop_name, "what the item is called in expressions; default: item"},
    {"join", &k_join,
     "true closes the innermost foreach, a name that one and all within it; it runs once when all items have "
     "ended"},
    {"when", &k_bare_expression,
     "where it does not hold the step is skipped. failed() and always() make a clean-up step"},
    {"repeat", &k_repeat, "do the step again, each round a task"},
    {"params", &k_step_params,
     R"(parameters that it depends on besides those that it mentions; "*": all. Of a sub-flow: what that is )"
     "given; its secrets are those of this run, by their names"},
    {"inputs", &k_inputs, "artifacts that are laid into $AMP_IN besides those that run mentions"},
    {"outputs", &k_outputs,
     "the files and folders that it makes, by name; of a sub-flow, artifacts of its steps"},
    {"sources", &k_glob_list, "the files of the code that it depends on, for resume, cache and amp why"},
    {"env", &k_env, "variables that its tasks get"},
    {"secrets", &k_secrets,
     "secrets that its tasks get as variables, and where they come from: env:NAME, file:PATH, cmd:COMMAND"},
    {"cwd", &k_cwd, R"(the working folder; "task": an empty one of its own. Default: the project)"},
    {"resources", &k_resources, "what a task needs"},
    {"nodes", &k_positive, "nodes of a gang"},
    {"tasks_per_node", &k_positive,
     "ranks on each node of a gang; default: one for each GPU with torchrun, accelerate and deepspeed, else "
     "1"},
    {"launcher", &k_launcher, "how the ranks of a gang are started; default: none"},
    {"on", &k_profile, "the profile that runs it; default: that of the run"},
    {"image", &k_template, "the container image; on this machine only where container is true"},
    {"container", &k_switch_expression,
     "true: on this machine too the tasks run in the image, by docker or podman; default: false"},
    {"slurm", &k_free_table, "what only Slurm has", false, true},
    {"kubernetes", &k_free_table, "what only Kubernetes has", false, true},
    {"batch", &k_free_table, "what only AWS Batch has", false, true},
    {"retry", &k_retry, "retries, and of which causes; default: 0"},
    {"timeout", &k_duration_expression, "of an attempt; default: none"},
    {"max_wait", &k_duration_expression, "the longest time in a queue", false, true},
    {"fallback", &k_profile, "the profile to go to after max_wait", false, true},
    {"catch", &k_catch,
     "a failure counts as done; the error is an artifact, called error unless a name is given"},
    {"limit", &k_positive, "tasks of this step at once"},
    {"priority", &k_whole, "among tasks that are ready, the highest comes first; default: 0"},
    {"cache", &k_cache, "take over the result of an equal definition of any run"},
    {"checkpoint", &k_checkpoint,
     "what is written to $AMP_CHECKPOINT is saved, and laid back for the next attempt"},
    {"cache_dirs", &k_cache_dirs, "folders that persist across runs"},
    {"environment", &k_environment, "a Python environment of its own, made once a machine"},
    {"wait", &k_wait, "do not start before people approve, or the world is ready"},
    {"monitor", &k_monitor,
     "what of its use of processors, memory, storage and devices is sampled while it runs; false: nothing. "
     "Default: all of it, every 10s"},
    {"log", &k_log, "how much is kept of what it prints; default: the first 16 MiB and the last 1 MiB"},
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
