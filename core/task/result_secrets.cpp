#include "core/task/result_secrets.hpp"

#include <fmt/format.h>

namespace amp {

void keep_secrets_out(AttemptResult& result, const MaskPatterns* masks) {
    if (masks == nullptr) {
        return;
    }
    result.message = masks->mask(result.message);
    for (const auto& [name, artifact] : result.artifacts) {
        if (artifact.value && !(masks->mask_value(*artifact.value) == *artifact.value)) {
            if (result.cause == Cause::none) {
                result.cause = Cause::user;
                result.exit = -1;
            }
            result.message = fmt::format(
                "the artifact '{}' holds the value of a secret, and values are written into the run's "
                "records: "
                "put a file, or give its readers the secret too",
                masks->mask(name));
            result.artifacts.clear();
            break;
        }
    }
}

}  // namespace amp
