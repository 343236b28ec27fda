#include "core/run/containers.hpp"

#include <fmt/format.h>

#include <set>

#include "core/base/error.hpp"
#include "core/flow/setting.hpp"
#include "core/run/profiles.hpp"
#include "core/run/run_scope.hpp"

namespace amp {
namespace {

constexpr std::string_view k_local = "local";
constexpr std::string_view k_containers = "containers";

Object recorded(const RunRecord& record) {
    const Value* local = record.profiles.find(k_local);
    return local == nullptr ? Object{} : get_object(*local, k_containers);
}

void put_into(RunRecord& record, Object containers) {
    Object profiles = record.profiles.is_object() ? record.profiles.as_object() : Object{};
    Object local = get_object(record.profiles, k_local);
    local.insert_or_assign(std::string(k_containers), std::move(containers));
    profiles.insert_or_assign(std::string(k_local), std::move(local));
    record.profiles = std::move(profiles);
}

bool is_true(const Setting& setting, const Scope& scope) {
    const Value value = evaluate(setting, scope);
    if (!value.is_bool()) {
        throw Error(ExitCode::invalid, "container must be true or false", "container");
    }
    return value.as_bool();
}

/// What is known of the flow's tasks on this machine.
struct Wanted {
    std::set<std::string> images;
    bool any = false;  ///< or there may be some
};

void look_at(const Flow& flow, const RunRecord& record, bool all, Wanted& wanted) {
    const RecordScope scope(record, flow.name);
    for (const Step& step : flow.steps) {
        if (!step.image && !step.container) {
            continue;
        }
        try {
            if (elsewhere(record, profile_name(step, record, scope)).empty()) {
                wanted.images.insert(contained_image(step, scope, all));
            }
        } catch (const Error&) {  // it depends on items or artifacts: told when the task starts
            wanted.any = true;
        }
    }
    wanted.images.erase("");
    wanted.any = wanted.any || !wanted.images.empty();
}

ImageIdentity get_image(Services& services, const Engine& engine, const std::string& image) {
    Waiter& waiter = services.waiter.get();
    const bool whole = pull_image(services.process, engine, image, [&waiter] {
        return waiter.interrupts() == 0 && waiter.terminating_signal() == 0;
    });
    if (!whole) {
        throw Error(waiter.interrupts() > 0 ? ExitCode::interrupted : ExitCode::terminated,
                    fmt::format("stopped while the image '{}' was being pulled", image));
    }
    const auto identity = look_up_image(services.process, engine, image);
    if (!identity) {
        throw Error(ExitCode::infrastructure,
                    fmt::format("{} has pulled the image '{}', and does not know it", engine.name, image));
    }
    return *identity;
}

}  // namespace

std::string contained_image(const Step& step, const Scope& scope, bool all) {
    const bool runs = step.subflow.empty() && !step.only_waits();
    const bool contained = all ? step.image.has_value() : step.container && is_true(*step.container, scope);
    if (!runs || !contained) {
        return {};
    }
    const Value name = step.image ? evaluate(*step.image, scope) : Value();
    if (!name.is_string() || name.as_string().empty() || name.as_string().front() == '-') {
        throw Error(ExitCode::invalid, "it runs in a container, but has no image", step.name,
                    "name one: image = \"python:3.12\"");
    }
    return name.as_string();
}

RecordedContainer recorded_container(const Step& step, const Scope& scope, const RunRecord& record,
                                     bool here) {
    const Object known = recorded(record);
    RecordedContainer out;
    out.image = out.digest = contained_image(step, scope, !here || get_bool(known, "all"));
    if (out.image.empty() || !here) {
        return out;
    }
    out.engine = get_string(known, "engine");
    const Value images = get_object(known, "images");
    if (const Value* image = images.find(out.image)) {
        out.digest = get_string(*image, "digest");
        out.image = get_string(*image, "reference");
    }
    return out;
}

void contain_all(Value& settings) {
    Object all = settings.is_object() ? settings.as_object() : Object{};
    Object containers = get_object(settings, k_containers);
    containers.insert_or_assign("all", true);
    all.insert_or_assign(std::string(k_containers), std::move(containers));
    settings = std::move(all);
}

std::string wanted_engine(const Services& services, const Value& settings) {
    const std::string engine = get_string(get_object(settings, k_containers), "engine");
    const auto variable = services.environment.find(k_engine_variable);
    return engine.empty() && variable != services.environment.end() ? variable->second : engine;
}

void record_containers(Services& services, const Value& settings, const Flow& flow, const Subflows& subflows,
                       RunRecord& record, bool pull, const std::function<void(const std::string&)>& tell) {
    Object known = recorded(record);
    const bool all = get_bool(known, "all") || get_bool(get_object(settings, k_containers), "all");
    Wanted wanted;
    look_at(flow, record, all, wanted);
    for (const auto& [key, subflow] : subflows) {
        look_at(subflow.flow, RunRecord(), all, wanted);  // what it is given is not known yet
    }
    if (!wanted.any) {
        return;
    }
    const Engine engine = find_engine(services.process, wanted_engine(services, settings));
    Object images = get_object(known, "images");
    for (const std::string& image : wanted.images) {
        auto identity = look_up_image(services.process, engine, image);
        if (!identity && pull) {
            tell(fmt::format("{} pulls the image {}", engine.name, image));
            identity = get_image(services, engine, image);
        }
        if (identity) {
            images.insert_or_assign(image,
                                    Object{{"digest", identity->digest}, {"reference", identity->reference}});
            tell(fmt::format("the image {} is {} ({} {})", image, identity->digest, engine.name,
                             engine.version));
        }
    }
    put_into(record, Object{{"all", all}, {"engine", engine_text(engine)}, {"images", std::move(images)}});
}

void check_engine(Services& services, const RunRecord& record) {
    if (const std::string engine = get_string(recorded(record), "engine"); !engine.empty()) {
        find_engine(services.process, engine);
    }
}

}  // namespace amp
