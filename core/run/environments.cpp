#include "core/run/environments.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/package/manifest.hpp"
#include "core/run/containers.hpp"
#include "core/run/environment_files.hpp"
#include "core/run/profiles.hpp"
#include "core/run/result_cache.hpp"
#include "core/run/run_scope.hpp"
#include "core/store/objects.hpp"
#include "core/task/package_fetch.hpp"
#include "core/task/python_environment.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;
using Tool = PythonEnvironment::Tool;

std::string name_of(const EnvironmentSource& source) {
    return fmt::format("{}:{}", environment_tool_name(source.tool), source.file);
}

/// Of the recorded environments, that of a step; nullptr: there is none.
const Value* recorded(const RunRecord& record, const EnvironmentSource& source) {
    return record.environments.is_object() ? record.environments.find(name_of(source)) : nullptr;
}

EnvironmentSource source_of(const Value& entry) {
    EnvironmentSource source;
    for (const Tool tool : {Tool::uv, Tool::requirements, Tool::conda}) {
        source.tool = environment_tool_name(tool) == get_string(entry, "tool") ? tool : source.tool;
    }
    source.file = get_string(entry, "file");
    return source;
}

/// A folder for what tools read and write, removed with its content.
class WorkFolder {
  public:
    WorkFolder() {
        std::string path = (fs::temp_directory_path() / "amp-environment-XXXXXX").string();
        if (mkdtemp(path.data()) == nullptr) {
            throw Error::system("cannot create", path, errno);
        }
        path_ = path;
    }
    ~WorkFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    WorkFolder(const WorkFolder&) = delete;
    WorkFolder& operator=(const WorkFolder&) = delete;

    const std::string& path() const { return path_; }

    void write(const std::string& name, const std::string& bytes) const {
        const fs::path path = fs::path(path_) / name;
        fs::create_directories(path.parent_path());
        std::ofstream file(path, std::ios::binary);
        file << bytes;
        if (!file.flush()) {
            throw Error::system("cannot write", path.string(), errno);
        }
    }

    /// As an artifact of the store.
    Artifact keep(ObjectStore& store) const {
        Objects objects(store);
        const Manifest manifest = scan_folder(path_, [&objects](const std::string& path) {
            const ObjectInfo info = objects.put_file(path);
            return StoredFile{info.sha256, info.size_bytes};
        });
        const ObjectInfo list = objects.put(manifest_text(manifest));
        Artifact artifact;
        artifact.kind = Artifact::Kind::folder;
        artifact.sha256 = list.sha256;
        artifact.size_bytes = manifest.total_bytes();
        return artifact;
    }

  private:
    std::string path_;
};

/// What the folder of an environment holds, but for packages.
void lay_files(const WorkFolder& work, const EnvironmentFiles& files, const EnvironmentOrder& order) {
    for (const auto& [path, bytes] : files.files) {
        work.write("files/" + path, bytes);
    }
    work.write("environment.json", json::dump(to_value(order)) + "\n");
}

/// Which machine the packages for a profile are for.
PackageTarget target_of(const Value& profile, const PackageTarget& own, const std::string& python) {
    const Object& carry = get_object(profile, "carry");
    return {get_string(carry, "python", python.empty() ? own.python : minor_python(python)),
            get_string(carry, "machine", own.machine)};
}

bool carries(const Value& profile) {
    return get_bool(profile, "carry", true) || !get_object(profile, "carry").empty();
}

/// An environment that steps need, and where.
struct Needed {
    EnvironmentSource source;
    std::set<std::string> profiles;  ///< elsewhere
};
using Needs = std::map<std::string, Needed>;

std::set<std::string> all_elsewhere(const RunRecord& record) {
    std::set<std::string> names;
    for (const auto& [name, table] : record.profiles.as_object()) {
        if (const std::string far = elsewhere(record, name); !far.empty()) {
            names.insert(far);
        }
    }
    return names;
}

void add_needs(const Flow& flow, const RunRecord& record, Needs& needs,
               const std::function<void(const std::string&)>& tell) {
    const RecordScope scope(record, flow.name);
    for (const Step& step : flow.steps) {
        if (!step.environment || !step.subflow.empty() || step.only_waits()) {
            continue;
        }
        std::set<std::string> profiles;
        try {
            const std::string profile = elsewhere(record, profile_name(step, record, scope));
            if (!recorded_container(step, scope, record, profile.empty()).image.empty()) {
                tell(fmt::format("{}: its image brings its own environment: that of {} is not made",
                                 step.name, printable(step.environment->file)));
                continue;
            }
            profiles.insert(profile);
        } catch (const Error&) {  // it depends on items or artifacts
            profiles = all_elsewhere(record);
        }
        profiles.erase("");
        Needed& needed = needs[name_of(*step.environment)];
        needed.source = *step.environment;
        needed.profiles.merge(profiles);
    }
}

class Recording {
  public:
    Recording(Services& services, const OpenStore* store, RunRecord& record,
              const std::function<void(const std::string&)>& tell)
        : services_(services), store_(store), record_(record), tell_(tell) {}

    void record(const Needed& needed) {
        Object all = record_.environments.as_object();
        const std::string name = name_of(needed.source);
        Object entry = all.contains(name) ? all.at(name).as_object() : lock(needed.source);
        if (store_ != nullptr) {
            carry(entry, needed);
        }
        all.insert_or_assign(name, std::move(entry));
        record_.environments = std::move(all);
    }

  private:
    Object lock(const EnvironmentSource& source) {
        const EnvironmentFiles files =
            read_environment_files(services_.files, record_.project_folder, source);
        EnvironmentOrder order{source.tool, files.file, files.python, files.hashes, false, {}};
        Object entry = to_value(order).as_object();
        entry.erase("carried");
        entry.insert_or_assign("file", source.file);
        entry.insert_or_assign("key", environment_key(source.tool, files));
        if (store_ != nullptr) {
            const WorkFolder work;
            lay_files(work, files, order);
            if (source.tool == Tool::uv && export_lock(services_.process, order, work.path())) {
                order.exported = true;  // pip asks for hashes where there are some
                work.write("environment.json", json::dump(to_value(order)) + "\n");
                entry.insert_or_assign("exported", true);
            }
            entry.insert_or_assign("files", to_value(work.keep(*store_->objects)));
        }
        return entry;
    }

    void carry(Object& entry, const Needed& needed) {
        for (const std::string& profile : needed.profiles) {
            const Value& table = *record_.profiles.find(profile);
            if (!carries(table)) {
                continue;
            }
            if (needed.source.tool == Tool::conda) {
                tell_(fmt::format(
                    "{}: environments of conda are not carried: {} must reach the channels itself",
                    printable(needed.source.file), profile));
                continue;
            }
            Object carried = get_object(entry, "carried");
            if (!carried.contains(profile)) {
                const PackageTarget target = target_of(table, own(), get_string(entry, "python"));
                const Artifact got = packages(entry, needed, profile, target);
                carried.emplace(profile, Object{{"for", target_text(target)}, {"files", to_value(got)}});
                entry.insert_or_assign("carried", std::move(carried));
            }
        }
    }

    const PackageTarget& own() {
        if (own_.python.empty()) {
            own_ = own_target(services_.process);
        }
        return own_;
    }

    Artifact packages(const Value& entry, const Needed& needed, const std::string& profile,
                      const PackageTarget& target) {
        const std::string name =
            sha256_hex(fmt::format("packages of {} for {}", get_string(entry, "key"), target_text(target)));
        const ResultCache cache(*store_);
        const Timestamp now = services_.clock.now();
        if (const auto known = cache.find(name, 0, {}, now); known && known->artifacts.contains("packages")) {
            return known->artifacts.at("packages");
        }
        tell_(fmt::format("gets the packages of {} for {} ({})", printable(needed.source.file), profile,
                          target_text(target)));
        const Artifact artifact = fetch(entry, target);
        cache.keep(name, 0, {"amp/environment/_", 1, now, {{"packages", artifact}}});
        return artifact;
    }

    /// The files as they are locked, with the packages beside them.
    Artifact fetch(const Value& entry, const PackageTarget& target) {
        const WorkFolder work;
        Objects objects(*store_->objects);
        const Artifact files = artifact_from(*entry.find("files"));
        for (const ManifestEntry& file : manifest_from(objects.get(files.sha256)).entries) {
            work.write(file.path, objects.get(file.sha256));
        }
        EnvironmentOrder order =
            environment_order_from(json::parse(objects.get(hash_in(files, "environment.json"))));
        if (order.tool == Tool::uv && !order.exported) {
            throw Error(
                ExitCode::invalid,
                fmt::format("the packages of {} can be carried only where uv is", printable(order.file)),
                order.file, "install it (pip install uv), or say carry = false in the profile");
        }
        Waiter& waiter = services_.waiter.get();
        const bool whole = fetch_packages(services_.process, order, target, work.path(), [&waiter] {
            return waiter.interrupts() == 0 && waiter.terminating_signal() == 0;
        });
        if (!whole) {
            throw Error(
                waiter.interrupts() > 0 ? ExitCode::interrupted : ExitCode::terminated,
                fmt::format("stopped while the packages of {} were being got", printable(order.file)));
        }
        order.carried = target_text(target);
        work.write("environment.json", json::dump(to_value(order)) + "\n");
        std::error_code ignored;
        fs::remove_all(work.path() + "/pip-environment", ignored);
        return work.keep(*store_->objects);
    }

    std::string hash_in(const Artifact& folder, std::string_view path) {
        for (const ManifestEntry& entry :
             manifest_from(Objects(*store_->objects).get(folder.sha256)).entries) {
            if (entry.path == path) {
                return entry.sha256;
            }
        }
        throw Error(ExitCode::mismatch, fmt::format("the environment has no {}", path));
    }

    Services& services_;
    const OpenStore* store_;
    RunRecord& record_;
    const std::function<void(const std::string&)>& tell_;
    PackageTarget own_;
};

bool is_changed(Services& services, const RunRecord& record, const Value& entry) {
    try {
        const EnvironmentSource source = source_of(entry);
        return environment_key(source.tool, read_environment_files(services.files, record.project_folder,
                                                                   source)) != get_string(entry, "key");
    } catch (const Error&) {
        return true;
    }
}

}  // namespace

void record_environments(Services& services, const OpenStore* store, const Flow& flow,
                         const Subflows& subflows, RunRecord& record,
                         const std::function<void(const std::string&)>& tell) {
    Needs needs;
    add_needs(flow, record, needs, tell);
    for (const auto& [key, subflow] : subflows) {
        add_needs(subflow.flow, record, needs, tell);
    }
    Recording recording(services, store, record, tell);
    for (const auto& [name, needed] : needs) {
        recording.record(needed);
    }
}

std::optional<PythonEnvironment> locked_environment(const Step& step, const RunRecord& record,
                                                    const std::string& profile) {
    const Value* entry = step.environment ? recorded(record, *step.environment) : nullptr;
    if (entry == nullptr) {
        return std::nullopt;
    }
    PythonEnvironment environment;
    environment.tool = step.environment->tool;
    environment.key = get_string(*entry, "key");
    if (const Value* files = entry->find("files")) {
        environment.files = artifact_from(*files);
    }
    if (const Object& carried = get_object(*entry, "carried"); carried.contains(profile)) {
        environment.files = artifact_from(*carried.at(profile).find("files"));
    }
    return environment;
}

Value environment_keys(const RunRecord& record) {
    Object keys;
    for (const auto& [name, entry] : record.environments.as_object()) {
        keys.insert_or_assign(get_string(entry, "file"), get_string(entry, "key"));
    }
    return keys;
}

std::vector<std::string> changed_environments(Services& services, const RunRecord& record) {
    std::vector<std::string> files;
    for (const auto& [name, entry] : record.environments.as_object()) {
        if (is_changed(services, record, entry)) {
            files.push_back(get_string(entry, "file"));
        }
    }
    return files;
}

void unlock_environments(Services& services, RunRecord& record) {
    Object kept;
    for (const auto& [name, entry] : record.environments.as_object()) {
        if (!is_changed(services, record, entry)) {
            kept.emplace(name, entry);
        }
    }
    record.environments = std::move(kept);
}

}  // namespace amp
