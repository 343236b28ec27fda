#include "cli/version.hpp"

#include "cli/session.hpp"
#include "cli/version_facts.hpp"
#include "core/base/version.hpp"

namespace amp {

ExitCode execute(Session& session, const VersionCommand&) {
    const VersionFacts facts = version_facts();
    if (!session.common.json) {
        session.out.result(std::string(facts.text));
        return ExitCode::ok;
    }
    Object libraries;
    for (const LinkedLibrary& library : facts.libraries) {
        libraries.emplace(library.name, library.version);
    }
    session.out.document(Object{{"schema", "amp.version/1"},
                                {"version", k_version},
                                {"commit", facts.commit.empty() ? Value() : Value(facts.commit)},
                                {"libraries", std::move(libraries)},
                                {"compiler", facts.compiler},
                                {"linkage", facts.linkage}});
    return ExitCode::ok;
}

}  // namespace amp
