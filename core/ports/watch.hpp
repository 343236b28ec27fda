#pragma once

namespace amp {

/// Tells that something below a prefix has changed: a file appeared, grew, or was closed by its writer (so
/// that the death of a driver or keeper is told, too, perhaps a moment before its lock is free). It may tell
/// of changes that were seen already; it never forgets one.
class Watch {
  public:
    virtual ~Watch() = default;
    /// Readable while there are changes that were not taken.
    virtual int fd() const = 0;
    /// Takes the changes that have come; false: there were none. Call it before looking at the files, so that
    /// none is missed between.
    virtual bool take() = 0;
};

}  // namespace amp
