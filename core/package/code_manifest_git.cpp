#include "core/package/code_manifest_git.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/package/code_manifest.hpp"

namespace amp {
namespace {

constexpr double k_patience_s = 120;

/// nullopt when git is not installed.
std::optional<ToolResult> run_git(Process& process, const std::string& folder,
                                  std::vector<std::string> argv) {
    try {
        return process.run(argv, folder, k_patience_s);
    } catch (const Error& error) {
        if (error.code() != ExitCode::not_found) {
            throw;
        }
    }
    return std::nullopt;
}

/// Never takes a lock that another git would trip over, and never starts the monitor that a repository's own
/// configuration names: a project may be someone else's.
std::optional<std::string> ask_git(Process& process, const std::string& folder,
                                   std::vector<std::string> arguments) {
    std::vector<std::string> argv = {"git", "--no-optional-locks", "-c", "core.fsmonitor=false"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    auto result = run_git(process, folder, std::move(argv));
    if (result && result->exit == 0 && !result->timed_out && !result->truncated) {
        return std::move(result->out);
    }
    return std::nullopt;
}

/// Each once, of a list with a NUL behind each.
std::vector<std::string> sorted_paths(std::string_view text) {
    std::vector<std::string> paths;
    for (const std::string_view path : split(text, '\0')) {
        if (!path.empty()) {
            paths.emplace_back(path);
        }
    }
    if (!std::is_sorted(paths.begin(), paths.end())) {  // as git lists them where nothing is new
        std::sort(paths.begin(), paths.end());
    }
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    return paths;
}

}  // namespace

std::optional<GitState> git_state(Process& process, const std::string& folder) {
    const auto text = ask_git(
        process, folder,
        {"status", "--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--untracked-files=normal"});
    if (!text) {
        return std::nullopt;
    }
    constexpr std::string_view k_commit = "# branch.oid ";
    constexpr std::string_view k_branch = "# branch.head ";
    GitState state;
    for (const std::string_view line : split(*text, '\0')) {
        if (line.starts_with(k_commit)) {
            const std::string_view commit = line.substr(k_commit.size());
            state.commit = commit == "(initial)" ? "" : commit;
        } else if (line.starts_with(k_branch)) {
            const std::string_view branch = line.substr(k_branch.size());
            state.branch = branch == "(detached)" ? "" : branch;
        } else if (!line.empty() && !line.starts_with("# ")) {
            state.dirty = true;
            break;  // what follows are paths, which may look like anything
        }
    }
    return state;
}

bool git_refuses(Process& process, const std::string& folder) {
    // What it advises is a command, and so the same in every language.
    const auto result = run_git(process, folder, {"git", "rev-parse", "--git-dir"});
    return result && result->exit != 0 && result->err.find("safe.directory") != std::string::npos;
}

std::optional<std::vector<std::string>> git_files(Process& process, const std::string& folder) {
    const auto text = ask_git(process, folder, {"ls-files", "-co", "--exclude-standard", "-z"});
    if (!text) {
        return std::nullopt;
    }
    return sorted_paths(*text);  // unmerged files are listed once a side
}

std::optional<std::vector<std::string>> git_changes(Process& process, const std::string& folder) {
    const auto changed = ask_git(process, folder,
                                 {"diff", "HEAD", "--name-only", "--no-renames", "--no-ext-diff",
                                  "--ignore-submodules=all", "--relative", "-z"});
    const auto unknown = ask_git(process, folder, {"ls-files", "-o", "--exclude-standard", "-z"});
    if (!changed || !unknown) {
        return std::nullopt;
    }
    return sorted_paths(*changed + *unknown);
}

}  // namespace amp
