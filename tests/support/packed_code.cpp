#include "tests/support/packed_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/hash.hpp"
#include "core/package/tar.hpp"

namespace amp::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_block = 512;
constexpr std::size_t k_checksum = 148;

void put(std::string& block, std::size_t offset, std::string_view text, std::size_t most) {
    block.replace(offset, std::min(text.size(), most), text.substr(0, most));
}

std::string padded(std::string text) {
    text.append((k_block - text.size() % k_block) % k_block, '\0');
    return text;
}

}  // namespace

PackedCode& PackedCode::file(const std::string& path, const std::string& content, bool executable) {
    CodeEntry made;
    made.path = path;
    made.executable = executable;
    made.size_bytes = content.size();
    made.sha256 = sha256_hex(content);
    contents_[path] = content;
    return entry(made);
}

PackedCode& PackedCode::link(const std::string& path, const std::string& target) {
    CodeEntry made;
    made.path = path;
    made.link_target = target;
    return entry(made);
}

PackedCode& PackedCode::folder(const std::string& path) {
    CodeEntry made;
    made.path = path;
    made.folder = true;
    return entry(made);
}

PackedCode& PackedCode::entry(const CodeEntry& entry) {
    entries_.push_back(entry);
    return *this;
}

CodeManifest PackedCode::manifest(bool sorted) const {
    CodeManifest code;
    code.entries = entries_;
    if (sorted) {
        std::stable_sort(code.entries.begin(), code.entries.end(),
                         [](const CodeEntry& a, const CodeEntry& b) { return a.path < b.path; });
    }
    code.hash = hash_of(code);
    return code;
}

std::string PackedCode::archive() const {
    std::string out;
    write_archive(manifest(), reader(), [&](std::string_view bytes) { out += bytes; });
    return out;
}

std::string PackedCode::tar(bool sorted) const {
    std::string out;
    for (const CodeEntry& entry : manifest(sorted).entries) {
        out += tar_header(entry);
        const auto content = contents_.find(entry.path);
        if (!entry.folder && entry.link_target.empty() && content != contents_.end()) {
            out += padded(content->second);
        }
    }
    return out.append(k_tar_end_bytes, '\0');
}

ReadCode PackedCode::reader() const {
    return [contents = contents_](const CodeEntry& entry, const TakeBytes& piece) {
        const std::string_view content = contents.at(entry.path);
        piece(content.substr(0, content.size() / 2));
        piece(content.substr(content.size() / 2));
    };
}

std::string raw_member(const TarMember& member) {
    std::string block(k_block, '\0');
    put(block, 0, member.name, 100);
    put(block, 100, member.mode, 8);
    put(block, 108, member.uid, 8);
    put(block, 116, "0000000", 8);
    put(block, 124, member.size.empty() ? fmt::format("{:011o}", member.content.size()) : member.size, 12);
    put(block, 136, "00000000000", 12);
    put(block, k_checksum, "        ", 8);
    block[156] = member.type;
    put(block, 157, member.link, 100);
    put(block, 257, std::string_view("ustar\00000", 8), 8);
    put(block, 329, "0000000", 8);
    put(block, 337, "0000000", 8);
    put(block, 345, member.prefix, 155);
    unsigned sum = 0;
    for (const char c : block) {
        sum += static_cast<unsigned char>(c);
    }
    put(block, k_checksum, fmt::format("{:06o}", sum), 6);
    block[k_checksum + 6] = '\0';
    return block + padded(member.content);
}

std::string pax_record(const std::string& key, const std::string& value) {
    const std::string rest = fmt::format(" {}={}\n", key, value);
    std::size_t length = rest.size() + 1;
    while (std::to_string(length).size() + rest.size() != length) {
        ++length;
    }
    return std::to_string(length) + rest;
}

std::map<std::string, std::string> tree_of(const std::string& folder) {
    std::map<std::string, std::string> out;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        const fs::file_status status = entry.symlink_status();
        std::string what = fmt::format("{} {:o} ", static_cast<int>(status.type()),
                                       static_cast<unsigned>(status.permissions()));
        if (status.type() == fs::file_type::symlink) {
            what += fs::read_symlink(entry.path()).string();
        } else if (status.type() == fs::file_type::regular) {
            std::ifstream in(entry.path(), std::ios::binary);
            what += sha256_hex(std::string(std::istreambuf_iterator<char>(in), {}));
        }
        out.emplace(entry.path().lexically_relative(folder).string(), what);
    }
    return out;
}

}  // namespace amp::test
