#include "core/run/prune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/text.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_index.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

constexpr std::size_t k_all = std::numeric_limits<std::size_t>::max();
constexpr double k_remains_s = 86400;  ///< what is half made is left alone for so long

/// What is known of all runs before some are removed.
struct Family {
    struct Member {
        std::string parent;  ///< of a run of a sub-flow
        std::string origin;
        Timestamp created;
        bool ended = false;
    };
    std::map<std::string, Member> runs;

    /// The run that began it all.
    std::string root(std::string run) const {
        for (std::size_t depth = 0; depth < runs.size(); ++depth) {
            const auto it = runs.find(run);
            if (it == runs.end() || it->second.parent.empty() || !runs.contains(it->second.parent)) {
                break;
            }
            run = it->second.parent;
        }
        return run;
    }

    /// A run with the runs of its sub-flows, those first.
    std::vector<std::string> tree(const std::string& run) const {
        std::vector<std::string> out;
        for (const auto& [name, member] : runs) {
            if (name != run && root(name) == root(run) && is_below(name, run)) {
                out.push_back(name);
            }
        }
        out.push_back(run);
        return out;
    }

  private:
    bool is_below(std::string run, const std::string& above) const {
        for (std::size_t depth = 0; depth < runs.size(); ++depth) {
            const auto it = runs.find(run);
            if (it == runs.end() || it->second.parent.empty()) {
                return false;
            }
            run = it->second.parent;
            if (run == above) {
                return true;
            }
        }
        return false;
    }
};

bool has_record(const OpenStore& store, const std::string& run) {
    return store.objects->size(layout::run_record(run)).has_value();
}

Family read_family(const OpenStore& store) {
    Family family;
    for (const std::string& run : list_runs(*store.objects)) {
        if (!has_record(store, run)) {
            continue;
        }
        Family::Member& member = family.runs[run];
        member.ended = read_summary(*store.objects, run).has_value();
        try {
            const Value record = read_run(*store.objects, run);
            const std::string parent = get_string(record, "parent");  // RUN/STEP/INDEX
            member.parent = parent.substr(0, parent.find('/'));
            member.origin = get_string(record, "origin");
            member.created = parse_time(get_string(record, "created")).value_or(Timestamp{});
        } catch (const Error&) {
            // Damaged: it can be removed all the same, but is not old.
            member.created = Timestamp{std::numeric_limits<std::int64_t>::max()};
        }
    }
    return family;
}

/// Why a run is in use; "" when it is not.
std::string in_use(Services& services, const OpenStore& store, const Family& family, const std::string& run) {
    if (is_driven(*store.objects, *store.files, services.clock, run, services.host)) {
        return "it is being driven";
    }
    for (const std::uint32_t epoch : keeper_epochs(store, run)) {
        if (store.files->locked(layout::keeper_log(run, epoch))) {
            return "its tasks are at work";
        }
    }
    RunRecord young;
    young.run = run;
    young.created = family.runs.at(run).created;
    if (awaits_driver(services, store, young)) {
        return "it has just been made";
    }
    for (const auto& [other, member] : family.runs) {
        if (member.origin == run && !member.ended) {
            return fmt::format("run {} goes on from it, and has not ended", other);
        }
    }
    return {};
}

/// The record goes first: from then on there is no such run. What dies in between leaves remains, which the
/// next collection takes. The lease is held, so that nobody begins to drive it meanwhile.
void remove_run(Services& services, const OpenStore& store, const std::string& run) {
    {
        Lease lease = Lease::acquire(*store.objects, *store.files, services.clock, run,
                                     {services.host, services.pid, services.user});
        mark_run_changed(*store.objects, run);
        store.objects->remove(
            layout::summary(run));  // what has one counts as a run without a look at its record
        store.objects->remove(layout::run_record(run));
        const std::string mine = layout::lease(run);
        for (const std::string& key : store.objects->list_after(layout::run_prefix(run), {}, k_all)) {
            if (!key.starts_with(mine)) {
                store.objects->remove(key);
            }
        }
        for (const std::string& key : store.files->list(layout::run_prefix(run))) {
            if (!key.starts_with(mine)) {
                store.files->remove(key);
            }
        }
    }
    for (const std::string& key : store.files->list(layout::run_prefix(run))) {
        store.files->remove(key);
    }
    for (const std::string& key : store.objects->list_after(layout::run_prefix(run), {}, k_all)) {
        store.objects->remove(key);
    }
}

/// Folders of runs without a record, in which nothing has changed for a day.
std::vector<std::string> find_remains(const OpenStore& store, Timestamp now) {
    std::vector<std::string> out;
    for (const std::string& run : list_runs(*store.objects)) {
        if (has_record(store, run)) {
            continue;
        }
        const auto files = store.objects->list_details(layout::run_prefix(run), {}, k_all);
        const bool old = std::all_of(files.begin(), files.end(), [&](const Listed& file) {
            return now.seconds_since(file.changed) > k_remains_s && !store.files->locked(file.key);
        });
        if (old) {
            out.push_back(run);
        }
    }
    return out;
}

class Pruner {
  public:
    Pruner(Services& services, const OpenStore& store, const PruneOptions& options)
        : services_(services), store_(store), options_(options), family_(read_family(store)) {}

    PruneReport run() {
        if (options_.older_than_s || options_.keep_last) {
            for (const std::string& run : meant()) {
                consider(run);
            }
        }
        const Timestamp now = services_.clock.now();
        report_.remains = find_remains(store_, now);
        if (!options_.dry_run) {
            for (const std::string& run : report_.remains) {
                try {
                    remove_run(services_, store_, run);
                } catch (const Error& error) {
                    ignore_busy(error);
                }
            }
        }
        CollectOptions collect;
        collect.grace_s = options_.grace_s.value_or(CollectOptions::k_default_grace_s);
        collect.dry_run = options_.dry_run;
        report_.objects = collect_objects(*store_.objects, *store_.files, collect);
        report_.temporary =
            store_.objects->remove_abandoned(now.plus_seconds(-k_remains_s), options_.dry_run);
        if (services_.prune_scratch) {
            report_.scratch = services_.prune_scratch(options_.dry_run);
        }
        return std::move(report_);
    }

  private:
    /// Runs that the options name, newest first; of sub-flows none, for they go with theirs.
    std::vector<std::string> meant() const {
        std::vector<std::string> roots;
        for (auto it = family_.runs.rbegin(); it != family_.runs.rend(); ++it) {
            if (family_.root(it->first) == it->first) {
                roots.push_back(it->first);
            }
        }
        if (options_.keep_last) {
            roots.erase(roots.begin(), roots.begin() + static_cast<std::ptrdiff_t>(
                                                           std::min(*options_.keep_last, roots.size())));
        }
        if (options_.older_than_s) {
            const Timestamp limit = services_.clock.now().plus_seconds(-*options_.older_than_s);
            std::erase_if(roots,
                          [&](const std::string& run) { return family_.runs.at(run).created >= limit; });
        }
        return roots;
    }

    void consider(const std::string& run) {
        const std::vector<std::string> tree = family_.tree(run);
        for (const std::string& member : tree) {
            std::string why = in_use(services_, store_, family_, member);
            if (const std::string tags = join(active_tags(*store_.objects, member), ", ");
                why.empty() && !tags.empty()) {
                why = "it is tagged: " + tags;
            }
            if (!why.empty()) {
                report_.kept.push_back({run, why});
                return;
            }
        }
        for (const std::string& member : tree) {
            if (remove(member)) {
                report_.removed.push_back(member);
                family_.runs.erase(member);
            } else {
                report_.kept.push_back({member, "it is being driven"});
                return;
            }
        }
    }

    bool remove(const std::string& run) {
        if (options_.dry_run) {
            return true;
        }
        try {
            remove_run(services_, store_, run);
            return true;
        } catch (const Error& error) {
            ignore_busy(error);
            return false;
        }
    }

    static void ignore_busy(const Error& error) {
        if (error.code() != ExitCode::busy) {
            throw error;
        }
    }

    Services& services_;
    const OpenStore& store_;
    const PruneOptions& options_;
    Family family_;
    PruneReport report_;
};

}  // namespace

PruneReport prune_store(Services& services, const Project& project, const PruneOptions& options) {
    if (options.grace_s && *options.grace_s < 0) {
        throw Error(ExitCode::usage, "a grace cannot be negative");
    }
    const OpenStore store = services.open_store(project.store_folder, false);
    return Pruner(services, store, options).run();
}

std::vector<std::string> remove_runs(Services& services, const Project& project,
                                     const std::vector<std::string>& references, bool force) {
    const OpenStore store = services.open_store(project.store_folder, false);
    const Family family = read_family(store);
    std::vector<std::string> all;
    for (const std::string& reference : references) {
        const std::string run = resolve_run(*store.objects, reference);
        for (const std::string& member : family.tree(run)) {
            if (std::find(all.begin(), all.end(), member) == all.end()) {
                all.push_back(member);
            }
        }
    }
    for (const std::string& run : all) {
        if (const std::string why = in_use(services, store, family, run); !why.empty()) {
            throw Error(ExitCode::busy, fmt::format("run {} stays: {}", run, why), run,
                        fmt::format("`amp cancel {}` ends it", run));
        }
        const std::string tags = join(active_tags(*store.objects, run), ", ");
        if (!tags.empty() && !force) {
            throw Error(ExitCode::usage, fmt::format("run {} stays: it is tagged: {}", run, tags), run,
                        "remove the tags, or say --force");
        }
    }
    for (const std::string& run : all) {
        remove_run(services, store, run);
    }
    return all;
}

}  // namespace amp
