// What an attempt of `amp task exec` needs before it is started: its code, secrets, ports and folders.

#include <fmt/format.h>
#include <sys/resource.h>

#include <utility>

#include "backends/local/cache_folders.hpp"
#include "backends/local/exec_run.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/task/code.hpp"

namespace amp {

/// @throws Error when it cannot be done here
void ExecRun::prepare() {
    if (run_.spec.gang && run_.spec.gang->nodes > 1) {
        throw Error(ExitCode::infrastructure,
                    "a gang of several nodes is not started by `amp task exec` of one");
    }
    run_.scratch = pool_.take();
    learn_secrets();
    if (claim_.execution > 1) {
        log_of(run_, run_.first(), packs_)
            .note(fmt::format("begun again on {} (execution {})\n", claim_.by.host, claim_.execution),
                  SystemClock().now());
    }
    lay_code();
    if (run_.spec.gang) {
        for (std::uint32_t rank = 0; rank < run_.spec.gang->world(); ++rank) {
            run_.scratch->add_rank(rank);
        }
        auto ports = ports_.claim(port_count(*run_.spec.gang));
        if (!ports) {
            throw Error(ExitCode::infrastructure, "there is no port left for its ranks to meet at");
        }
        run_.ports = std::move(*ports);
    }
    if (run_.spec.checkpoint_s > 0) {
        run_.checkpoint =
            std::make_shared<Checkpoint>(pool_.folder() + "/checkpoint", objects_, spec_.run, run_.id.task);
    }
    TaskSpec named = run_.spec;
    std::string below = run_.scratch->folder();
    if (!spec_.code.empty()) {  // the code's folder goes with the attempt: what persists lies elsewhere
        below = std::exchange(named.cwd, {});
    }
    if (const std::string problem = make_cache_folders(named, below); !problem.empty()) {
        throw Error(ExitCode::infrastructure, problem);
    }
}

void ExecRun::lay_code() {
    if (spec_.code.empty()) {
        return;
    }
    std::string inner;
    if (run_.spec.cwd.starts_with(spec_.code_root + "/")) {
        inner = run_.spec.cwd.substr(spec_.code_root.size());
    } else if (!run_.spec.cwd.empty() && run_.spec.cwd != spec_.code_root) {
        throw Error(ExitCode::infrastructure,
                    fmt::format("its working folder '{}' lies outside of its code", run_.spec.cwd));
    }
    const CodeCache cache(pool_.cache_folder() + "-code");
    code_ = cache.find(spec_.code);
    if (!code_) {
        code_ = cache.lay(objects_, read_code_manifest(objects_, spec_.run, spec_.code));
    }
    const std::string own = pool_.folder() + "/code";
    lay_own_code(code_->folder, own);
    run_.spec.cwd = own + inner;
}

/// Whoever started us has put them into our environment, under the names that the task knows.
void ExecRun::learn_secrets() {
    std::vector<Secret> secrets;
    for (const auto& [name, key] : run_.spec.secrets) {
        const auto found = talk_.environment.find(name);
        if (found == talk_.environment.end()) {
            throw Error(ExitCode::infrastructure,
                        fmt::format("the secret '{}' was not given to the task runner", name));
        }
        secrets.push_back({key, name, found->second});
        secrets_.emplace_back(name, found->second);
    }
    const auto masks = std::make_shared<const MaskPatterns>(secrets);
    if (masks->empty()) {
        return;
    }
    rlimit cores{};
    if (getrlimit(RLIMIT_CORE, &cores) == 0) {
        cores.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &cores);
    }
    run_.masks = masks;
    for (TaskProcess& process : run_.processes) {
        process.masker = std::make_unique<Masker>(masks);
    }
}

}  // namespace amp
