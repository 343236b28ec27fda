#include "backends/local/spawn_failure.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace amp {
namespace {

constexpr int k_not_executable = 126;
constexpr int k_not_found = 127;

}  // namespace

SpawnFailure spawn_failure(const std::string& program, const std::string& cwd, const SpawnOutcome& outcome) {
    if (outcome.failed == SpawnStep::cwd) {
        return {k_not_executable,
                fmt::format("cannot enter the working folder '{}': {}", cwd, std::strerror(outcome.error))};
    }
    switch (outcome.error) {
        case ENOENT:
            return {k_not_found,
                    fmt::format("cannot start '{}': it, or the interpreter in its first line, does not exist",
                                program)};
        case ENOEXEC:
            return {k_not_executable,
                    fmt::format("cannot start '{}': it is no program, and has no '#!' line", program)};
        case EACCES:
            return {k_not_executable,
                    fmt::format("cannot start '{}': Permission denied (is it executable?)", program)};
        case E2BIG:
            return {k_not_executable,
                    fmt::format("cannot start '{}': its arguments and environment are too large", program)};
        default:
            return {k_not_executable,
                    fmt::format("cannot start '{}': {}", program, std::strerror(outcome.error))};
    }
}

SpawnFailure not_found(const std::string& name, const std::string& unusable) {
    if (!unusable.empty()) {
        return {k_not_executable, fmt::format("'{}' is not executable (chmod +x)", unusable)};
    }
    return {k_not_found, name.empty() ? std::string("the program's name is empty")
                                      : fmt::format("program '{}' not found in PATH", name)};
}

}  // namespace amp
