#include "core/ports/secret.hpp"

#include "core/base/error.hpp"
#include "core/base/hex.hpp"

namespace amp {
Value to_value(std::span<const Secret> secrets) {
    List out;
    out.reserve(secrets.size());
    for (const Secret& secret : secrets) {
        // JSON holds text alone.
        out.emplace_back(Object{{"key", secret.key}, {"name", secret.name}, {"hex", to_hex(secret.value)}});
    }
    return out;
}

std::vector<Secret> to_secrets(const Value& value) {
    if (!value.is_list()) {
        throw Error(ExitCode::mismatch, "secrets are no list");
    }
    std::vector<Secret> out;
    for (const Value& item : value.as_list()) {
        out.push_back({get_string(item, "key"), get_string(item, "name"), from_hex(get_string(item, "hex"))});
    }
    return out;
}

}  // namespace amp
