#include "core/store/store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

std::string to_json(const StoreRecord& record) {
    return json::dump(Object{{"layout", record.layout},
                             {"id", record.id},
                             {"created", record.created},
                             {"sharing", record.sharing}});
}

StoreRecord from_json(std::string_view text) {
    const Value value = json::parse(text, layout::store_record());
    StoreRecord record;
    const std::int64_t version = get_int(value, "layout");
    if (version > layout::k_version) {
        throw Error(ExitCode::invalid,
                    fmt::format("the store has layout {}, and this amp knows {}", version, layout::k_version),
                    layout::store_record(), "use the amp that made it, or a newer one");
    }
    if (version < 1) {
        throw Error(ExitCode::mismatch, "store.json says no layout", layout::store_record(),
                    "run `amp fsck`");
    }
    record.layout = static_cast<int>(version);
    record.id = get_string(value, "id");
    record.created = get_string(value, "created");
    record.sharing = get_string(value, "sharing", record.sharing);
    return record;
}

[[noreturn]] void fail_not_found(ObjectStore& store, const std::string& reference) {
    const std::vector<std::string> runs = list_runs(store);
    const std::optional<std::string> near = did_you_mean(reference, runs);
    throw Error(ExitCode::not_found, fmt::format("there is no run '{}'", printable(reference)), {},
                near           ? fmt::format("did you mean {}?", *near)
                : runs.empty() ? "this store has no runs yet"
                               : fmt::format("the latest is {}; `amp runs` lists all", runs.back()));
}

/// What died while it was created has left a folder without a record, and is no run.
bool has_record(ObjectStore& store, const std::string& run) {
    return store.size(layout::run_record(run)).has_value();
}

std::vector<std::string> matching(ObjectStore& store, const std::vector<std::string>& runs,
                                  const std::string& reference, bool at_end) {
    std::vector<std::string> found;
    std::copy_if(runs.begin(), runs.end(), std::back_inserter(found), [&](const std::string& run) {
        const bool named = at_end ? run.ends_with("-" + reference) : run.starts_with(reference);
        return named && has_record(store, run);
    });
    return found;
}

}  // namespace

StoreRecord open_store(ObjectStore& store, const std::string& sharing, const std::string& now) {
    for (;;) {
        if (const std::optional<Stored> stored = store.get(layout::store_record())) {
            StoreRecord record = from_json(stored->bytes);
            if (!sharing.empty() && sharing != record.sharing) {
                throw Error(
                    ExitCode::invalid,
                    fmt::format("the store is \"{}\", and \"{}\" is asked for", record.sharing, sharing),
                    layout::store_record(), "how a store is shared is fixed when it is made");
            }
            return record;
        }
        const StoreRecord fresh{layout::k_version, make_token(), now, sharing.empty() ? "private" : sharing};
        if (store.put_if_absent(layout::store_record(), to_json(fresh)) == PutResult::stored) {
            return fresh;
        }
    }
}

bool create_run(ObjectStore& store, const std::string& run, const Value& record) {
    return store.put_if_absent(layout::run_record(run), json::dump(record)) == PutResult::stored;
}

Value read_run(ObjectStore& store, const std::string& run) {
    const std::optional<Stored> stored = is_run_id(run) ? store.get(layout::run_record(run)) : std::nullopt;
    if (!stored) {
        fail_not_found(store, run);
    }
    return json::parse(stored->bytes, layout::run_record(run));
}

std::vector<std::string> list_runs(ObjectStore& store) {
    std::vector<std::string> runs = store.list_children("runs/");
    std::erase_if(runs, [](const std::string& name) { return !is_run_id(name); });
    return runs;
}

std::string resolve_run(ObjectStore& store, const std::string& reference) {
    if (is_run_id(reference) && has_record(store, reference)) {
        return reference;
    }
    const std::vector<std::string> runs = list_runs(store);
    if (reference == "latest") {
        const auto latest = std::find_if(runs.rbegin(), runs.rend(),
                                         [&](const std::string& run) { return has_record(store, run); });
        if (latest != runs.rend()) {
            return *latest;
        }
    }
    for (const bool at_end : {false, true}) {
        const std::vector<std::string> found =
            reference.empty() ? std::vector<std::string>() : matching(store, runs, reference, at_end);
        if (found.size() > 1) {
            throw Error(ExitCode::usage,
                        fmt::format("'{}' means {} runs, from {} to {}", reference, found.size(),
                                    found.front(), found.back()),
                        {}, "give more of the id, or its last four letters");
        }
        if (found.size() == 1) {
            return found.front();
        }
    }
    fail_not_found(store, reference);
}

std::optional<Value> read_summary(ObjectStore& store, const std::string& run) {
    const std::optional<Stored> stored = store.get(layout::summary(run));
    return stored ? std::optional(json::parse(stored->bytes, layout::summary(run))) : std::nullopt;
}

void write_summary(ObjectStore& store, const std::string& run, const Value& summary) {
    store.put(layout::summary(run), json::dump(summary));
}

}  // namespace amp
