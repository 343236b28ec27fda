#include "backends/ssh/uploads.hpp"

#include <algorithm>

namespace amp {

void Uploads::need(agent::Channel& channel, std::span<const agent::SizedObject> objects) {
    std::vector<agent::SizedObject> fresh;
    for (const agent::SizedObject& object : objects) {
        if (!there_.contains(object.sha256) && asked_.emplace(object.sha256, object.size_bytes).second) {
            fresh.push_back(object);
        }
    }
    agent::send_objects(channel, agent::Kind::have, fresh);
}

bool Uploads::are_there(std::span<const agent::SizedObject> objects) const {
    return std::all_of(objects.begin(), objects.end(),
                       [this](const auto& object) { return there_.contains(object.sha256); });
}

void Uploads::answered(std::string_view payload) {
    for (std::string& sha256 : agent::hashes_from(payload, "there")) {
        there_.insert(std::move(sha256));
    }
    for (const std::string& sha256 : agent::hashes_from(payload, "missing")) {
        if (const auto asked = asked_.find(sha256); asked != asked_.end()) {
            sender_.add({sha256, asked->second});
        }
    }
}

void Uploads::stored(std::string_view payload) {
    for (std::string& sha256 : agent::hashes_from(payload, "objects")) {
        there_.insert(std::move(sha256));
    }
}

void Uploads::forget() {
    sender_.forget();
    asked_.clear();
    there_.clear();
}

}  // namespace amp
