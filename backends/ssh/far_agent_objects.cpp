// Objects and code: what a driver asks of the store here, and who only visits it.

#include <fmt/format.h>

#include <filesystem>

#include "backends/ssh/far_agent.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"

namespace amp {

using agent::Kind;

void FarAgent::handle_objects(const agent::Frame& frame) {
    const auto kind = static_cast<Kind>(frame.kind);
    if (!visited_ || !objects_ || (kind != Kind::have && kind != Kind::fetch)) {
        backend();
    }
    switch (kind) {
        case Kind::have:
            answer_have(frame.payload);
            break;
        case Kind::object:
            taker_->begin(frame.payload);
            break;
        case Kind::data:
            taker_->data(frame.payload);
            break;
        case Kind::object_end: {
            const agent::ObjectTrouble taken = taker_->end(frame.payload);
            if (taken.error.empty()) {
                missing_.erase(taken.sha256);
                taken_.push_back(taken.sha256);
            } else {
                channel_.send(Kind::unstored, agent::encode(taken));
            }
            break;
        }
        case Kind::fetch:
            for (const agent::SizedObject& object : agent::objects_from(frame.payload)) {
                sender_->add(object);
            }
            break;
        case Kind::lay_code:
            store_taken();
            lay(frame.payload);
            break;
        default:
            throw Error(ExitCode::mismatch, fmt::format("a driver does not say {}", frame.kind));
    }
}

/// Reads what is in the store, and starts nothing. Where there is none, none is made.
void FarAgent::visit() {
    const std::string folder = options_.root + "/store";
    if (backend_ || visited_) {
        throw Error(ExitCode::mismatch, "a driver says hello once");
    }
    visited_ = true;
    if (std::filesystem::exists(folder + "/" + layout::store_record())) {
        open_house(folder);
    } else {
        done_ = true;
    }
    channel_.send(Kind::visited, agent::encode_text("store", store_id_));
}

void FarAgent::open_house(const std::string& folder) {
    objects_ = std::make_unique<DirectoryStore>(folder);
    files_ = std::make_unique<LocalAppendFiles>(folder);
    store_id_ = open_store(*objects_, "", format_time(SystemClock().now())).id;
    sender_ = std::make_unique<agent::ObjectSender>(*objects_);
}

void FarAgent::answer_have(std::string_view payload) {
    std::vector<std::string> there;
    std::vector<std::string> missing;
    for (const agent::SizedObject& object : agent::objects_from(payload)) {
        const bool whole = agent::object_present(*objects_, object) &&
                           (objects_->refresh(layout::object(object.sha256, false)) ||
                            objects_->refresh(layout::object(object.sha256, true)));
        (whole ? there : missing).push_back(object.sha256);
        if (!whole) {
            missing_.insert_or_assign(object.sha256, object.size_bytes);
        }
    }
    channel_.send(Kind::there, agent::encode_hashes({{"there", there}, {"missing", missing}}));
}

/// What came with this wake-up is made durable at once.
void FarAgent::store_taken() {
    if (taken_.empty()) {
        return;
    }
    objects_->sync_pending();
    channel_.send(Kind::stored, agent::encode_hashes({{"objects", taken_}}));
    taken_.clear();
}

void FarAgent::lay(std::string_view payload) {
    const std::string hash = agent::text_from(payload, "hash");
    std::string error;
    try {
        const CodeManifest code = code_manifest_from(
            json::parse_record(Objects(*objects_).get(agent::text_from(payload, "manifest")), "a manifest"));
        if (code.hash != hash) {
            throw Error(ExitCode::mismatch, "the code's manifest has another hash");
        }
        code_ = cache_.lay(*objects_, code);
    } catch (const std::exception& failed) {
        error = failed.what();
    }
    channel_.send(Kind::code, agent::encode_texts("hash", hash, "error", error));
}

}  // namespace amp
