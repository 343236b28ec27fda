#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/package/code_manifest.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// The list of a run's code with that hash: an object (the canonical JSON of its entries), or what the run's
/// record says. @throws Error(not_found), Error(mismatch)
CodeManifest read_code_manifest(ObjectStore& store, const std::string& run, const std::string& hash);

/// Lays code into an empty folder; each file's content is verified. Nothing is written outside of it,
/// whatever the list says. @param reserved a name that the list may not use; empty: none
/// @param writable may its owner write to the files?
/// @return paths whose content was not kept
std::vector<std::string> lay_code_files(ObjectStore& store, const CodeManifest& code,
                                        const std::string& folder, std::string_view reserved = {},
                                        bool writable = true);

/// The code in a folder that all tasks of this user on this node share: laid by whoever needs it first;
/// read-only, and there as a whole or not at all.
/// @param cache folder of such folders @throws Error(not_found) when some of its content was not kept
std::string lay_shared_code(ObjectStore& store, const CodeManifest& code, const std::string& cache);

/// Gives a task a folder of its own with what lies in `shared`, to work in and to write to: files as
/// reflinks, small ones else as copies, large ones as links.
void lay_own_code(const std::string& shared, const std::string& folder);

}  // namespace amp
