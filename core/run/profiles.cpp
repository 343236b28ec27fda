#include "core/run/profiles.hpp"

#include <fmt/format.h>

#include <set>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/setting.hpp"
#include "core/run/run_scope.hpp"

namespace amp {
namespace {

constexpr std::string_view k_local = "local";

}  // namespace

Value recorded_profiles(const Value& settings) {
    Object out;
    for (const auto& [name, table] : get_object(settings, "profile")) {
        if (table.is_object()) {
            Object kept = table.as_object();
            kept.erase("step");  // stands in the record as `overrides`
            out.emplace(name, std::move(kept));
        }
    }
    return out;
}

std::string profile_name(const Step& step, const RunRecord& record, const Scope& scope) {
    if (!step.on) {
        return record.profile;
    }
    const Value name = evaluate(*step.on, scope);
    if (!name.is_string()) {
        throw Error(ExitCode::invalid, "`on` is the name of a profile, and nothing else", step.name);
    }
    if (name.as_string() != k_local && record.profiles.find(name.as_string()) == nullptr) {
        throw Error(ExitCode::invalid, fmt::format("there is no profile '{}'", printable(name.as_string())),
                    step.name, "profiles stand in amp.toml");
    }
    return name.as_string();
}

std::string elsewhere(const RunRecord& record, const std::string& profile) {
    const Value* table = record.profiles.find(profile);
    return table == nullptr || get_string(*table, "backend", k_local) == k_local ? std::string() : profile;
}

std::vector<ProfileUse> used_profiles(const RunRecord& record, const Flow& flow) {
    std::set<std::string> sure;
    bool any = false;
    const RecordScope scope(record, flow.name);
    for (const Step& step : flow.steps) {
        try {
            sure.insert(profile_name(step, record, scope));
        } catch (const Error&) {  // it depends on items or artifacts
            any = true;
        }
    }
    std::vector<ProfileUse> uses;
    if (!record.profiles.is_object()) {
        return uses;
    }
    for (const auto& [name, settings] : record.profiles.as_object()) {
        if (!elsewhere(record, name).empty() && (any || sure.contains(name))) {
            uses.push_back({name, settings, sure.contains(name)});
        }
    }
    return uses;
}

}  // namespace amp
