#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/flow/interpolation.hpp"

namespace amp::test {

/// A shell as a step's `shell` names it.
struct Shell {
    std::string name;
    std::vector<std::string> command;
};

/// bash, dash and zsh, where they are installed; names on standard error the ones that are not.
std::vector<Shell> installed_shells();

struct Output {
    int status = -1;  ///< exit status, 128 + signal
    std::string text;
};

/// Runs a program with nothing but this environment and no input; its errors are dropped.
Output run_program(const std::vector<std::string>& argv,
                   const std::vector<std::pair<std::string, std::string>>& env,
                   const std::string& folder = "/");

/// A text without files in it. @throws std::logic_error otherwise
std::string plain_text(const LateText& text);

/// Runs a step's command as a keeper would, with `folder` as working folder and as PATH.
Output run_command(const Shell& shell, const ShellCommand& command, const Scope& scope,
                   const std::string& locale, const std::string& folder = "/");

}  // namespace amp::test
