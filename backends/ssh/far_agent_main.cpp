#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "backends/ssh/far_agent.hpp"
#include "backends/ssh/own_binary.hpp"
#include "backends/system/fd_io.hpp"
#include "core/base/error.hpp"
#include "core/base/hash.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_read_at_once = std::uint64_t{1} << 20;

/// A descriptor of our own; what is printed by mistake goes nowhere.
UniqueFd take(int fd) {
    UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (!own || null < 0 || dup2(null, fd) < 0) {
        throw Error::system("use", "standard input and output", errno);
    }
    close(null);
    return own;
}

std::string root_of(const std::vector<std::string>& arguments) {
    std::string root;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--root" && i + 1 < arguments.size()) {
            root = arguments[++i];
        } else if (arguments[i] != "--stdio") {
            throw Error(ExitCode::usage,
                        "an agent is started by amp itself: amp agent --stdio --root FOLDER");
        }
    }
    if (!root.starts_with('/')) {
        throw Error(ExitCode::usage, "an agent needs --root, an absolute path");
    }
    return std::filesystem::path(root).lexically_normal().string();
}

}  // namespace

std::string own_binary_hash() {
    const UniqueFd file = open_at(AT_FDCWD, k_own_program, O_RDONLY);
    if (!file) {
        throw Error::system("cannot open", k_own_program, errno);
    }
    Sha256 hash;
    std::uint64_t offset = 0;
    for (std::string piece = read_at(file.get(), 0, k_read_at_once, k_own_program); !piece.empty();
         piece = read_at(file.get(), offset, k_read_at_once, k_own_program)) {
        offset += piece.size();
        hash.update(piece);
    }
    return hash.hex();
}

int far_agent_main(const std::vector<std::string>& arguments) {
    const std::string root = root_of(arguments);
    UniqueFd in = take(STDIN_FILENO);
    UniqueFd out = take(STDOUT_FILENO);
    if (chdir("/") != 0) {
        throw Error::system("enter", "/", errno);
    }
    setenv("AMP_ENVIRONMENTS", (root + "/environments").c_str(), 0);  // for the keepers that it starts
    try {
        FarAgent(agent::Channel(std::move(in), std::move(out)), {root}).run();
        return 0;
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) {  // there is nobody any more
            return static_cast<int>(error.code());
        }
        throw;
    }
}

}  // namespace amp
