#include "core/python/names.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace amp::python {
namespace {

constexpr auto k_metaflow_names = std::to_array<std::string_view>({"Config",
                                                                   "ConfigValue",
                                                                   "DataArtifact",
                                                                   "Deployer",
                                                                   "Flow",
                                                                   "FlowMutator",
                                                                   "FlowSpec",
                                                                   "IncludeFile",
                                                                   "JSONType",
                                                                   "JSONTypeClass",
                                                                   "Metaflow",
                                                                   "MutableFlow",
                                                                   "MutableStep",
                                                                   "NBDeployer",
                                                                   "NBRunner",
                                                                   "Parameter",
                                                                   "Run",
                                                                   "Runner",
                                                                   "S3",
                                                                   "Step",
                                                                   "StepMutator",
                                                                   "Task",
                                                                   "UserStepDecorator",
                                                                   "airflow_external_task_sensor",
                                                                   "airflow_s3_key_sensor",
                                                                   "batch",
                                                                   "card",
                                                                   "catch",
                                                                   "checkpoint",
                                                                   "conda",
                                                                   "conda_base",
                                                                   "config_expr",
                                                                   "current",
                                                                   "deepspeed",
                                                                   "default_metadata",
                                                                   "default_namespace",
                                                                   "environment",
                                                                   "exit_hook",
                                                                   "get_metadata",
                                                                   "get_namespace",
                                                                   "gpu_profile",
                                                                   "huggingface_hub",
                                                                   "kubernetes",
                                                                   "metadata",
                                                                   "metaflow_ray",
                                                                   "model",
                                                                   "namespace",
                                                                   "namespaced_event_name",
                                                                   "parallel",
                                                                   "parallel_imap_unordered",
                                                                   "parallel_map",
                                                                   "profile",
                                                                   "project",
                                                                   "pypi",
                                                                   "pypi_base",
                                                                   "pyproject_toml_parser",
                                                                   "pytorch_parallel",
                                                                   "requirements_txt_parser",
                                                                   "resources",
                                                                   "retry",
                                                                   "schedule",
                                                                   "secrets",
                                                                   "slurm",
                                                                   "step",
                                                                   "timeout",
                                                                   "torchrun",
                                                                   "trigger",
                                                                   "trigger_on_finish",
                                                                   "user_step_decorator",
                                                                   "with_artifact_store",
                                                                   "yaml_parser"});

constexpr auto k_builtins = std::to_array<std::string_view>(
    {"Exception", "KeyError",     "RuntimeError", "ValueError", "abs",        "all",     "any",
     "ascii",     "bin",          "bool",         "breakpoint", "bytearray",  "bytes",   "callable",
     "chr",       "classmethod",  "compile",      "complex",    "delattr",    "dict",    "dir",
     "divmod",    "enumerate",    "eval",         "exec",       "filter",     "float",   "format",
     "frozenset", "getattr",      "globals",      "hasattr",    "hash",       "help",    "hex",
     "id",        "input",        "int",          "isinstance", "issubclass", "iter",    "len",
     "list",      "locals",       "map",          "max",        "memoryview", "min",     "next",
     "object",    "oct",          "open",         "ord",        "pow",        "print",   "property",
     "range",     "repr",         "reversed",     "round",      "set",        "setattr", "slice",
     "sorted",    "staticmethod", "str",          "sum",        "super",      "tuple",   "type",
     "vars",      "zip"});

}  // namespace

bool is_metaflow_name(std::string_view name) {
    return std::find(k_metaflow_names.begin(), k_metaflow_names.end(), name) != k_metaflow_names.end();
}

Names::Names(const SourceText& source, const Tree& tree) : source_(source), tree_(tree) {
    scan(tree.children(tree.root()));
    find_constants();
}

void Names::count_targets(NodeId target) {
    if (target == k_no_node) {
        return;
    }
    const Node& it = tree_[target];
    if (it.kind == Kind::name) {
        ++times_bound_[it.text];
    } else if (it.kind == Kind::tuple || it.kind == Kind::list || it.kind == Kind::starred) {
        for (const NodeId child : tree_.children(target)) {
            count_targets(child);
        }
    }
}

/// Names of the top level that are bound by one statement in the whole file, whatever its scope: so no class
/// or function has another one of that name, and no `global` changes it.
void Names::find_constants() {
    for (NodeId id = 1; id < tree_.size(); ++id) {
        const Node& it = tree_[id];
        switch (it.kind) {
            case Kind::assign:
            case Kind::delete_:
            case Kind::global_:
                for (const NodeId target : tree_.children(id).subspan(it.kind == Kind::assign ? 1 : 0)) {
                    count_targets(target);
                }
                break;
            case Kind::ann_assign:
            case Kind::aug_assign:
            case Kind::for_:
            case Kind::named:
            case Kind::comprehension:
                count_targets(tree_.child(id, 0));
                break;
            case Kind::with_item:
                count_targets(tree_.child(id, 1));
                break;
            case Kind::alias:
                count_targets(tree_.child(id, 0));
                [[fallthrough]];
            case Kind::function_def:
            case Kind::class_def:
            case Kind::except_handler:
            case Kind::match_as:
                ++times_bound_[it.text];
                break;
            default:
                break;
        }
    }
    for (const NodeId id : tree_.children(tree_.root())) {
        const bool plain = tree_[id].kind == Kind::assign && tree_.children(id).size() == 2;
        const NodeId target = plain                                ? tree_.child(id, 1)
                              : tree_[id].kind == Kind::ann_assign ? tree_.child(id, 0)
                                                                   : k_no_node;
        const NodeId value = tree_.child(id, plain ? 0 : 2);
        if (!tree_.is(target, Kind::name) || value == k_no_node || times_bound_[tree_[target].text] != 1) {
            continue;
        }
        assigned_[tree_[target].text] = value;
        const auto known = literal_value(tree_, value);
        if (known && !known->is_list() && !known->is_object()) {
            constants_[tree_[target].text] = *known;
        }
    }
}

NodeId Names::assigned(std::string_view name) const {
    const auto it = assigned_.find(name);
    return it == assigned_.end() ? k_no_node : it->second;
}

Place Names::place(std::string_view text) const {
    const char* const begin = source_.text().data();
    if (std::less<>()(text.data(), begin) || std::less<>()(begin + source_.size(), text.data())) {
        return {};  // a text that is put together, as `a . b`
    }
    const auto offset = static_cast<std::uint32_t>(text.data() - begin);
    return source_.place(offset, offset + static_cast<std::uint32_t>(text.size()));
}

/// All statements that run when the file is read, whatever the conditions around them.
void Names::scan(std::span<const NodeId> statements) {
    for (const NodeId id : statements) {
        statement(id);
    }
}

void Names::statement(NodeId id) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::import_:
            import(id);
            break;
        case Kind::import_from:
            import_from(id);
            break;
        case Kind::function_def:
            functions_[it.text] = id;
            bind(it.text, {Origin::Kind::defined, {}, std::string(it.text)});
            break;
        case Kind::class_def:
            bind(it.text, {Origin::Kind::defined, {}, std::string(it.text)});
            break;
        case Kind::assign:
            for (const NodeId target : tree_.children(id).subspan(1)) {
                bind_target(target);
            }
            break;
        case Kind::ann_assign:
        case Kind::aug_assign:
        case Kind::for_:
            bind_target(tree_.child(id, 0));
            break;
        default:
            break;
    }
    const bool has_blocks = it.kind == Kind::if_ || it.kind == Kind::branch || it.kind == Kind::for_ ||
                            it.kind == Kind::while_ || it.kind == Kind::with_ || it.kind == Kind::try_ ||
                            it.kind == Kind::except_handler || it.kind == Kind::match ||
                            it.kind == Kind::match_case || it.kind == Kind::group;
    if (has_blocks) {
        for (const NodeId child : tree_.children(id)) {
            statement(child);
        }
    }
}

void Names::bind(std::string_view name, Origin origin) {
    const auto [it, fresh] = bindings_.try_emplace(name, Binding{origin, true});
    if (!fresh && (it->second.origin.dotted() != origin.dotted() || origin.kind == Origin::Kind::unknown)) {
        // Imported in a `try` here, and made up in its `except` there: what is imported is what is meant.
        if (origin.kind == Origin::Kind::imported || it->second.origin.kind != Origin::Kind::imported) {
            it->second.origin = std::move(origin);
        }
        it->second.sure = false;
    }
}

void Names::bind_target(NodeId target) {
    const Node& it = tree_[target];
    if (it.kind == Kind::name) {
        bind(it.text, {});
    } else if (it.kind == Kind::tuple || it.kind == Kind::list || it.kind == Kind::starred) {
        for (const NodeId child : tree_.children(target)) {
            bind_target(child);
        }
    }
}

void Names::import(NodeId id) {
    for (const NodeId alias : tree_.children(id)) {
        const std::string_view module = tree_[alias].text;
        if (const NodeId as = tree_.child(alias, 0); as != k_no_node) {
            bind(tree_[as].text, {Origin::Kind::imported, std::string(module), {}});
        } else {
            const std::string_view top = module.substr(0, module.find('.'));
            bind(top, {Origin::Kind::imported, std::string(top), {}});
        }
    }
}

void Names::import_from(NodeId id) {
    const std::string module = std::string(tree_[id].number, '.').append(tree_[id].text);
    for (const NodeId alias : tree_.children(id)) {
        const std::string_view name = tree_[alias].text;
        if (name == "*") {
            const bool known = Origin{Origin::Kind::imported, module, {}}.from_metaflow();
            metaflow_star_ = metaflow_star_ || known;
            if (!known) {
                star_imports_.push_back(id);
            }
            continue;
        }
        const NodeId as = tree_.child(alias, 0);
        bind(as == k_no_node ? name : tree_[as].text, {Origin::Kind::imported, module, std::string(name)});
    }
}

NodeId Names::function(std::string_view name) const {
    const auto it = functions_.find(name);
    return it == functions_.end() ? k_no_node : it->second;
}

std::vector<std::string_view> Names::chain(NodeId expression) const {
    std::vector<std::string_view> parts;
    while (tree_.is(expression, Kind::attribute)) {
        parts.push_back(tree_[expression].text);
        expression = tree_.child(expression, 0);
    }
    if (!tree_.is(expression, Kind::name)) {
        return {};
    }
    parts.push_back(tree_[expression].text);
    std::reverse(parts.begin(), parts.end());
    return parts;
}

std::string Names::quoted(NodeId id) const {
    constexpr std::size_t k_longest = 60;
    std::string_view written = source_.slice(tree_[id].begin, tree_[id].end);
    written = written.substr(0, written.find_first_of("\r\n"));
    const bool whole = tree_[id].begin + written.size() == tree_[id].end && written.size() <= k_longest;
    std::size_t length = std::min(written.size(), k_longest);
    while (length > 0 && length < written.size() &&
           (static_cast<unsigned char>(written[length]) & 0xC0) == 0x80) {
        --length;
    }
    return std::string("'").append(written.substr(0, length)).append(whole ? "'" : "…'");
}

/// `renamed`: by how many names that only stand for another one it came here.
Origin Names::origin(NodeId expression, int renamed) const {
    const auto parts = chain(expression);
    if (parts.empty()) {
        return {};
    }
    Origin found;
    if (const auto it = bindings_.find(parts.front()); it != bindings_.end()) {
        found = it->second.origin;
    } else if (metaflow_star_ && is_metaflow_name(parts.front())) {
        found = {Origin::Kind::imported, "metaflow", std::string(parts.front())};
    } else if (std::find(k_builtins.begin(), k_builtins.end(), parts.front()) != k_builtins.end()) {
        found = {Origin::Kind::builtin, {}, std::string(parts.front())};
    }
    if (found.kind == Origin::Kind::unknown) {
        const NodeId same = assigned(parts.front());  // `step = metaflow.step`
        if (same == k_no_node || renamed > 4 || chain(same).empty()) {
            return {};
        }
        found = origin(same, renamed + 1);
        if (found.kind == Origin::Kind::unknown) {
            return {};
        }
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
        found.name.append(found.name.empty() ? "" : ".").append(parts[i]);
    }
    return found;
}

SourceValue Names::value(NodeId expression) const {
    SourceValue out;
    out.value = literal_value(tree_, expression, constants_);
    out.source = text(expression);
    out.place = place(expression);
    if (!out.value) {
        out.refers_to = origin(expression).dotted();
    }
    return out;
}

Arguments Names::arguments(std::span<const NodeId> given) const {
    Arguments out;
    for (const NodeId id : given) {
        const Node& it = tree_[id];
        if (it.kind == Kind::keyword) {
            out.unpacks = out.unpacks || it.text.empty();
            out.keywords.push_back({std::string(it.text), value(tree_.child(id, 0)), place(id)});
        } else {
            out.unpacks = out.unpacks || it.kind == Kind::starred;
            out.positional.push_back(value(id));
        }
    }
    return out;
}

}  // namespace amp::python
