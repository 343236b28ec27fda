#include "cli/validate.hpp"

#include <fmt/format.h>

#include "cli/documents.hpp"
#include "cli/report.hpp"
#include "cli/session.hpp"
#include "cli/validate_python.hpp"
#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "core/run/python_flow.hpp"
#include "core/run/start.hpp"

namespace amp {
namespace {

std::string note_of(const LaterKey& key) {
    return fmt::format("{} is not acted upon yet", printable(key.key));
}

void tell_notes(Output& out, const LoadedFlow& loaded) {
    const std::vector<LaterKey> keys = keys_not_acted_upon(loaded.flow);
    for (const LaterKey& key : keys) {
        out.say(fmt::format("{}: {}:{}:{}: {}", out.err_style().cyan("note"), printable(loaded.flow.path),
                            key.place.line, key.place.column, note_of(key)));
    }
    if (!keys.empty()) {
        out.say("");
    }
}

void tell(Output& out, const LoadedFlow& loaded, bool quiet) {
    const std::string findings =
        diagnostics_text(loaded.diagnostics, loaded.flow.path, loaded.flow.source, out.err_style());
    if (!findings.empty()) {
        out.say(trim(findings));
        out.say("");
    }
    if (!quiet) {
        tell_notes(out, loaded);
    }
    const std::string path = printable(loaded.flow.path);
    if (loaded.diagnostics.has_errors()) {
        out.say(fmt::format("{}: {} has {}", out.err_style().bold(out.err_style().red("error")), path,
                            count_findings(loaded.diagnostics)));
    } else if (!quiet) {
        const std::size_t steps = loaded.flow.steps.size();
        const std::string also = findings.empty() ? "" : ", with " + count_findings(loaded.diagnostics);
        out.result(fmt::format("{} is valid: {} step{}{}\n", path, steps, steps == 1 ? "" : "s", also));
    }
}

Value document_of(const LoadedFlow& loaded) {
    List notes;
    for (const LaterKey& key : keys_not_acted_upon(loaded.flow)) {
        notes.emplace_back(Object{{"key", key.key},
                                  {"line", std::int64_t{key.place.line}},
                                  {"column", std::int64_t{key.place.column}},
                                  {"message", note_of(key)}});
    }
    return Object{
        {"file", loaded.flow.path},
        {"flow", text_or_null(loaded.flow.name)},
        {"valid", !loaded.diagnostics.has_errors()},
        {"steps", loaded.flow.steps.size()},
        {"diagnostics", diagnostics_value(loaded.diagnostics, loaded.flow.path, loaded.flow.source)},
        {"notes", std::move(notes)},
        {"error", Value()}};
}

/// Of a file that cannot be read.
Value document_of(const std::string& path, const Error& error) {
    return Object{{"file", to_utf8(path)},
                  {"flow", Value()},
                  {"valid", false},
                  {"steps", 0},
                  {"diagnostics", List()},
                  {"notes", List()},
                  {"error", to_utf8(error.message())}};
}

}  // namespace

ExitCode execute(Session& session, const ValidateCommand& command) {
    const Project project = session.project();
    const std::vector<std::string> flows =
        command.flows.empty() ? std::vector<std::string>{""} : command.flows;
    const bool json = session.common.json || command.format == "json";
    bool valid = true;
    ExitCode unreadable = ExitCode::ok;  // why the first one was, where none is invalid
    List documents;
    for (const std::string& path : flows) {
        try {
            if (is_python_flow(path)) {
                const CheckedPython checked = check_python(session.services, path);
                valid = valid && !checked.diagnostics.has_errors();
                if (json) {
                    documents.push_back(document_of(checked));
                } else {
                    tell(session.out, checked, session.common.quiet);
                }
                continue;
            }
            const LoadedFlow loaded = load_and_validate(session.services, project, path);
            valid = valid && !loaded.diagnostics.has_errors();
            if (json) {
                documents.push_back(document_of(loaded));
            } else {
                tell(session.out, loaded, session.common.quiet);
            }
        } catch (const Error& error) {
            if (flows.size() == 1) {
                throw;
            }
            unreadable = unreadable == ExitCode::ok ? error.code() : unreadable;
            documents.push_back(document_of(path, error));
            session.out.say(error_text(error, session.out.err_style()));
        }
    }
    if (json) {
        session.out.document(Object{{"schema", "amp.validation/1"},
                                    {"valid", valid && unreadable == ExitCode::ok},
                                    {"flows", std::move(documents)}});
    }
    return valid ? unreadable : ExitCode::invalid;
}

}  // namespace amp
