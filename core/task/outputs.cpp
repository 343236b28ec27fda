#include "core/task/outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/package/manifest.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_inline_value = std::size_t{4} << 10;
constexpr std::size_t k_pack_value = std::size_t{64} << 10;
constexpr std::uint64_t k_largest_value = std::uint64_t{64} << 20;
constexpr std::uint64_t k_largest_guessed_value = std::uint64_t{1} << 20;
constexpr std::string_view k_json = ".json";
constexpr std::size_t k_names_shown = 8;
constexpr std::string_view k_holds_a_secret =
    "holds the value of a secret, and values are written into the run's records: put a file, or give its "
    "readers the secret too";

/// An output that is not what it should be: the task's fault, not the store's.
struct Wrong {
    std::string why;
};

std::string read_text(const std::string& path, std::uint64_t limit) {
    std::error_code failed;
    const std::uint64_t size = fs::file_size(path, failed);
    if (failed || size > limit) {
        throw Wrong{failed ? failed.message() : fmt::format("is larger than {}", format_size(limit))};
    }
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        if (size == 0) {
            return {};
        }
        throw Wrong{"cannot be read"};
    }
    return std::move(text).str();
}

bool ends_in_json(std::string_view path) {
    return path.ends_with(k_json);
}

class Collector {
  public:
    Collector(const TaskSpec& spec, const OutputPlaces& places)
        : spec_(spec), places_(places), objects_(places.store) {}

    CollectedOutputs run() {
        for (const TaskOutput& output : spec_.outputs) {
            collect_declared(output);
        }
        collect_others();
        return std::move(collected_);
    }

  private:
    void collect_declared(const TaskOutput& output) {
        const bool in_cwd = output.path.starts_with("./");
        const std::string inner = in_cwd ? output.path.substr(2) : output.path;
        if (!in_cwd) {
            declared_.insert(inner.substr(0, inner.find('/')));
            declared_.insert(inner + std::string(k_json));
            check_twice(inner);
        }
        if (!is_inner_path(inner)) {
            collected_.problems.push_back(fmt::format(
                "output '{}' has the path '{}', which leads out of its folder", output.name, output.path));
            return;
        }
        const std::string path = (in_cwd ? places_.cwd : places_.out_folder) + "/" + inner;
        try {
            const auto artifact = store_output(output, path);
            if (artifact) {
                collected_.artifacts[output.name] = *artifact;
            } else if (!output.optional) {
                collected_.problems.push_back(missing(output, in_cwd));
            }
        } catch (const Wrong& wrong) {
            collected_.problems.push_back(
                fmt::format("output '{}' ('{}') {}", output.name, output.path, wrong.why));
        }
    }

    /// nullopt: it is not there.
    std::optional<Artifact> store_output(const TaskOutput& output, const std::string& path) {
        using Type = TaskOutput::Type;
        std::error_code failed;
        const fs::file_status status = fs::status(path, failed);
        if (!fs::exists(status)) {
            const bool guess =
                output.type == Type::automatic || output.type == Type::json || output.type == Type::metrics;
            const std::string as_json = path + std::string(k_json);
            if (guess && !ends_in_json(path) && fs::is_regular_file(as_json, failed)) {
                return store_json(as_json, output.type == Type::metrics);
            }
            return output.type == Type::metrics ? told_metrics() : std::nullopt;
        }
        switch (output.type) {
            case Type::file:
                return store_file(path, status);
            case Type::dir:
                return store_folder(path, status);
            case Type::json:
                return store_json(path, false);
            case Type::metrics:
                return store_json(path, true);
            case Type::text: {
                std::string text = read_text(path, k_largest_value);
                if (!is_utf8(text)) {
                    throw Wrong{"is not UTF-8 text"};
                }
                return store_value(std::move(text));
            }
            case Type::automatic:
                break;
        }
        return store_any(path, status);
    }

    Artifact store_any(const std::string& path, const fs::file_status& status) {
        if (fs::is_directory(status)) {
            return store_folder(path, status);
        }
        std::error_code failed;
        if (ends_in_json(path) && fs::file_size(path, failed) <= k_largest_guessed_value && !failed) {
            std::optional<Value> value;
            try {
                value = read_json(path);
            } catch (const Wrong&) {  // a file with a misleading name
            }
            if (value) {
                return store_value(std::move(*value));
            }
        }
        return store_file(path, status);
    }

    Artifact store_file(const std::string& path, const fs::file_status& status) {
        if (!fs::is_regular_file(status)) {
            throw Wrong{"is not a file"};
        }
        const ObjectInfo info = objects_.put_file(path);
        return {Artifact::Kind::file, {}, info.sha256, info.size_bytes, {}, 0};
    }

    Artifact store_folder(const std::string& path, const fs::file_status& status) {
        if (!fs::is_directory(status)) {
            throw Wrong{"is not a folder"};
        }
        try {
            const auto store = [this](const std::string& file) {
                const ObjectInfo info = objects_.put_file(file);
                return StoredFile{info.sha256, info.size_bytes};
            };
            const auto is_input = [this](std::string_view target) {
                return std::any_of(places_.input_sources.begin(), places_.input_sources.end(),
                                   [&](const std::string& source) {
                                       return target.starts_with(source) &&
                                              is_inner_path(target.substr(source.size()));
                                   });
            };
            const Manifest manifest = scan_folder(path, store, is_input);
            const ObjectInfo info = objects_.put(manifest_text(manifest));
            return {Artifact::Kind::folder, {}, info.sha256, manifest.total_bytes(), {}, 0};
        } catch (const Error& error) {
            if (error.code() != ExitCode::invalid) {
                throw;
            }
            throw Wrong{fmt::format("cannot be stored: {}", error.message())};
        }
    }

    static Value read_json(const std::string& path) {
        const std::string text = read_text(path, k_largest_value);
        try {
            return json::parse(text, "");
        } catch (const Error& error) {
            throw Wrong{std::string(trim(error.message()))};  // "is no valid JSON: …"
        }
    }

    Artifact store_json(const std::string& path, bool metrics) {
        Value value = read_json(path);
        if (metrics) {
            take_metrics(value);
        }
        return store_value(std::move(value));
    }

    /// What the task has told with `amp metric` is as good as a file; nullopt: it has told none.
    std::optional<Artifact> told_metrics() {
        if (places_.told == nullptr || places_.told->metrics.empty()) {
            return std::nullopt;
        }
        Object last;
        for (const auto& [name, metric] : places_.told->metrics) {
            last.emplace(name, metric.last);
        }
        return store_value(std::move(last));
    }

    void take_metrics(const Value& value) {
        check_metrics(value);
        for (const auto& [name, number] : value.as_object()) {
            collected_.metrics[name] = number.as_float();
        }
    }

    static void check_metrics(const Value& value) {
        const bool numbers =
            value.is_object() && std::all_of(value.as_object().begin(), value.as_object().end(),
                                             [](const auto& member) { return member.second.is_number(); });
        if (!numbers) {
            throw Wrong{"is no JSON object of numbers, as metrics must be"};
        }
    }

    Artifact store_value(Value value) {
        if (places_.masks != nullptr && !(places_.masks->mask_value(value) == value)) {
            throw Wrong{std::string(k_holds_a_secret)};
        }
        const std::string text = json::dump(value);
        Artifact artifact{Artifact::Kind::value, {}, sha256_hex(text), text.size(), {}, 0};
        if (text.size() <= k_inline_value) {
            artifact.value = std::move(value);
        } else if (text.size() <= k_pack_value) {
            const LogPiece piece =
                places_.packs.append(spec_.task, spec_.attempt, "value", text, places_.now);
            artifact.pack = piece.pack;
            artifact.pack_offset = piece.offset;
        } else {
            objects_.put(text);
        }
        return artifact;
    }

    /// `v` and `v.json` would be the same artifact: none of them is it, and the attempt has failed.
    bool check_twice(const std::string& name) {
        const std::string plain = ends_in_json(name) ? name.substr(0, name.size() - k_json.size()) : name;
        std::error_code unknown;
        const auto is_there = [&](const std::string& file) {
            return fs::symlink_status(places_.out_folder + "/" + file, unknown).type() !=
                   fs::file_type::not_found;
        };
        const std::string as_json = plain + std::string(k_json);
        if (!is_artifact_name(plain) || !is_there(plain) || !is_there(as_json)) {
            return false;
        }
        if (twice_.insert(plain).second) {
            collected_.problems.push_back(
                fmt::format("'{}' and '{}' in $AMP_OUT are both the artifact '{}': write only one of them",
                            plain, as_json, plain));
        }
        return true;
    }

    void collect_others() {
        std::error_code failed;
        fs::directory_iterator entries(places_.out_folder, failed);
        if (failed && failed != std::errc::no_such_file_or_directory) {  // not the same as an empty one
            throw Error::system("cannot list", places_.out_folder, failed.value());
        }
        for (const fs::directory_entry& entry : entries) {
            const std::string name = entry.path().filename().string();
            if (!declared_.contains(name) && !name.starts_with(".") && !check_twice(name)) {
                collect_other(name, entry.path().string());
            }
        }
    }

    void collect_other(const std::string& name, const std::string& path) {
        const bool as_value = ends_in_json(name);
        const std::string artifact_name = as_value ? name.substr(0, name.size() - k_json.size()) : name;
        if (!is_artifact_name(artifact_name)) {
            collected_.notes.push_back(fmt::format(
                "'{}' in $AMP_OUT is not kept: its name is no artifact name; name it in `outputs`",
                printable(name)));
            return;
        }
        if (collected_.artifacts.contains(artifact_name)) {
            collected_.notes.push_back(
                fmt::format("'{}' in $AMP_OUT is not kept: there is another '{}'", name, artifact_name));
            return;
        }
        try {
            std::error_code failed;
            const fs::file_status status = fs::status(path, failed);
            collected_.artifacts[artifact_name] = as_value                   ? store_json(path, false)
                                                  : fs::is_directory(status) ? store_folder(path, status)
                                                                             : store_file(path, status);
        } catch (const Wrong& wrong) {
            collected_.artifacts.erase(artifact_name);
            collected_.problems.push_back(fmt::format("'{}' in $AMP_OUT {}", name, wrong.why));
        }
    }

    std::string missing(const TaskOutput& output, bool in_cwd) const {
        if (in_cwd) {
            return fmt::format("output '{}' is missing: '{}' was not written in '{}'", output.name,
                               output.path, places_.cwd);
        }
        std::vector<std::string> names;
        std::error_code failed;
        for (const fs::directory_entry& entry : fs::directory_iterator(places_.out_folder, failed)) {
            names.push_back(printable(entry.path().filename().string()));
        }
        std::sort(names.begin(), names.end());
        const bool more = names.size() > k_names_shown;
        names.resize(std::min(names.size(), k_names_shown));
        const std::string there =
            names.empty() ? std::string("is empty") : "holds " + join(names, ", ") + (more ? ", …" : "");
        return fmt::format("output '{}' is missing: '{}' was not written; $AMP_OUT {}", output.name,
                           output.path, there);
    }

    const TaskSpec& spec_;
    const OutputPlaces& places_;
    Objects objects_;
    std::set<std::string> declared_;  ///< names in $AMP_OUT that belong to declared outputs
    std::set<std::string> twice_;     ///< names of artifacts that lie there as a file and as a value
    CollectedOutputs collected_;
};

}  // namespace

bool is_artifact_name(std::string_view name) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9');
    });
}

CollectedOutputs collect_outputs(const TaskSpec& spec, const OutputPlaces& places) {
    return Collector(spec, places).run();
}

}  // namespace amp
