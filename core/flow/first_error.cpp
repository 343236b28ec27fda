#include "core/flow/first_error.hpp"

#include <algorithm>

namespace amp {

Diagnostic first_error(const Diagnostics& diagnostics) {
    const std::vector<Diagnostic> all = diagnostics.sorted();
    const auto found = std::find_if(all.begin(), all.end(), [](const Diagnostic& diagnostic) {
        return diagnostic.severity == Diagnostic::Severity::error;
    });
    return found == all.end() ? Diagnostic{} : *found;
}

}  // namespace amp
