#include "core/task/package_fetch.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr double k_question_s = 30;
constexpr double k_export_s = 120;
constexpr std::string_view k_python = "python3";

/// Where the Python here keeps the pip that it gives to new environments.
constexpr std::string_view k_find_pip =
    "import ensurepip, glob, os\n"
    "own = os.path.join(os.path.dirname(ensurepip.__file__), '_bundled')\n"
    "print((glob.glob(own + '/pip-*.whl') + glob.glob('/usr/share/python-wheels/pip-*.whl') + [''])[0])\n";

/// Tags of Linux wheels that a machine of today takes, the newest first.
constexpr std::array<std::string_view, 5> k_platforms = {"manylinux_2_28", "manylinux_2_17", "manylinux2014",
                                                         "manylinux2010", "linux"};

ToolResult ask(Process& process, const std::vector<std::string>& words, const std::string& cwd,
               double limit_s) {
    return process.run(words, cwd, limit_s);
}

/// pip of the Python here, else of an environment that is made for it.
std::vector<std::string> pip_words(Process& process, const std::string& folder) {
    const std::string python(k_python);
    if (ask(process, {python, "-I", "-m", "pip", "--version"}, "/", k_question_s).exit == 0) {
        return {python, "-I", "-m", "pip"};
    }
    const std::string place = folder + "/pip-environment";
    const ToolResult made = ask(process, {python, "-I", "-m", "venv", place}, "/", k_export_s);
    if (made.exit != 0) {
        throw Error(ExitCode::invalid, "there is no pip here, which gets the packages that are carried", "",
                    "install it (Debian: python3-pip), or say carry = false in the profile");
    }
    return {place + "/bin/python", "-I", "-m", "pip"};
}

void copy_pip(Process& process, const std::string& folder) {
    const ToolResult found =
        ask(process, {std::string(k_python), "-I", "-c", std::string(k_find_pip)}, "/", k_question_s);
    const std::string wheel(trim(found.out));
    std::error_code none;
    if (found.exit == 0 && !wheel.empty() && fs::exists(wheel, none)) {
        fs::create_directories(folder + "/pip");
        fs::copy_file(wheel, fs::path(folder) / "pip" / fs::path(wheel).filename());
    }
}

}  // namespace

std::string target_text(const PackageTarget& target) {
    return fmt::format("Python {}, {}", target.python, target.machine);
}

PackageTarget own_target(Process& process) {
    const ToolResult said = ask(process,
                                {std::string(k_python), "-I", "-c",
                                 "import os, sys; print('%d.%d' % sys.version_info[:2], os.uname().machine)"},
                                "/", k_question_s);
    const auto words = split(trim(said.out), ' ');
    if (said.exit != 0 || words.size() != 2) {
        throw Error(ExitCode::not_found, "python3 does not tell its version", "",
                    "it gets the packages that are carried; or say carry = false in the profile");
    }
    return {std::string(words[0]), std::string(words[1])};
}

std::vector<std::string> package_words(const EnvironmentOrder& order, const std::string& file,
                                       const PackageTarget& target, const PackageTarget& own,
                                       const std::string& folder) {
    std::vector<std::string> words;
    if (target == own) {
        words = {"wheel", "--wheel-dir", folder};
    } else {
        words = {"download", "--dest",           folder,       "--only-binary=:all:", "--implementation",
                 "cp",       "--python-version", target.python};
        for (const std::string_view platform : k_platforms) {
            words.insert(words.end(), {"--platform", fmt::format("{}_{}", platform, target.machine)});
        }
    }
    words.insert(words.end(), {"--no-input", "--disable-pip-version-check", "--progress-bar", "off"});
    if (order.hashes) {
        words.emplace_back("--require-hashes");
    }
    words.insert(words.end(), {"-r", file});
    return words;
}

bool fetch_packages(Process& process, const EnvironmentOrder& order, const PackageTarget& target,
                    const std::string& folder, const std::function<bool()>& go_on) {
    const std::string file = order.tool == PythonEnvironment::Tool::uv ? folder + "/exported.txt"
                                                                       : folder + "/files/" + order.file;
    std::vector<std::string> words = pip_words(process, folder);
    const std::vector<std::string> rest =
        package_words(order, file, target, own_target(process), folder + "/packages");
    words.insert(words.end(), rest.begin(), rest.end());
    const std::string cwd = fs::path(file).parent_path().string();
    const ToolResult result = process.run_while(words, cwd, go_on);
    if (result.timed_out) {
        return false;
    }
    if (result.exit != 0) {
        const EnvironmentFailure failure = judge_environment_failure(result.out + "\n" + result.err);
        throw Error(failure.temporary ? ExitCode::infrastructure : ExitCode::invalid,
                    fmt::format("the packages of {} cannot be had for {}: {}", printable(order.file),
                                target_text(target), printable(failure.text)),
                    order.file, "carry = false in the profile has the machine there get them itself");
    }
    copy_pip(process, folder);
    return true;
}

bool export_lock(Process& process, const EnvironmentOrder& order, const std::string& folder) {
    const std::string cwd = fs::path(folder + "/files/" + order.file).parent_path().string();
    try {
        return ask(process,
                   {"uv", "export", "--frozen", "--quiet", "--no-header", "--no-emit-workspace", "--format",
                    "requirements-txt", "--output-file", folder + "/exported.txt"},
                   cwd, k_export_s)
                   .exit == 0;
    } catch (const Error& error) {
        if (error.code() != ExitCode::not_found) {
            throw;
        }
        return false;
    }
}

}  // namespace amp
