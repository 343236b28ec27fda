#include "core/run/shell_elsewhere.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/run/profiles.hpp"
#include "core/run/secrets.hpp"
#include "core/run/visit.hpp"

namespace amp {
namespace {

ProfileUse profile_of(const PastRun& past, const std::string& name) {
    for (ProfileUse& use : used_profiles(*past.read.record, past.read.flow->flow)) {
        if (use.name == name) {
            return std::move(use);
        }
    }
    throw Error(ExitCode::mismatch, fmt::format("the run has no profile '{}'", name), past.run);
}

}  // namespace

ShellEnd enter_held_elsewhere(Services& services, const OpenStore& store, const PastRun& past,
                              const Hold& hold, const ShellQuery& query,
                              const std::function<void(const ShellBegin&)>& begins) {
    FarShell shell;
    shell.profile = profile_of(past, hold.profile);
    shell.run = past.run;
    shell.id = {TaskName::parse(hold.task), hold.attempt};
    shell.command = query.command;
    ShellEnd end;
    end.begin.run = past.run;
    end.begin.task = shell.id.task;
    end.begin.attempt = hold.attempt;
    end.begin.machine = get_string(shell.profile.settings, "host");
    end.begin.held_until = hold.until;
    Visit visit(services, store, past.run, hold.task);
    shell.stays = [&visit] { visit.beat(); };
    begins(end.begin);
    end.result = services.enter_elsewhere(store, shell);
    end.freed = visit.leave();
    return end;
}

ShellEnd enter_new_elsewhere(Services& services, const Project& project, const OpenStore& store,
                             const PastRun& past, TaskSpec spec, const ShellQuery& query,
                             const std::function<void(const ShellBegin&)>& begins) {
    FarShell shell;
    shell.profile = profile_of(past, spec.profile);
    shell.run = past.run;
    shell.id = {spec.task, spec.attempt};
    shell.command = query.command;
    FarShell::Made& made = shell.made.emplace();
    if (!spec.secrets.empty()) {
        made.secrets = look_up_secrets(services, project.folder, past.data().flow());
    }
    made.spec = std::move(spec);
    made.project_folder = past.read.record->project_folder;
    made.code = std::make_shared<const CodeManifest>(past.read.record->code);
    ShellEnd end;
    end.begin.run = past.run;
    end.begin.task = shell.id.task;
    end.begin.attempt = shell.id.attempt;
    end.begin.machine = get_string(shell.profile.settings, "host");
    begins(end.begin);
    end.result = services.enter_elsewhere(store, shell);
    return end;
}

}  // namespace amp
