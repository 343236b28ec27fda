#include "core/package/tar.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_block = 512;
constexpr std::uint64_t k_most_size = 077777777777;  // eleven octal digits
constexpr std::size_t k_name_bytes = 100;
constexpr std::size_t k_prefix_bytes = 155;

struct Field {
    std::size_t offset;
    std::size_t bytes;
};
constexpr Field k_name{0, k_name_bytes};
constexpr Field k_mode{100, 8};
constexpr Field k_uid{108, 8};
constexpr Field k_gid{116, 8};
constexpr Field k_size{124, 12};
constexpr Field k_mtime{136, 12};
constexpr Field k_checksum{148, 8};
constexpr Field k_type{156, 1};
constexpr Field k_link{157, 100};
constexpr Field k_magic{257, 8};
constexpr Field k_device_major{329, 8};
constexpr Field k_device_minor{337, 8};
constexpr Field k_prefix{345, k_prefix_bytes};

/// One header of 512 bytes.
class Block {
  public:
    void text(Field field, std::string_view value) { bytes_.replace(field.offset, value.size(), value); }
    /// In octal digits that fill the field, with a NUL behind.
    void number(Field field, std::uint64_t value) {
        text(field, fmt::format("{:0{}o}", value, field.bytes - 1));
    }
    std::string finish() {
        text(k_checksum, "        ");
        std::uint64_t sum = 0;
        for (const char c : bytes_) {
            sum += static_cast<unsigned char>(c);
        }
        text(k_checksum, fmt::format("{:06o}", sum));
        bytes_[k_checksum.offset + 6] = '\0';
        return std::move(bytes_);
    }

  private:
    std::string bytes_ = std::string(k_block, '\0');
};

struct Member {
    std::string_view name;
    std::string_view prefix;
    std::string_view link;
    char type = '0';
    std::uint64_t mode = 0;
    std::uint64_t size = 0;
};

std::string header(const Member& member) {
    Block block;
    block.text(k_name, member.name);
    block.number(k_mode, member.mode);
    block.number(k_uid, 0);
    block.number(k_gid, 0);
    block.number(k_size, member.size);
    block.number(k_mtime, 0);
    block.text(k_type, std::string_view(&member.type, 1));
    block.text(k_link, member.link);
    block.text(k_magic, std::string_view("ustar\00000", 8));
    block.number(k_device_major, 0);
    block.number(k_device_minor, 0);
    block.text(k_prefix, member.prefix);
    return block.finish();
}

/// "LENGTH KEY=VALUE\n", where the length counts itself.
std::string record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (rest + std::to_string(length).size() != length) {
        length = rest + std::to_string(length).size();
    }
    return fmt::format("{} {}={}\n", length, key, value);
}

/// A header of records, which the entry behind them obeys.
std::string extended(std::string records) {
    Member member;
    member.name = "PaxHeaders/0";
    member.type = 'x';
    member.mode = 0644;
    member.size = records.size();
    const std::uint64_t padding = tar_padding(records.size());
    return header(member) + records.append(padding, '\0');
}

/// Divides a name between its two fields. False: it does not fit.
bool place_name(std::string_view name, Member& member) {
    if (name.size() <= k_name_bytes) {
        member.name = name;
        return true;
    }
    const std::size_t earliest = name.size() - k_name_bytes - 1;
    const std::size_t slash = name.find('/', std::max<std::size_t>(earliest, 1));
    if (slash > k_prefix_bytes || slash + 1 == name.size()) {
        return false;
    }
    member.prefix = name.substr(0, slash);
    member.name = name.substr(slash + 1);
    return true;
}

}  // namespace

std::string tar_header(const CodeEntry& entry) {
    const std::string name = entry.folder ? entry.path + "/" : entry.path;
    const bool link = !entry.link_target.empty();
    Member member;
    member.type = link ? '2' : entry.folder ? '5' : '0';
    member.mode = link ? 0777 : entry.folder || entry.executable ? 0755 : 0644;
    member.link = entry.link_target;
    member.size = member.type == '0' ? entry.size_bytes : 0;
    std::string records;
    if (!place_name(name, member)) {
        member.name = std::string_view(name).substr(0, k_name_bytes);
        records += record("path", name);
    }
    if (member.link.size() > k_link.bytes) {
        member.link = member.link.substr(0, k_link.bytes);
        records += record("linkpath", entry.link_target);
    }
    if (!records.empty() && !(is_utf8(name) && is_utf8(entry.link_target))) {
        records.insert(0, record("hdrcharset", "BINARY"));
    }
    if (member.size > k_most_size) {
        records += record("size", std::to_string(member.size));
        member.size = 0;
    }
    return (records.empty() ? std::string() : extended(std::move(records))) + header(member);
}

std::uint64_t tar_padding(std::uint64_t size_bytes) {
    return (k_block - size_bytes % k_block) % k_block;
}

}  // namespace amp
