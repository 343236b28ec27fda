#include "cli/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/documents.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/base/version.hpp"
#include "core/run/doctor.hpp"

namespace amp {
namespace {

Value document(const std::vector<Diagnosis>& checks, bool failed) {
    List list;
    for (const Diagnosis& d : checks) {
        list.push_back(Object{{"check", d.check},
                              {"health", health_name(d.health)},
                              {"found", to_utf8(d.found)},
                              {"means", text_or_null(d.means)},
                              {"advice", text_or_null(d.advice)}});
    }
    return Object{{"schema", "amp.doctor/1"},
                  {"version", k_version},
                  {"healthy", !failed},
                  {"checks", std::move(list)}};
}

std::string text(const std::vector<Diagnosis>& checks, const Style& style) {
    std::string out = fmt::format("amp {}\n", k_version);
    for (const Diagnosis& d : checks) {
        const std::string name(health_name(d.health));
        const std::string shown = d.health == Health::good      ? style.green(name)
                                  : d.health == Health::warning ? style.yellow(name)
                                                                : style.red(name);
        out += fmt::format("{}{} {:<11} {}\n", shown, std::string(8 - name.size(), ' '), d.check,
                           printable(d.found));
        if (d.health != Health::good) {
            out += fmt::format("         {}\n         {}\n", printable(d.means), printable(d.advice));
        }
    }
    return out;
}

}  // namespace

ExitCode execute(Session& session, const DoctorCommand&) {
    const std::vector<Diagnosis> checks =
        examine(session.services, session.common.overrides, session.common.profile);
    const bool failed = std::any_of(checks.begin(), checks.end(),
                                    [](const Diagnosis& d) { return d.health == Health::failure; });
    if (session.common.json) {
        session.out.document(document(checks, failed));
    } else {
        session.out.result(text(checks, session.out.out_style()));
    }
    return failed ? ExitCode::infrastructure : ExitCode::ok;
}

}  // namespace amp
