#include "core/store/packs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/text.hpp"
#include "core/store/journal.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_pack_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t k_read_bytes = std::uint64_t{1} << 20;
constexpr std::size_t k_max_header = 512;
constexpr std::string_view k_magic = "P1 ";

/// A frame's header line as read from a pack; views into it.
struct Header {
    std::string_view task;
    std::string_view kind;  ///< without its rank
    std::optional<std::uint32_t> rank;
    std::uint64_t attempt = 0;
    std::int64_t ms = 0;
    std::uint64_t length = 0;
    std::uint32_t checksum = 0;
    std::size_t covered = 0;  ///< bytes of the header that the checksum covers
    std::size_t size = 0;     ///< of the line with its line feed

    std::uint64_t frame_size() const { return size + length + 1; }
};

template <class T>
bool parse_number(std::string_view text, T& number, int base = 10) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return !text.empty() && failed == std::errc() && end == text.data() + text.size();
}

/// nullopt: no header. A header whose line feed is not there yet counts as none.
std::optional<Header> parse_header(std::string_view bytes) {
    const std::string_view line = bytes.substr(0, std::min(bytes.find('\n'), k_max_header));
    const std::vector<std::string_view> parts = split(line, ' ');
    if (line.size() == bytes.size() || !bytes.starts_with(k_magic) || parts.size() != 7 ||
        parts[6].size() != 8 || parts[6].find_first_not_of("0123456789abcdef") != std::string_view::npos) {
        return std::nullopt;
    }
    Header header;
    header.task = parts[1];
    header.kind = parts[3];
    if (!parse_number(parts[2], header.attempt) || !parse_number(parts[4], header.ms) ||
        !parse_number(parts[5], header.length) || !parse_number(parts[6], header.checksum, 16)) {
        return std::nullopt;
    }
    if (const std::size_t at = header.kind.find('@'); at != std::string_view::npos) {
        std::uint32_t rank = 0;
        if (!parse_number(header.kind.substr(at + 1), rank)) {
            return std::nullopt;
        }
        header.rank = rank;
        header.kind = header.kind.substr(0, at);
    }
    header.covered = line.size() - 8;
    header.size = line.size() + 1;
    return header;
}

/// The bytes of the frame that `bytes` begins with, if it is whole and sound.
std::optional<std::string_view> sound_content(std::string_view bytes, const Header& header) {
    if (bytes.size() < header.frame_size() || bytes[header.frame_size() - 1] != '\n') {
        return std::nullopt;
    }
    const std::string_view content = bytes.substr(header.size, header.length);
    const bool sound = crc32c(content, crc32c(bytes.substr(0, header.covered))) == header.checksum;
    return sound ? std::optional(content) : std::nullopt;
}

}  // namespace

class PackWriter::Impl {
  public:
    Impl(AppendFiles& files, std::string writer) : files_(files), writer_(std::move(writer)) {}

    LogPiece append(const TaskName& task, std::uint32_t attempt, std::string_view kind,
                    std::string_view bytes, Timestamp at) {
        const std::scoped_lock lock(mutex_);
        frame_.clear();
        fmt::format_to(std::back_inserter(frame_), "P1 {} {} {} {} {} ", task.text(), attempt, kind, at.ms,
                       bytes.size());
        const std::uint32_t checksum = crc32c(bytes, crc32c(frame_));
        fmt::format_to(std::back_inserter(frame_), "{:08x}\n", checksum);
        frame_ += bytes;
        frame_ += '\n';
        if (!file_ || file_->size() + frame_.size() > k_pack_bytes) {
            open_next();
        }
        const LogPiece piece{key_, file_->size(), bytes.size(), sha256_hex(bytes)};
        try {
            file_->append(frame_);
        } catch (...) {
            // A part of the frame may lie there now: what comes next goes into a new pack.
            file_.reset();
            throw;
        }
        dirty_[key_] = file_;
        return piece;
    }

    void sync() {
        const std::scoped_lock one(sync_mutex_);
        if (failure_) {
            std::rethrow_exception(failure_);
        }
        std::map<std::string, std::shared_ptr<AppendFile>> dirty;
        {
            const std::scoped_lock lock(mutex_);
            dirty.swap(dirty_);
        }
        try {
            for (const auto& [key, file] : dirty) {
                file->sync();
            }
        } catch (...) {
            failure_ = std::current_exception();
            throw;
        }
    }

  private:
    void open_next() {
        file_.reset();
        // A number may be taken by another writer of this name, dead or alive: its pack is left as it is.
        do {
            key_ = layout::pack_of(writer_, ++number_);
            if (!files_.read(key_, 0, 1)) {
                file_ = files_.open(key_, 0);
            }
        } while (!file_);
    }

    AppendFiles& files_;
    std::string writer_;
    std::uint32_t number_ = 0;
    std::string key_;
    std::string frame_;
    std::mutex mutex_;
    std::shared_ptr<AppendFile> file_;
    std::map<std::string, std::shared_ptr<AppendFile>> dirty_;  ///< packs with bytes that are not synced
    std::exception_ptr failure_;  ///< a sync failed: what it should have kept may be lost, whoever asks
    std::mutex sync_mutex_;  ///< one sync at a time, so that none returns before what it found is durable
};

PackWriter::PackWriter(AppendFiles& files, std::string run, std::uint32_t epoch)
    : PackWriter(files, layout::pack_writer(run, epoch)) {}
PackWriter::PackWriter(AppendFiles& files, std::string writer)
    : impl_(std::make_unique<Impl>(files, std::move(writer))) {}
PackWriter::~PackWriter() = default;
LogPiece PackWriter::append(const TaskName& task, std::uint32_t attempt, std::string_view kind,
                            std::string_view bytes, Timestamp at) {
    return impl_->append(task, attempt, kind, bytes, at);
}
void PackWriter::sync() {
    impl_->sync();
}

std::string read_piece(AppendFiles& files, const LogPiece& piece, const PackLengths& accepted) {
    const std::optional<std::string> bytes =
        files.read(piece.pack, piece.offset, k_max_header + piece.length + 1);
    if (!bytes) {
        throw Error(ExitCode::not_found, fmt::format("'{}' is not in the store", piece.pack), piece.pack);
    }
    const std::optional<Header> header = parse_header(*bytes);
    const auto limit = accepted.find(piece.pack);
    const bool counts = header && header->length == piece.length &&
                        (limit == accepted.end() || piece.offset + header->frame_size() <= limit->second);
    const auto content = counts ? sound_content(*bytes, *header) : std::nullopt;
    if (!content || (!piece.sha256.empty() && sha256_hex(*content) != piece.sha256)) {
        throw Error(ExitCode::mismatch, fmt::format("'{}' is damaged at byte {}", piece.pack, piece.offset),
                    piece.pack, "run `amp fsck`");
    }
    return std::string(*content);
}

namespace {

/// One pack of a range: what of it belongs to the attempt.
class RangeReader {
  public:
    RangeReader(AppendFiles& files, const TaskName& task, std::uint32_t attempt,
                std::optional<std::uint32_t> rank, const std::function<void(std::string_view)>& each)
        : files_(files), task_(task.text()), attempt_(attempt), rank_(rank), each_(each) {}

    /// The frames that begin in [offset, end).
    void read(const std::string& key, std::uint64_t offset, std::uint64_t end) {
        std::uint64_t want = k_read_bytes;
        while (offset < end) {
            const std::string bytes = files_.read(key, offset, want).value_or("");
            const std::uint64_t used = give(bytes, end - offset);
            if (used == 0 && bytes.size() < want) {
                return;
            }
            want = used > 0 ? k_read_bytes : want * 2;
            offset += used;
        }
    }
    std::uint64_t frames() const { return frames_; }
    std::uint64_t length() const { return length_; }

  private:
    /// How far it came: no further than to the first frame that is torn or unsound.
    std::uint64_t give(std::string_view bytes, std::uint64_t end) {
        std::uint64_t used = 0;
        while (used < end && used < bytes.size()) {
            const std::string_view rest = bytes.substr(used);
            const std::optional<Header> header = parse_header(rest);
            const auto content = header ? sound_content(rest, *header) : std::nullopt;
            if (!content) {
                break;
            }
            if (header->task == task_ && header->attempt == attempt_ && header->rank == rank_ &&
                (header->kind == "log" || header->kind == "note")) {
                ++frames_;
                length_ += content->size();
                each_(*content);
            }
            used += header->frame_size();
        }
        return used;
    }

    AppendFiles& files_;
    std::string task_;
    std::uint32_t attempt_;
    std::optional<std::uint32_t> rank_;
    const std::function<void(std::string_view)>& each_;
    std::uint64_t frames_ = 0;
    std::uint64_t length_ = 0;
};

}  // namespace

void read_range(AppendFiles& files, const LogPiece& range, const TaskName& task, std::uint32_t attempt,
                const PackLengths& accepted, const std::function<void(std::string_view bytes)>& each) {
    if (!range.is_range()) {
        each(read_piece(files, range, accepted));
        return;
    }
    RangeReader reader(files, task, attempt, range.rank, each);
    const std::string writer = range.pack.substr(0, range.pack.rfind('-') + 1);
    for (const std::string& key : files.list(writer)) {  // sorted
        if (key < range.pack || key > range.last_pack) {
            continue;
        }
        const auto limit = accepted.find(key);
        const std::uint64_t accepted_end =
            limit == accepted.end() ? std::numeric_limits<std::uint64_t>::max() : limit->second;
        const std::uint64_t end = key == range.last_pack ? range.last_offset + 1 : accepted_end;
        reader.read(key, key == range.pack ? range.offset : 0, std::min(end, accepted_end));
    }
    if (reader.frames() != range.frames || reader.length() != range.length) {
        throw Error(
            ExitCode::mismatch,
            fmt::format("{} of {} pieces from '{}' on are there", reader.frames(), range.frames, range.pack),
            range.pack, "run `amp fsck`");
    }
}

class PackFollower::Impl {
  public:
    Impl(AppendFiles& files, std::string run, std::string kind)
        : files_(files), run_(std::move(run)), kind_(std::move(kind)) {}

    std::size_t poll(const std::function<void(const PackFrame&)>& each) {
        std::size_t given = 0;
        const PackLengths accepted = accepted_packs(files_, run_);
        for (const std::string& key : list_packs(files_, run_)) {
            const auto limit = accepted.find(key);
            given += follow(
                key, offsets_[key],
                limit == accepted.end() ? std::numeric_limits<std::uint64_t>::max() : limit->second, each);
        }
        return given;
    }

  private:
    std::size_t follow(const std::string& key, std::uint64_t& offset, std::uint64_t limit,
                       const std::function<void(const PackFrame&)>& each) {
        std::size_t given = 0;
        std::uint64_t want = k_read_bytes;
        for (;;) {
            const std::uint64_t length = std::min(want, limit > offset ? limit - offset : 0);
            const std::string bytes = files_.read(key, offset, length).value_or("");
            std::string_view rest = bytes;
            std::uint64_t beyond = 0;
            given += give(rest, beyond, each);
            const std::uint64_t used = bytes.size() - rest.size() + beyond;
            offset += used;
            if (bytes.size() < want) {
                return given;
            }
            want = used > 0 ? k_read_bytes : want * 2;  // a frame larger than what was read: read more of it
        }
    }

    /// Gives the sound frames that `rest` begins with and takes them off; steps over broken ones.
    /// A frame that is passed over may end `beyond` what was read.
    std::size_t give(std::string_view& rest, std::uint64_t& beyond,
                     const std::function<void(const PackFrame&)>& each) const {
        std::size_t given = 0;
        while (!rest.empty()) {
            const std::optional<Header> header = parse_header(rest);
            if (header && !kind_.empty() && header->kind != kind_) {
                const std::uint64_t size = header->frame_size();
                beyond = size > rest.size() ? size - rest.size() : 0;
                rest.remove_prefix(std::min<std::uint64_t>(size, rest.size()));
                continue;
            }
            const auto content = header ? sound_content(rest, *header) : std::nullopt;
            if (content) {
                each({TaskName::parse(header->task), static_cast<std::uint32_t>(header->attempt),
                      std::string(header->kind), Timestamp{header->ms}, std::string(*content), header->rank});
                rest.remove_prefix(header->frame_size());
                ++given;
                continue;
            }
            const bool unfinished = header && rest.size() < header->frame_size();
            const std::size_t next = unfinished ? std::string_view::npos : find_sound(rest.substr(1));
            if (next == std::string_view::npos) {
                return given;  // wait for the rest of it
            }
            rest.remove_prefix(1 + next);
        }
        return given;
    }

    static std::size_t find_sound(std::string_view bytes) {
        std::size_t at = bytes.find(k_magic);
        for (; at != std::string_view::npos; at = bytes.find(k_magic, at + 1)) {
            const std::optional<Header> header = parse_header(bytes.substr(at));
            if (header && sound_content(bytes.substr(at), *header)) {
                break;
            }
        }
        return at;
    }

    AppendFiles& files_;
    std::string run_;
    std::string kind_;
    std::map<std::string, std::uint64_t> offsets_;
};

PackFollower::PackFollower(AppendFiles& files, std::string run, std::string kind)
    : impl_(std::make_unique<Impl>(files, std::move(run), std::move(kind))) {}
PackFollower::~PackFollower() = default;
std::size_t PackFollower::poll(const std::function<void(const PackFrame&)>& each) {
    return impl_->poll(each);
}

std::vector<std::string> list_packs(AppendFiles& files, std::string_view run) {
    std::vector<std::string> keys = files.list(layout::pack_prefix(run));
    for (std::string& key : files.list(layout::tasks_prefix(run))) {
        if (layout::is_attempt_log(key)) {
            keys.push_back(std::move(key));
        }
    }
    return keys;
}

std::vector<PackGap> find_pack_gaps(AppendFiles& files, const std::string& key, std::uint64_t limit) {
    const std::string bytes = files.read(key, 0, limit).value_or("");
    std::vector<PackGap> gaps;
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const std::optional<Header> header = parse_header(rest);
        if (header && sound_content(rest, *header)) {
            rest.remove_prefix(header->frame_size());
            continue;
        }
        std::size_t next = rest.find(k_magic, 1);
        for (; next != std::string_view::npos; next = rest.find(k_magic, next + 1)) {
            const std::optional<Header> other = parse_header(rest.substr(next));
            if (other && sound_content(rest.substr(next), *other)) {
                break;
            }
        }
        const bool at_end = next == std::string_view::npos;
        const std::size_t length = at_end ? rest.size() : next;
        gaps.push_back({bytes.size() - rest.size(), length, at_end});
        rest.remove_prefix(length);
    }
    return gaps;
}

namespace {

/// A frame of exactly so many bytes that says nothing; empty when there is none.
std::string filler_of(std::size_t size) {
    constexpr std::size_t k_end = 11;  // checksum, and a line feed on both sides of the content
    for (const std::string_view attempt : {"0", "00"}) {
        const std::string begin = fmt::format("P1 _/_ {} gap 0 ", attempt);
        for (std::size_t digits = 1; begin.size() + digits + k_end <= size; ++digits) {
            const std::size_t content = size - begin.size() - digits - k_end;
            std::string out = fmt::format("{}{} ", begin, content);
            if (out.size() == begin.size() + digits + 1) {
                const std::string blanks(content, ' ');
                return fmt::format("{}{:08x}\n{}\n", out, crc32c(blanks, crc32c(out)), blanks);
            }
        }
    }
    return {};
}

}  // namespace

std::string without_gaps(std::string bytes, const std::vector<PackGap>& gaps) {
    for (const PackGap& gap : gaps) {
        if (gap.at_end) {
            bytes.resize(gap.offset);
        } else if (const std::string filler = filler_of(gap.length); !filler.empty()) {
            bytes.replace(gap.offset, gap.length, filler);
        }
    }
    return bytes;
}

}  // namespace amp
