#include "core/store/sealed.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"

namespace amp {
namespace {

constexpr std::string_view k_begin = "\"~sha256\":\"";
constexpr std::string_view k_end = "\"}";
constexpr std::size_t k_digits = 64;
constexpr std::size_t k_member = k_begin.size() + k_digits + k_end.size();

[[noreturn]] void fail(const std::string& key, std::string_view why) {
    throw Error(ExitCode::mismatch, fmt::format("'{}' is damaged: {}", key, why), key,
                "`amp fsck` tells what can be saved");
}

}  // namespace

std::string seal(const Value& object) {
    std::string text = json::dump_record(object);
    const std::string hash = sha256_hex(text);
    text.pop_back();
    text += object.as_object().empty() ? "" : ",";
    return text.append(k_begin).append(hash).append(k_end);
}

Value unseal(std::string_view text, const std::string& key) {
    const bool sealed = text.size() > k_member && text.ends_with(k_end) &&
                        text.substr(text.size() - k_member).starts_with(k_begin);
    std::string body(text);
    if (sealed) {
        const std::string_view hash = text.substr(text.size() - k_member + k_begin.size(), k_digits);
        body.resize(text.size() - k_member);
        if (body.ends_with(',')) {
            body.pop_back();
        }
        body += '}';
        if (sha256_hex(body) != hash) {
            fail(key, "its bytes have another hash");
        }
    }
    try {
        return json::parse_record(body, key);
    } catch (const Error& error) {
        fail(key, error.message());
    }
}

}  // namespace amp
