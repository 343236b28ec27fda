#include "core/run/result_cache.hpp"

#include <fmt/format.h>

#include <limits>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/run/artifact_values.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

constexpr int k_schema = 1;
/// A use is told to the store only of entries that are older: once a day is often enough to be kept.
constexpr double k_refresh_s = 86400;

std::string key_of(const std::string& definition, std::uint32_t round) {
    return layout::result(round == 0 ? definition : sha256_hex(fmt::format("{}@{}", definition, round)));
}

std::optional<CachedResult> parse(const std::string& bytes, const std::string& key) {
    try {
        const Value entry = json::parse(bytes, key);
        if (get_int(entry, "schema", 0) != k_schema) {
            return std::nullopt;
        }
        CachedResult result{get_string(entry, "made_by"),
                            static_cast<std::uint32_t>(get_int(entry, "attempt", 1)),
                            parse_time(get_string(entry, "at")).value_or(Timestamp{}),
                            {}};
        for (const auto& [name, artifact] : get_object(entry, "artifacts")) {
            result.artifacts.emplace(name, artifact_from(artifact));
        }
        return result;
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace

std::optional<CachedResult> ResultCache::find(const std::string& definition, std::uint32_t round,
                                              std::optional<double> ttl_s, Timestamp now) const {
    const std::string key = key_of(definition, round);
    const auto size = store_.objects->size(key);
    const auto bytes = size ? store_.objects->get_range(key, 0, *size) : std::nullopt;
    auto result = bytes ? parse(*bytes, key) : std::nullopt;
    if (!result || (ttl_s && now.seconds_since(result->at) > *ttl_s)) {
        return std::nullopt;
    }
    AttemptResult made;
    made.artifacts = result->artifacts;
    if (!objects_present(store_, made)) {
        return std::nullopt;
    }
    if (now.seconds_since(result->at) > k_refresh_s) {
        store_.objects->refresh(key);
    }
    return result;
}

void ResultCache::keep(const std::string& definition, std::uint32_t round, CachedResult result) const {
    take_out_of_packs(store_, result.artifacts);
    Object artifacts;
    for (const auto& [name, artifact] : result.artifacts) {
        artifacts.emplace(name, to_value(artifact));
    }
    const std::string bytes = json::dump(Object{{"schema", k_schema},
                                                {"definition", definition},
                                                {"made_by", result.made_by},
                                                {"attempt", static_cast<std::int64_t>(result.attempt)},
                                                {"at", format_time(result.at)},
                                                {"artifacts", std::move(artifacts)}});
    const std::string key = key_of(definition, round);
    if (store_.objects->put_if_absent(key, bytes, Durability::later) == PutResult::exists) {
        store_.objects->remove_older(key, Timestamp{std::numeric_limits<std::int64_t>::max()});
        store_.objects->put_if_absent(key, bytes, Durability::later);
    }
}

}  // namespace amp
