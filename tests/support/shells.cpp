#include "tests/support/shells.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace amp::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

std::string read_all(int fd) {
    std::string out;
    std::array<char, 65536> buffer{};
    for (ssize_t got = read(fd, buffer.data(), buffer.size()); got > 0;
         got = read(fd, buffer.data(), buffer.size())) {
        out.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return out;
}

}  // namespace

std::vector<Shell> installed_shells() {
    std::vector<Shell> out;
    for (const Shell& shell :
         {Shell{"bash", {"/bin/bash", "-euo", "pipefail", "-c"}}, Shell{"dash", {"/bin/dash", "-eu", "-c"}},
          Shell{"zsh", {"/bin/zsh", "-f", "-euo", "pipefail", "-c"}}}) {
        if (access(shell.command.front().c_str(), X_OK) == 0) {
            out.push_back(shell);
        } else {
            fmt::print(stderr, "SKIPPED: {} is not installed; nothing is proved for it\n", shell.name);
        }
    }
    return out;
}

Output run_program(const std::vector<std::string>& argv,
                   const std::vector<std::pair<std::string, std::string>>& env, const std::string& folder) {
    std::vector<std::string> arguments = argv;
    std::vector<std::string> variables;
    for (const auto& [name, value] : env) {
        variables.push_back(name + "=" + value);
    }
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe2");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    pid_t child = 0;
    const int failed = posix_spawn(&child, arguments.front().c_str(), &actions, nullptr,
                                   pointers(arguments).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    Output out;
    if (failed == 0) {
        out.text = read_all(ends[0]);
        int status = 0;
        waitpid(child, &status, 0);
        out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    close(ends[0]);
    return out;
}

std::string plain_text(const LateText& text) {
    std::string out;
    for (const Piece& piece : text) {
        if (piece.kind != Piece::Kind::text) {
            throw std::logic_error("a file in a plain text");
        }
        out += piece.text;
    }
    return out;
}

Output run_command(const Shell& shell, const ShellCommand& command, const Scope& scope,
                   const std::string& locale, const std::string& folder) {
    const RenderedCommand rendered = render_command(command, scope);
    std::vector<std::string> argv = shell.command;
    argv.push_back(plain_text(rendered.script));
    std::vector<std::pair<std::string, std::string>> env = {{"PATH", folder}, {"LC_ALL", locale}};
    for (const auto& [name, value] : rendered.variables) {
        env.emplace_back(name, plain_text(value));
    }
    return run_program(argv, env, folder);
}

}  // namespace amp::test
