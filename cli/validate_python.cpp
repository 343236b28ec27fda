#include "cli/validate_python.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/documents.hpp"
#include "cli/report.hpp"
#include "core/base/text.hpp"
#include "core/python/flow_reader.hpp"
#include "core/python/validate_flow.hpp"

namespace amp {
namespace {

/// More than the reader takes, so that it is the reader which says so.
constexpr std::uint64_t k_file_bytes = std::uint64_t{64} << 20;

constexpr const char* k_not_run = "flows in Python are checked, but not run, by this version of amp";

struct Note {
    std::string key;
    Place place;
    std::string message;
};

/// What users should know of a flow that may be right: that it does not run, and what was not looked at.
std::vector<Note> notes_of(const CheckedPython& checked) {
    std::vector<Note> out;
    if (checked.flow.found != python::PythonFlow::Found::one) {
        return out;
    }
    out.push_back({"flow", checked.flow.place, k_not_run});
    for (const python::Undecided& one : checked.flow.undecided) {
        out.push_back({one.step.empty() ? "flow" : "step." + one.step, one.place,
                       one.reason + ": what that does is not checked"});
    }
    return out;
}

}  // namespace

CheckedPython check_python(Services& services, const std::string& path) {
    CheckedPython checked;
    checked.path = path;
    checked.source = services.files.read(path, k_file_bytes);
    checked.flow = python::read_python_flow(checked.source, checked.diagnostics);
    if (!checked.diagnostics.has_errors()) {
        python::validate_flow(checked.flow, checked.diagnostics);
    }
    return checked;
}

void tell(Output& out, const CheckedPython& checked, bool quiet) {
    const std::string findings =
        diagnostics_text(checked.diagnostics, checked.path, checked.source, out.err_style());
    if (!findings.empty()) {
        out.say(trim(findings));
        out.say("");
    }
    const std::string path = printable(checked.path);
    if (!quiet) {
        const std::vector<Note> notes = notes_of(checked);
        for (const Note& note : notes) {
            out.say(fmt::format("{}: {}:{}:{}: {}", out.err_style().cyan("note"), path, note.place.line,
                                note.place.column, printable(note.message)));
        }
        if (!notes.empty()) {
            out.say("");
        }
    }
    if (checked.diagnostics.has_errors()) {
        out.say(fmt::format("{}: {} has {}", out.err_style().bold(out.err_style().red("error")), path,
                            count_findings(checked.diagnostics)));
    } else if (!quiet) {
        const std::size_t steps = checked.flow.steps.size();
        const std::string also = findings.empty() ? "" : ", with " + count_findings(checked.diagnostics);
        const bool complete = checked.flow.complete();
        out.result(fmt::format("{} {}: {} step{}{}\n", path,
                               complete ? "is valid" : "is valid as far as it can be read", steps,
                               steps == 1 ? "" : "s", also));
    }
}

Value document_of(const CheckedPython& checked) {
    List notes;
    for (const Note& note : notes_of(checked)) {
        notes.emplace_back(Object{{"key", note.key},
                                  {"line", std::int64_t{note.place.line}},
                                  {"column", std::int64_t{note.place.column}},
                                  {"message", to_utf8(note.message)}});
    }
    return Object{{"file", to_utf8(checked.path)},
                  {"flow", text_or_null(checked.flow.name)},
                  {"valid", !checked.diagnostics.has_errors()},
                  {"steps", checked.flow.steps.size()},
                  {"diagnostics", diagnostics_value(checked.diagnostics, checked.path, checked.source)},
                  {"notes", std::move(notes)},
                  {"error", Value()}};
}

}  // namespace amp
