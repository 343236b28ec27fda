#include "cli/checkout.hpp"

#include <fmt/format.h>

#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/run/checkout.hpp"

namespace amp {

ExitCode execute(Session& session, const CheckoutCommand& command) {
    const CheckedOut out = checkout_run(session.services, session.project(), command.run, command.folder);
    for (const std::string& path : out.missing) {
        session.out.say(fmt::format("the run has not kept the content of {}", printable(path)));
    }
    if (!out.image_commit.empty()) {
        session.out.say(fmt::format(
            "its image has the code, but what was not committed: `git worktree add DIR {}` lays that",
            out.image_commit));
    }
    if (session.common.json) {
        List missing;
        for (const std::string& path : out.missing) {
            missing.emplace_back(to_utf8(path));
        }
        session.out.document(Object{{"schema", "amp.checkout/1"},
                                    {"run", out.run},
                                    {"folder", to_utf8(out.folder)},
                                    {"files", std::uint64_t{out.files}},
                                    {"missing", std::move(missing)}});
    } else {
        session.out.result(out.folder + "\n");
    }
    return out.missing.empty() ? ExitCode::ok : ExitCode::mismatch;
}

}  // namespace amp
