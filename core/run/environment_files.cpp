#include "core/run/environment_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/package/manifest.hpp"

namespace amp {
namespace {

using Tool = PythonEnvironment::Tool;

constexpr std::uint64_t k_most_bytes = std::uint64_t{16} << 20;
constexpr std::size_t k_most_files = 200;
constexpr std::string_view k_lock = "uv.lock";
constexpr std::string_view k_project = "pyproject.toml";

std::string beside(const std::string& file, std::string_view name) {
    return (std::filesystem::path(file).parent_path() / name).lexically_normal().string();
}

/// What stands behind an option of pip, however it is written: "-r x", "-rx", "--requirement=x".
std::optional<std::string> option_value(std::string_view line, std::string_view brief,
                                        std::string_view full) {
    std::string_view rest;
    if (line.starts_with(full) &&
        (line.size() == full.size() || line[full.size()] == '=' || line[full.size()] == ' ')) {
        rest = line.substr(std::min(full.size() + 1, line.size()));
    } else if (!brief.empty() && line.starts_with(brief)) {
        rest = line.substr(brief.size());
    } else {
        return std::nullopt;
    }
    rest = trim(rest);
    const bool quoted =
        rest.size() > 1 && (rest.front() == '"' || rest.front() == '\'') && rest.back() == rest.front();
    return std::string(quoted ? rest.substr(1, rest.size() - 2) : rest);
}

bool is_far(std::string_view place) {
    return place.starts_with('/') || place.find("://") != std::string_view::npos ||
           place.starts_with("file:") || place.starts_with("${");
}

bool is_relative_path(std::string_view line) {
    return line == "." || line == ".." || line.starts_with("./") || line.starts_with("../");
}

[[noreturn]] void refuse(const std::string& path, std::size_t line, std::string_view text) {
    throw Error(
        ExitCode::invalid,
        fmt::format("{}:{}: '{}' lies in the project, and is no package", printable(path), line,
                    printable(text)),
        path,
        "an environment holds packages; what the project has itself is its code: set PYTHONPATH in env");
}

/// A line of a requirements file, or an entry of conda's, without what is around it.
std::string_view bare(std::string_view line) {
    line = trim(line);
    if (line.starts_with("- ")) {
        line = trim(line.substr(2));
    }
    for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
        if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') {
            return trim(line.substr(0, at));
        }
    }
    return line;
}

class Reading {
  public:
    Reading(Files& files, const std::string& project) : files_(files), project_(project) {}

    /// @param by the file that names it; empty: the step
    void add(const std::string& path, const std::string& by) {
        if (found_.files.contains(path)) {
            return;
        }
        if (!is_inner_path(path)) {
            throw Error(ExitCode::invalid,
                        fmt::format("'{}'{} lies outside of the project", printable(path), named(by)), path,
                        "an environment is made from files of the project");
        }
        if (!is_there(path)) {
            throw Error(
                ExitCode::not_found,
                by.empty()
                    ? fmt::format("there is no file '{}', which an environment is made from", printable(path))
                    : fmt::format("there is no file '{}', which {} names", printable(path), printable(by)),
                path);
        }
        const std::string real = files_.canonical(project_ + "/" + path);
        if (!real.starts_with(files_.canonical(project_) + "/")) {
            throw Error(ExitCode::invalid,
                        fmt::format("'{}'{} leads out of the project", printable(path), named(by)), path);
        }
        if (found_.files.size() == k_most_files) {
            throw Error(ExitCode::invalid,
                        fmt::format("an environment is made from over {} files", k_most_files), path);
        }
        found_.files.emplace(path, files_.read(real, k_most_bytes));
    }

    void add_with_includes(const std::string& path, const std::string& by) {
        if (found_.files.contains(path)) {
            return;
        }
        add(path, by);
        const std::string& text = found_.files.at(path);
        found_.hashes = found_.hashes || text.find("--hash=") != std::string::npos;
        for (const std::string& name : included_files(text, path)) {
            add_with_includes(beside(path, name), path);
        }
    }

    bool add_if_there(const std::string& path) {
        const bool there = is_there(path);
        if (there) {
            add(path, {});
        }
        return there;
    }

    EnvironmentFiles& found() { return found_; }

  private:
    static std::string named(const std::string& by) {
        return by.empty() ? std::string() : fmt::format(", which {} names,", printable(by));
    }
    bool is_there(const std::string& path) const {
        const auto info = files_.info(project_ + "/" + path);
        return info && (info->kind == FileInfo::Kind::file || info->kind == FileInfo::Kind::link);
    }

    Files& files_;
    const std::string& project_;
    EnvironmentFiles found_;
};

void read_python_version(Reading& reading, const std::string& file) {
    const std::string own = beside(file, ".python-version");
    for (const std::string& path : {own, std::string(".python-version")}) {
        if (reading.add_if_there(path)) {
            const std::string& text = reading.found().files.at(path);
            const std::string_view version = trim(std::string_view(text).substr(0, text.find('\n')));
            const bool plain = version.find_first_not_of("0123456789.") == std::string_view::npos;
            reading.found().python = plain ? version : std::string_view();  // else a name of pyenv's own
            return;
        }
    }
}

}  // namespace

std::vector<std::string> included_files(std::string_view text, const std::string& path) {
    std::vector<std::string> out;
    std::size_t number = 0;
    for (const std::string_view whole : split(text, '\n')) {
        ++number;
        const std::string_view line = bare(whole);
        if (line.starts_with("-e") || line.starts_with("--editable") || is_relative_path(line)) {
            refuse(path, number, line);
        }
        auto included = option_value(line, "-r", "--requirement");
        included = included ? included : option_value(line, "-c", "--constraint");
        if (included && is_far(*included)) {
            throw Error(ExitCode::invalid,
                        fmt::format("{}:{}: '{}' is no file of the project", printable(path), number,
                                    printable(*included)),
                        path, "keep a copy in the project: what is not in it cannot be locked");
        }
        if (included) {
            out.push_back(*included);
        } else if (const auto links = option_value(line, "-f", "--find-links"); links && !is_far(*links)) {
            refuse(path, number, line);
        }
    }
    return out;
}

EnvironmentFiles read_environment_files(Files& files, const std::string& project,
                                        const EnvironmentSource& source) {
    Reading reading(files, project);
    const std::string file = std::filesystem::path(source.file).lexically_normal().string();
    if (source.tool == Tool::uv) {
        if (std::filesystem::path(file).filename() != k_lock) {
            throw Error(ExitCode::invalid, fmt::format("'{}' is no lock file of uv", printable(file)), file,
                        "it is called uv.lock, and lies beside its pyproject.toml; `uv lock` makes it");
        }
        reading.add(file, {});
        reading.add(beside(file, k_project), file);
        reading.add_if_there(beside(file, "uv.toml"));
    } else {
        reading.add_with_includes(file, {});
    }
    reading.found().file = file;
    read_python_version(reading, file);
    return std::move(reading.found());
}

std::string environment_key(Tool tool, const EnvironmentFiles& files) {
    Object hashes;
    for (const auto& [path, bytes] : files.files) {
        hashes.emplace(path, sha256_hex(bytes));
    }
    return sha256_hex(json::dump(Object{{"tool", environment_tool_name(tool)},
                                        {"file", files.file},
                                        {"python", files.python},
                                        {"files", std::move(hashes)}}));
}

}  // namespace amp
