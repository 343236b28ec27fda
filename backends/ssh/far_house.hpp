#pragma once

#include <string>

#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Makes the root. What lies in it is ours alone, also where it is wider itself, or somebody else's: those
/// may have made a place before us.
/// @throws Error(invalid) when others may write in such a place
void make_house(const std::string& root);

/// Once a day, when no keeper is at work: removes what nothing has used for 30 days. Of the store here its
/// objects: a driver that needs one asks for it first, which makes it young again. Of the programs beside
/// `program` (…/bin/SHA256/amp) the other ones; and it makes this one young.
/// Whatever fails is left for the next day.
void keep_house(ObjectStore& objects, AppendFiles& files, const std::string& program);

}  // namespace amp
