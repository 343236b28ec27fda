#include "backends/agent/object_stream.hpp"

#include <fmt/format.h>

#include "backends/agent/payload.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"

namespace amp::agent {
namespace {

constexpr std::size_t k_piece = std::size_t{256} << 10;
constexpr std::size_t k_enough = std::size_t{512} << 10;

}  // namespace

bool object_present(ObjectStore& store, const SizedObject& object) {
    Objects objects(store);
    if (object.size_bytes != k_unknown_size) {
        return objects.contains(object.sha256, object.size_bytes);
    }
    try {
        objects.read(object.sha256, [](std::string_view) {});
        return true;
    } catch (const Error& error) {
        if (error.code() == ExitCode::not_found || error.code() == ExitCode::mismatch) {
            return false;
        }
        throw;
    }
}

void ObjectSender::add(const SizedObject& object) {
    if (is_hash(object.sha256) && known_.insert(object.sha256).second) {
        waiting_.push_back(object);
    }
}

void ObjectSender::forget() {
    waiting_.clear();
    known_.clear();
    key_.clear();
}

std::vector<ObjectTrouble> ObjectSender::fill(Channel& channel) {
    std::vector<ObjectTrouble> troubles;
    while (!waiting_.empty() && channel.unsent() < k_enough) {
        if (auto trouble = step(channel)) {
            troubles.push_back(std::move(*trouble));
        }
    }
    return troubles;
}

bool ObjectSender::begin(Channel& channel, const SizedObject& object) {
    for (const bool compressed : {false, true}) {
        std::string key = layout::object(object.sha256, compressed);
        const auto size = store_.size(key);
        if (size && (compressed || object.size_bytes == k_unknown_size || *size == object.size_bytes)) {
            channel.send(Kind::object, json::dump_record(Object{{"sha256", object.sha256},
                                                                {"size", object.size_bytes},
                                                                {"compressed", compressed}}));
            key_ = std::move(key);
            offset_ = 0;
            return true;
        }
    }
    return false;
}

/// The next piece. What it cannot read it tells, and goes on with the next object.
std::optional<ObjectTrouble> ObjectSender::step(Channel& channel) {
    const SizedObject object = waiting_.front();
    std::string error;
    ExitCode code = ExitCode::infrastructure;
    try {
        if (key_.empty() && !begin(channel, object)) {
            error = "it is not in the store";
            code = ExitCode::not_found;
        }
        const auto piece = key_.empty() ? std::nullopt : store_.get_range(key_, offset_, k_piece);
        if (piece && !piece->empty()) {
            channel.send(Kind::data, *piece);
            offset_ += piece->size();
            if (piece->size() == k_piece) {
                return std::nullopt;
            }
        }
    } catch (const Error& failed) {
        error = failed.message();
    }
    const bool begun = !std::exchange(key_, {}).empty();
    waiting_.pop_front();
    known_.erase(object.sha256);
    if (begun) {
        channel.send(Kind::object_end, encode_text("error", error));
        return std::nullopt;
    }
    return ObjectTrouble{object.sha256, error, code, false};
}

void ObjectTaker::fail(const std::string& error, ExitCode code, bool ours) {
    if (current_.error.empty()) {
        current_.error = error;
        current_.code = code;
        current_.ours = ours;
    }
    writer_.reset();
}

// Nothing is said of what is not wanted: it is passed over.
void ObjectTaker::begin(std::string_view payload) {
    const Value value = parse_object(payload);
    forget();
    current_.sha256 = get_string(value, "sha256");
    if (!is_hash(current_.sha256)) {
        throw Error(ExitCode::mismatch, "a message names no object");
    }
    const auto wanted = wanted_(current_.sha256);
    if (!wanted) {
        fail("nobody has asked for it", ExitCode::mismatch, false);
        return;
    }
    size_bytes_ = wanted->size_bytes;
    hash_.emplace();
    const bool compressed = get_bool(value, "compressed");
    if (compressed) {
        decompressor_ =
            std::make_unique<compression::Decompressor>([this](std::string_view bytes) { take(bytes); });
    }
    try {
        writer_ = store_.create(layout::object(current_.sha256, compressed));
    } catch (const Error& error) {
        fail(error.message(), error.code(), true);
    }
}

void ObjectTaker::check_length(std::uint64_t bytes, std::uint64_t more) const {
    if (size_bytes_ == k_unknown_size && bytes > most_unknown_ + more) {
        throw Error(ExitCode::mismatch,
                    fmt::format("a list of files may have {} bytes, and it has more", most_unknown_));
    }
    if (bytes > size_bytes_ + more) {
        throw Error(ExitCode::mismatch, fmt::format("it is longer than its {} bytes", size_bytes_));
    }
}

/// Of the plain content.
void ObjectTaker::take(std::string_view bytes) {
    plain_bytes_ += bytes.size();
    check_length(plain_bytes_, 0);
    hash_->update(bytes);
}

void ObjectTaker::data(std::string_view bytes) {
    if (!writer_) {
        return;
    }
    try {
        came_bytes_ += bytes.size();
        check_length(came_bytes_, k_piece);  // compressed, it is less
        if (decompressor_) {
            decompressor_->write(bytes);
        } else {
            take(bytes);
        }
    } catch (const Error& error) {
        fail(error.message(), error.code(), false);
        return;
    }
    try {
        writer_->append(bytes);
    } catch (const Error& error) {
        fail(error.message(), error.code(), true);
    }
}

void ObjectTaker::forget() {
    writer_.reset();
    decompressor_.reset();
    current_ = {};
    plain_bytes_ = came_bytes_ = 0;
}

/// Puts it to its place, if it is what its name says.
void ObjectTaker::keep() {
    try {
        if (decompressor_) {
            decompressor_->finish();
        }
    } catch (const Error& error) {
        fail(error.message(), error.code(), false);
        return;
    }
    if (hash_->hex() != current_.sha256) {
        fail("its bytes have another hash", ExitCode::mismatch, false);
        return;
    }
    try {
        if (!object_present(store_, {current_.sha256, size_bytes_})) {  // what is damaged would be read first
            store_.remove(layout::object(current_.sha256, false));
            store_.remove(layout::object(current_.sha256, true));
        }
        writer_->commit(Durability::later);
    } catch (const Error& error) {
        fail(error.message(), error.code(), true);
    }
}

ObjectTrouble ObjectTaker::end(std::string_view payload) {
    const std::string theirs = text_from(payload, "error");
    if (current_.sha256.empty()) {
        throw Error(ExitCode::mismatch, "an object ends that has not begun");
    }
    if (!theirs.empty()) {
        fail(theirs, ExitCode::infrastructure, false);
    } else if (writer_) {
        keep();
    }
    ObjectTrouble ended = std::move(current_);
    forget();
    return ended;
}

}  // namespace amp::agent
