#include "core/task/shell_place.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/task/environment.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

/// The task's command as a script in its folder, so that any shell can do it, and people can read it.
std::string write_command(const TaskSpec& spec, const std::string& folder) {
    const std::string path = folder + "/.amp-command";
    std::string text = "#!/bin/sh\nexec";
    for (const LateText& word : spec.argv) {
        text += " " + shell_quote(render(word, folder + "/in", folder + "/out"));
    }
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    if (!(out << text << "\n").flush()) {
        throw Error(ExitCode::infrastructure, fmt::format("cannot write '{}'", path), path);
    }
    fs::permissions(path, fs::perms::owner_all);
    return path;
}

}  // namespace

void become_shell(TaskSpec& spec, const std::string& folder, const std::string& command) {
    fs::create_directories(folder);
    spec.env.emplace_back("AMP_COMMAND", LateText{{Piece::Kind::text, write_command(spec, folder)}});
    spec.argv.clear();
    if (!command.empty()) {
        spec.argv = {{{Piece::Kind::text, "-c"}}, {{Piece::Kind::text, command}}};
    }
}

}  // namespace amp
