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

/// own: its owner works with it. read_only_files: new ones may come. read_only: nothing may be written there,
/// and all of it is made durable, as it is with the one before.
enum class LaidRights { own, read_only_files, read_only };

/// Lays code into an empty folder; each file's content is verified. Nothing is written outside of it,
/// whatever the list says. @param reserved a name that the list may not use; empty: none
/// @return paths whose content was not kept
std::vector<std::string> lay_code_files(ObjectStore& store, const CodeManifest& code,
                                        const std::string& folder, LaidRights rights = LaidRights::own,
                                        std::string_view reserved = {});

/// Gives a task a folder of its own with what lies in `laid`, to work in and to write to: files as
/// reflinks, small ones else as copies, large ones as links.
void lay_own_code(const std::string& laid, const std::string& folder);

}  // namespace amp
