#include "core/run/bring_home.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/store/far_notes.hpp"

namespace amp {
namespace {

constexpr int k_patience = 4;

void wait_for(Services& services, FarFetch& fetch, std::size_t wanted) {
    Waiter& waiter = services.waiter.get();
    while (wanted > 0) {
        for (const FarArrival& arrival : fetch.events()) {
            if (!arrival.error.empty()) {
                throw Error(arrival.code, fmt::format("the artifact is not here: {}", arrival.error), {},
                            arrival.hint);
            }
            --wanted;
        }
        if (wanted > 0) {
            waiter.wait(fetch.event_fd(), -1);
        }
        if (waiter.interrupts() > 0 || waiter.terminating_signal() != 0) {
            throw Error(waiter.interrupts() > 0 ? ExitCode::interrupted : ExitCode::terminated,
                        "told to end before the artifact was here");
        }
    }
}

}  // namespace

void bring_home(Services& services, const OpenStore& store, std::span<const Artifact> artifacts) {
    std::vector<std::pair<FarPlace, std::vector<Artifact>>> places;
    for (const Artifact& artifact : artifacts) {
        const auto note = find_far(*store.objects, artifact);
        if (!note) {
            continue;
        }
        auto place = std::find_if(places.begin(), places.end(),
                                  [&note](const auto& known) { return known.first == note->place; });
        if (place == places.end()) {
            place = places.insert(places.end(), {note->place, {}});
        }
        const auto known =
            std::find_if(place->second.begin(), place->second.end(),
                         [&artifact](const Artifact& other) { return other.sha256 == artifact.sha256; });
        if (known == place->second.end()) {
            place->second.push_back(artifact);
        }
    }
    for (const auto& [place, wanted] : places) {
        const std::unique_ptr<FarFetch> fetch = services.make_fetch(store, place, k_patience);
        for (const Artifact& artifact : wanted) {
            fetch->want(artifact);
        }
        wait_for(services, *fetch, wanted.size());
    }
}

void bring_home(Services& services, const OpenStore& store, const TaskSpec& spec) {
    std::vector<Artifact> artifacts;
    for (const TaskInput& input : spec.inputs) {
        artifacts.push_back(input.artifact);
    }
    bring_home(services, store, artifacts);
}

std::map<std::string, std::string> artifacts_elsewhere(const OpenStore& store,
                                                       const std::set<std::string>& hashes) {
    std::map<std::string, std::string> profiles;
    for (const std::string& sha256 : list_far(*store.objects)) {
        if (!hashes.contains(sha256)) {
            continue;
        }
        const auto note = read_far_note(*store.objects, sha256);
        if (note && !is_here(*store.objects, note->artifact)) {
            profiles.emplace(sha256, note->place.profile);
        }
    }
    return profiles;
}

}  // namespace amp
