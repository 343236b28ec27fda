#include "core/base/error.hpp"

#include <cerrno>
#include <system_error>

namespace amp {

Error::Error(ExitCode code, std::string message, std::string where, std::string hint)
    : code_(code), message_(std::move(message)), where_(std::move(where)), hint_(std::move(hint)) {}

Error Error::system(const std::string& action, const std::string& path, int error_number) {
    const std::string reason = std::generic_category().message(error_number);
    const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EROFS;
    const bool missing = error_number == ENOENT || error_number == ENOTDIR;
    const ExitCode code = full      ? ExitCode::store_full
                          : missing ? ExitCode::not_found
                                    : ExitCode::infrastructure;
    const std::string cannot = action.starts_with("cannot ") ? "" : "cannot ";
    return Error(code, cannot + action + " '" + path + "': " + reason, path);
}

}  // namespace amp
