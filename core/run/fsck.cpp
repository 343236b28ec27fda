#include "core/run/fsck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/text.hpp"
#include "core/package/layable.hpp"
#include "core/run/fsck_parts.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_index.hpp"
#include "core/store/far_notes.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/references.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace fsck {
namespace {

constexpr std::size_t k_all = std::numeric_limits<std::size_t>::max();
constexpr std::uint64_t k_piece = std::uint64_t{1} << 20;

/// "20261120T081530.123Z"
std::string compact_time(Timestamp time) {
    std::string text = format_time(time);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

}  // namespace

bool is_append_file(std::string_view key) {
    return key.starts_with(layout::k_runs) &&
           (key.find("/journal/") != std::string_view::npos ||
            key.find("/keeper/") != std::string_view::npos ||
            key.find("/starts/") != std::string_view::npos || key.find("/packs/") != std::string_view::npos ||
            layout::is_attempt_log(key));
}

Finding& Context::add(Finding finding) {
    report.findings.push_back(std::move(finding));
    return report.findings.back();
}

void Context::keep_copy(const std::string& key) {
    if (report.quarantine.empty()) {
        report.quarantine = fmt::format("{}{}/", layout::k_quarantine, compact_time(services.clock.now()));
    }
    const std::string copy = report.quarantine + key;
    if (is_append_file(key)) {
        store.files->replace(copy, store.files->read(key, 0, k_all).value_or(""));
        return;
    }
    const auto writer = store.objects->create(copy);
    for (std::uint64_t offset = 0;; offset += k_piece) {
        const std::string piece = store.objects->get_range(key, offset, k_piece).value_or("");
        writer->append(piece);
        if (piece.size() < k_piece) {
            break;
        }
    }
    writer->commit(Durability::now);
}

void Context::move_away(const std::string& key) {
    keep_copy(key);
    if (is_append_file(key)) {
        store.files->remove(key);
    } else {
        store.objects->remove(key);
    }
}

namespace {

void check_store_record(Context& context) {
    const std::string key = layout::store_record();
    std::string problem;
    const bool there = context.store.objects->size(key).has_value();
    if (!there) {
        problem = "it is missing";
    } else {
        try {
            open_store(*context.store.objects, "", "");
            return;
        } catch (const Error& error) {
            if (error.code() != ExitCode::mismatch) {
                throw;  // a newer layout: nothing here is ours to judge
            }
            problem = error.message();
        }
    }
    Finding& finding =
        context.add({key, problem, "amp does not recognise the store",
                     "a new one is written; how the store is shared is taken from its folder"});
    if (context.options.repair) {
        if (there) {
            context.move_away(key);
        }
        open_store(*context.store.objects, "", format_time(context.services.clock.now()));
        finding.repaired = true;
    }
}

/// Which files belong to a run.
bool is_known_in_run(std::string_view name) {
    constexpr std::string_view k_files[] = {"run.json", "lease", "summary.json", "orchestrator.log",
                                            k_losses};
    constexpr std::string_view k_folders[] = {"journal/",   "packs/",       "keeper/", "starts/",
                                              "tags/",      "tasks/",       "specs/",  "children/",
                                              "approvals/", "checkpoints/", "holds/"};
    return std::find(std::begin(k_files), std::end(k_files), name) != std::end(k_files) ||
           (name.starts_with("lease-") && name.ends_with(".lock")) ||
           std::any_of(std::begin(k_folders), std::end(k_folders),
                       [&](std::string_view folder) { return name.starts_with(folder); });
}

bool is_known(std::string_view key) {
    if (key == layout::store_record() || key == layout::collector_lock() || key == layout::collector_time() ||
        key == layout::collector_candidates()) {
        return true;
    }
    for (const std::string_view folder :
         {layout::k_index, layout::k_cache, layout::k_quarantine, layout::k_flows, layout::k_far}) {
        if (key.starts_with(folder)) {
            return true;
        }
    }
    if (key.starts_with(layout::k_objects)) {
        return !hash_of_object(key).empty();
    }
    if (!key.starts_with(layout::k_runs)) {
        return key == "local.toml";  // settings of a project's own store
    }
    key.remove_prefix(layout::k_runs.size());
    const std::size_t slash = key.find('/');
    return slash != std::string_view::npos && is_run_id(key.substr(0, slash)) &&
           is_known_in_run(key.substr(slash + 1));
}

void check_strays(Context& context) {
    for (const std::string& key : context.store.objects->list_after("", {}, k_all)) {
        if (is_known(key)) {
            continue;
        }
        Finding& finding =
            context.add({key, "it is no file of a store", "amp does not use it; somebody put it there",
                         "it is moved to quarantine"});
        if (context.options.repair) {
            context.move_away(key);
            finding.repaired = true;
        }
    }
}

/// Notes of what stayed on other machines, which are not asked.
void check_far_notes(Context& context) {
    for (const std::string& hash : list_far(*context.store.objects)) {
        if (is_sha256(hash) && read_far_note(*context.store.objects, hash)) {
            continue;
        }
        Finding& finding = context.add(
            {layout::far_note(hash), "it cannot be read",
             "an output that stayed on another machine cannot be found there",
             "it is moved to quarantine; the task that made the output runs again on `amp resume`"});
        if (context.options.repair) {
            context.move_away(layout::far_note(hash));
            finding.repaired = true;
        }
    }
}

void check_object(Context& context, const std::string& key, const std::string& hash) {
    const auto problem = find_damage(*context.store.objects, hash, key.ends_with(".zst"));
    if (!problem) {
        return;
    }
    Finding& finding =
        context.add({key, *problem, "what it held is lost, unless it can be made again",
                     "it is moved to quarantine; tasks that made it run again on `amp resume`"});
    if (context.options.repair) {
        context.move_away(key);
        finding.repaired = true;
    }
}

void check_objects(Context& context, const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    const bool all = context.options.runs.empty();
    std::vector<Listed> objects = context.store.objects->list_details(layout::k_objects, {}, k_all);
    std::erase_if(objects, [&](const Listed& object) {
        const std::string hash = hash_of_object(object.key);
        return hash.empty() || (!all && !context.named.contains(hash));
    });
    for (std::size_t i = 0; i < objects.size(); ++i) {
        check_object(context, objects[i].key, hash_of_object(objects[i].key));
        ++context.report.objects;
        context.report.bytes += objects[i].size_bytes;
        if (progress) {
            progress(i + 1, objects.size());
        }
    }
}

/// It died before its record was written: an empty folder, which is no run.
bool was_never_made(const OpenStore& store, const std::string& run) {
    const std::string folder = layout::run_prefix(run);
    return !store.objects->size(layout::run_record(run)) &&
           store.objects->list_after(folder, {}, 1).empty() && store.files->list(folder).empty();
}

std::vector<std::string> runs_meant(const Context& context) {
    if (context.options.runs.empty()) {
        std::vector<std::string> runs = list_runs(*context.store.objects);
        std::erase_if(runs, [&](const std::string& run) { return was_never_made(context.store, run); });
        return runs;
    }
    std::vector<std::string> runs;
    for (const std::string& reference : context.options.runs) {
        runs.push_back(resolve_run(*context.store.objects, reference));
    }
    return runs;
}

}  // namespace
}  // namespace fsck

bool FsckReport::sound() const {
    return std::all_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return !finding.damage || finding.repaired; });
}

FsckReport check_store(Services& services, const Project& project, const FsckOptions& options,
                       const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    FsckReport report;
    const OpenStore store = services.open_unchecked(project.store_folder);
    fsck::Context context{services, store, options, report};
    fsck::check_store_record(context);
    if (options.runs.empty()) {
        fsck::check_strays(context);
        fsck::check_far_notes(context);
    }
    const std::vector<std::string> runs = fsck::runs_meant(context);
    const bool all = options.runs.empty();
    // A repair moves damaged objects away first, so that what names them is told of in the same round.
    if (all) {
        fsck::check_objects(context, progress);
    }
    for (const std::string& run : runs) {
        fsck::check_run(context, run);
        ++report.runs;
    }
    if (!all) {
        fsck::check_objects(context, progress);
    }
    if (options.repair) {
        drop_run_index(*store.objects);
    }
    return report;
}

}  // namespace amp
