#pragma once

#include <functional>
#include <memory>

#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"

namespace amp::test {

/// What every ObjectStore must do. Call it from a TEST_CASE; `store` is empty and the same throughout.
void check_object_store(ObjectStore& store);
/// 16 threads at once, each with a store of its own over the same data where that is possible: exactly one
/// wins.
void check_object_store_races(const std::function<std::shared_ptr<ObjectStore>()>& open);

/// What all AppendFiles must do.
void check_append_files(AppendFiles& files);

}  // namespace amp::test
