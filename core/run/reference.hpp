#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/ports/object_store.hpp"

namespace amp {

// How people name a run, and what is in it:
//
//   TARGET = RUN [ "/" STEP [ "/" INDEX ] ]
//   RUN    = "latest"           the newest run that is no task of another
//          | FLOW "/latest"     the newest of them of this flow
//          | [ FLOW ] "@" TAG   the newest run (of this flow) that has the tag
//          | ID                 261120-081530-k3fx
//          | BEGINNING          of an id, or of what stands behind a dash of one (081530, k3fx), when only
//                               one run has it; the beginnings of whole ids go first
//
// One rule parts RUN from STEP: what stands before the first slash is the run; only where "latest" stands
// behind that slash, both together are, unless the first part alone can be nothing but a run: latest, a
// whole id, or with an @. So "latest/latest" is the step `latest` of the latest run, and "2611/latest" the
// latest run of a flow called 2611. A tag that contains a slash is found by `amp runs --tag` alone.

struct RunReference {
    enum class Kind { latest, tag, id };
    Kind kind = Kind::latest;
    std::string flow = {};  ///< of latest and tag; empty: of any
    std::string name = {};  ///< the tag; of an id: it, or a beginning
    bool operator==(const RunReference&) const = default;
};

/// How many bytes of a TARGET name its run. Never throws.
std::size_t run_part(std::string_view target);

/// @throws Error(usage) for what no run can be called: nothing, a task, "..", control characters, too much
RunReference parse_run_reference(std::string_view text);

/// The run that is meant; the error says which come near, and which are the newest.
/// @throws Error(not_found), Error(usage)
std::string resolve_run(ObjectStore& store, const std::string& reference);

}  // namespace amp
