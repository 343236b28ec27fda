#pragma once

#include <exception>
#include <string>

namespace amp {

/// What amp exits with; documented in `amp help exit-codes` and stable.
enum class ExitCode : int {
    ok = 0,
    flow_failed = 1,
    usage = 2,
    invalid = 3,
    authentication = 4,
    infrastructure = 5,
    mismatch = 6,
    not_found = 7,
    timeout = 8,
    cancelled = 9,
    store_full = 10,
    bug = 70,
    busy = 75,
    interrupted = 130,
    terminated = 143,
};

/// What ends an operation. Thrown; turned into text and an exit code in one place (cli/report).
/// What a caller decides upon (a failed task, a diagnostic of a flow) is a value and never an Error.
class Error : public std::exception {
  public:
    /// @param code what amp exits with if nobody handles it
    /// @param message one sentence without a full stop, lower case, with the offending value quoted
    /// @param where the file, run or place concerned; may be empty
    /// @param hint one thing that the user can do; may be empty
    Error(ExitCode code, std::string message, std::string where = {}, std::string hint = {});

    const char* what() const noexcept override { return message_.c_str(); }
    ExitCode code() const noexcept { return code_; }
    const std::string& message() const noexcept { return message_; }
    const std::string& where() const noexcept { return where_; }
    const std::string& hint() const noexcept { return hint_; }
    /// Message and hint in one line, where there is room for one text only: "…; …".
    std::string advice() const { return hint_.empty() ? message_ : message_ + "; " + hint_; }

    /// "cannot open 'x': Permission denied" for an errno, action being "open" or "cannot open"; ENOSPC,
    /// EDQUOT and EROFS become store_full.
    static Error system(const std::string& action, const std::string& path, int error_number);

  private:
    ExitCode code_;
    std::string message_;
    std::string where_;
    std::string hint_;
};

}  // namespace amp
