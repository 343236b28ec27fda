#include "core/store/layout.hpp"

#include <fmt/format.h>

#include "core/base/hash.hpp"

namespace amp::layout {

std::string store_record() {
    return "store.json";
}

std::string object(std::string_view sha256, bool compressed) {
    return fmt::format("objects/{}/{}{}", sha256.substr(0, 2), sha256.substr(2), compressed ? ".zst" : "");
}

std::string run_prefix(std::string_view run) {
    return fmt::format("runs/{}/", run);
}
std::string run_record(std::string_view run) {
    return fmt::format("runs/{}/run.json", run);
}
std::string lease(std::string_view run) {
    return fmt::format("runs/{}/lease", run);
}
std::string lease_lock(std::string_view run, std::string_view token) {
    return fmt::format("runs/{}/lease-{}.lock", run, token);
}
std::string journal_prefix(std::string_view run) {
    return fmt::format("runs/{}/journal/", run);
}

std::string journal(std::string_view run, std::uint32_t epoch, std::uint32_t seq) {
    return fmt::format("runs/{}/journal/{:08}-{:08}", run, epoch, seq);
}

std::string pack_prefix(std::string_view run) {
    return fmt::format("runs/{}/packs/", run);
}

std::string pack(std::string_view run, std::uint32_t epoch, std::uint32_t seq) {
    return fmt::format("runs/{}/packs/{:08}-{:08}", run, epoch, seq);
}

std::string keeper_prefix(std::string_view run) {
    return fmt::format("runs/{}/keeper/", run);
}
std::string keeper_log(std::string_view run, std::uint32_t epoch) {
    return fmt::format("runs/{}/keeper/{:08}", run, epoch);
}
std::string tag_prefix(std::string_view run) {
    return fmt::format("runs/{}/tags/", run);
}
std::string tag(std::string_view run, std::string_view name) {
    return fmt::format("runs/{}/tags/{}.json", run, sha256_hex(name).substr(0, 32));
}
std::string summary(std::string_view run) {
    return fmt::format("runs/{}/summary.json", run);
}

std::string torn_copy(std::string_view run, std::string_view segment) {
    return fmt::format("quarantine/{}/{}.torn", run, segment.substr(segment.rfind('/') + 1));
}

}  // namespace amp::layout
