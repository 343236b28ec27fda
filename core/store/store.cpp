#include "core/store/store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/text.hpp"
#include "core/store/layout.hpp"
#include "core/store/sealed.hpp"

namespace amp {
namespace {

std::string to_json(const StoreRecord& record) {
    return seal(Object{{"layout", record.layout},
                       {"id", record.id},
                       {"created", record.created},
                       {"sharing", record.sharing}});
}

StoreRecord from_json(std::string_view text) {
    const Value value = unseal(text, layout::store_record());
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
    return store.put_if_absent(layout::run_record(run), seal(record)) == PutResult::stored;
}

Value read_run(ObjectStore& store, const std::string& run) {
    const std::optional<Stored> stored = is_run_id(run) ? store.get(layout::run_record(run)) : std::nullopt;
    if (!stored) {
        fail_not_found(store, run);
    }
    return unseal(stored->bytes, layout::run_record(run));
}

std::vector<std::string> list_runs(ObjectStore& store) {
    std::vector<std::string> runs = store.list_children("runs/");
    std::erase_if(runs, [](const std::string& name) { return !is_run_id(name); });
    return runs;
}

std::optional<Value> read_summary(ObjectStore& store, const std::string& run) {
    const std::optional<Stored> stored = store.get(layout::summary(run));
    try {
        return stored ? std::optional(unseal(stored->bytes, layout::summary(run))) : std::nullopt;
    } catch (const Error&) {
        return std::nullopt;  // a cache: as if it were not there
    }
}

void write_summary(ObjectStore& store, const std::string& run, const Value& summary) {
    store.put(layout::summary(run), seal(summary));
}

}  // namespace amp
