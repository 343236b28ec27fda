#include "core/task/exec_spec.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"

namespace amp {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw Error(ExitCode::mismatch, "the spec cannot be obeyed: " + what, "spec");
}

}  // namespace

Value to_value(const ExecSpec& spec) {
    Object out{{"schema", ExecSpec::k_schema},
               {"store", spec.store},
               {"run", spec.run},
               {"epoch", std::uint64_t{spec.epoch}},
               {"spec", to_value(spec.spec)}};
    if (!spec.code.empty()) {
        out["code"] = Object{{"manifest", spec.code}, {"root", spec.code_root}};
    }
    if (spec.term != Cause::preempted) {
        out["term"] = cause_name(spec.term);
    }
    return out;
}

ExecSpec exec_spec_from(const Value& value) {
    const std::int64_t schema = get_int(value, "schema");
    if (schema > ExecSpec::k_schema) {
        throw Error(ExitCode::mismatch,
                    fmt::format("the spec was written by a newer amp (schema {}, and this one knows {})",
                                schema, ExecSpec::k_schema),
                    "spec", "let the tasks have the amp that submits them");
    }
    const Value* spec = value.find("spec");
    if (schema < 1 || spec == nullptr) {
        fail(schema < 1 ? "it says no schema" : "it has no spec");
    }
    ExecSpec out;
    out.store = get_string(value, "store");
    out.run = get_string(value, "run");
    out.epoch = static_cast<std::uint32_t>(get_int(value, "epoch", 1));
    try {
        out.spec = task_spec_from(*spec);
    } catch (const Error& error) {
        fail(error.message());
    }
    if (const Value* code = value.find("code")) {
        out.code = get_string(*code, "manifest");
        out.code_root = get_string(*code, "root");
    }
    const std::string term = get_string(value, "term", "preempted");
    if (!out.store.starts_with('/')) {
        fail(fmt::format("the store '{}' is no absolute path of a folder", out.store));
    }
    if (!is_run_id(out.run)) {
        fail(fmt::format("'{}' is no run", out.run));
    }
    if (out.spec.token.empty()) {
        fail("the task has no token");
    }
    if (out.spec.container) {
        fail("the task runs in a container, which whoever submits it must start");
    }
    if (term != "preempted" && term != "cancelled") {
        fail(fmt::format("TERM cannot mean '{}'", term));
    }
    out.term = term == "cancelled" ? Cause::cancelled : Cause::preempted;
    return out;
}

}  // namespace amp
