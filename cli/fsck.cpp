#include "cli/fsck.hpp"

#include <fmt/format.h>

#include "cli/documents.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/run/fsck.hpp"

namespace amp {
namespace {

Value document(const FsckReport& report, bool repair) {
    List findings;
    for (const Finding& f : report.findings) {
        findings.push_back(Object{{"where", f.where},
                                  {"what", to_utf8(f.what)},
                                  {"means", f.means},
                                  {"remedy", f.remedy},
                                  {"severity", f.damage ? "damage" : "note"},
                                  {"repaired", f.repaired}});
    }
    return Object{{"schema", "amp.fsck/1"},
                  {"repair", repair},
                  {"sound", report.sound()},
                  {"findings", std::move(findings)},
                  {"runs", report.runs},
                  {"objects", report.objects},
                  {"size_bytes", report.bytes},
                  {"driven", List(report.driven.begin(), report.driven.end())},
                  {"quarantine", text_or_null(report.quarantine)}};
}

std::string text(const FsckReport& report) {
    std::string out;
    for (const Finding& f : report.findings) {
        out += fmt::format("{}: {}: {}\n  {}\n  {}: {}\n", f.damage ? "damage" : "note", f.where,
                           printable(f.what), f.means, f.repaired ? "repaired" : "repair", f.remedy);
    }
    for (const std::string& run : report.driven) {
        out += fmt::format("run {} was passed over: somebody drives it, or its tasks are at work\n", run);
    }
    out += fmt::format("{} runs, {} objects ({}): {}\n", report.runs, report.objects,
                       format_size(report.bytes), report.sound() ? "sound" : "damaged");
    if (!report.quarantine.empty()) {
        out += fmt::format("what was changed lies in {}\n", report.quarantine);
    }
    return out;
}

}  // namespace

ExitCode execute(Session& session, const FsckCommand& command) {
    const bool tell = session.out.presentation().out_is_tty && !session.common.quiet && !session.common.json;
    std::uint64_t told = 0;
    const auto progress = [&](std::uint64_t done, std::uint64_t all) {
        constexpr std::uint64_t k_every = 1000;
        if (tell && done / k_every > told) {
            told = done / k_every;
            session.out.say(fmt::format("{} of {} objects", done, all));
        }
    };
    const FsckReport report =
        check_store(session.services, session.project(), {command.runs, command.repair}, progress);
    if (session.common.json) {
        session.out.document(document(report, command.repair));
    } else {
        session.out.result(text(report));
    }
    return report.sound() ? ExitCode::ok : ExitCode::mismatch;
}

}  // namespace amp
