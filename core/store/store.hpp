#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/value.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// store.json: made on first use, checked on opening.
struct StoreRecord {
    int layout = 1;
    std::string id;
    std::string created;
    std::string sharing = "private";  ///< or "group"
};

/// Opens the store's record, or creates it.
/// @param sharing "private" or "group" for a new store; an existing one must be of that kind, or of any when
/// this is ""
/// @throws Error(invalid) when the layout is newer than ours, or the sharing is another
StoreRecord open_store(ObjectStore& store, const std::string& sharing, const std::string& now);

/// Writes runs/RUN/run.json once. False when the id is taken.
bool create_run(ObjectStore& store, const std::string& run, const Value& record);
/// @throws Error(not_found) with a did-you-mean from the runs that exist
Value read_run(ObjectStore& store, const std::string& run);
/// Ids of all runs, oldest first.
std::vector<std::string> list_runs(ObjectStore& store);

std::optional<Value> read_summary(ObjectStore& store, const std::string& run);
void write_summary(ObjectStore& store, const std::string& run, const Value& summary);

}  // namespace amp
