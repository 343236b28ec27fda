#include "backends/ssh/far_spec.hpp"

#include <set>

namespace amp {
namespace {

bool is_in(const std::string& path, const std::string& folder) {
    return !folder.empty() && (path == folder || path.starts_with(folder + "/"));
}

/// Where outputs lie that are declared below the working folder: that text, and no other, is a path of ours.
std::set<std::string> output_paths(const TaskSpec& spec) {
    std::set<std::string> paths;
    for (const TaskOutput& output : spec.outputs) {
        if (output.path.starts_with("./")) {
            paths.insert(spec.cwd + output.path.substr(1));
        }
    }
    return paths;
}

}  // namespace

FarSpec make_far(TaskSpec spec, const std::string& project_folder, const KeepValue& keep,
                 const ListFolder& list) {
    FarSpec far;
    spec.inherit_env = false;
    far.needs_code = is_in(spec.cwd, project_folder);
    for (TaskInput& input : spec.inputs) {
        Artifact& artifact = input.artifact;
        if (artifact.kind == Artifact::Kind::folder) {
            far.needs.push_back({artifact.sha256, agent::k_unknown_size});
            for (agent::SizedObject& file : list(artifact)) {
                far.needs.push_back(std::move(file));
            }
            continue;
        }
        if (artifact.kind == Artifact::Kind::value && artifact.value) {
            continue;
        }
        if (!artifact.pack.empty()) {
            keep(artifact);
            artifact.pack.clear();
            artifact.pack_offset = 0;
        }
        far.needs.push_back({artifact.sha256, artifact.size_bytes});
    }
    far.spec = std::move(spec);
    return far;
}

void place_far(TaskSpec& spec, const std::string& project_folder, const std::string& code_folder) {
    if (!is_in(spec.cwd, project_folder)) {
        return;
    }
    const std::set<std::string> paths = output_paths(spec);
    const auto place = [&](LateText& text) {
        for (Piece& piece : text) {
            if (piece.kind == Piece::Kind::text && paths.contains(piece.text)) {
                piece.text = code_folder + piece.text.substr(project_folder.size());
            }
        }
    };
    if (!code_folder.empty()) {
        for (LateText& word : spec.argv) {
            place(word);
        }
        for (auto& variable : spec.env) {
            place(variable.second);
        }
    }
    spec.cwd = code_folder.empty() ? std::string() : code_folder + spec.cwd.substr(project_folder.size());
}

}  // namespace amp
