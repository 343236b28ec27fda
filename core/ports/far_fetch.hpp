#pragma once

#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// The store of another machine.
struct FarPlace {
    std::string profile;  ///< what people call it
    std::string backend;  ///< what reaches it: "ssh"
    std::string host;
    std::string root;   ///< of amp there, as the profile has it; empty: the default
    std::string store;  ///< the id of the store: where another one lies in its place, nothing is known of it
    bool operator==(const FarPlace&) const = default;

    /// The same machine and folder, whatever it is called.
    bool same_place(const FarPlace& other) const {
        return backend == other.backend && host == other.host && root == other.root;
    }
};

/// What became of an artifact that was to be brought home.
struct FarArrival {
    std::string sha256;
    std::string error;  ///< empty: all of it is in our store, and durable
    std::string hint = {};
    ExitCode code = ExitCode::infrastructure;
};

/// Brings artifacts home that stayed in the store of one other machine. What came home, and what is there no
/// more, is forgotten as such (core/store/far_notes) before it is told.
class FarFetch {
  public:
    virtual ~FarFetch() = default;
    /// A file or folder; once, also when it is asked for twice.
    virtual void want(const Artifact& artifact) = 0;
    /// Readable (poll) when events() may give something.
    virtual int event_fd() = 0;
    /// What has been decided, without blocking: one for each artifact that is wanted.
    /// @throws Error when our own store fails
    virtual std::vector<FarArrival> events() = 0;
};

}  // namespace amp
