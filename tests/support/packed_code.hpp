#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/package/archive.hpp"
#include "core/package/code_manifest.hpp"

namespace amp::test {

/// Code in memory: entries with their contents.
class PackedCode {
  public:
    PackedCode& file(const std::string& path, const std::string& content, bool executable = false);
    PackedCode& link(const std::string& path, const std::string& target);
    PackedCode& folder(const std::string& path);
    PackedCode& entry(const CodeEntry& entry);

    /// In the order of paths, unless they shall stay as they were added.
    CodeManifest manifest(bool sorted = true) const;
    /// As write_archive makes it.
    std::string archive() const;
    /// The plain tar, made without looking whether an archive may hold that.
    std::string tar(bool sorted = true) const;
    ReadCode reader() const;

  private:
    std::vector<CodeEntry> entries_;
    std::map<std::string, std::string> contents_;
};

/// One member of a tar, whatever is in it.
struct TarMember {
    std::string name;
    std::string content = {};
    char type = '0';
    std::string link = {};
    std::string mode = "0000644";
    std::string size = {};  ///< the field; empty: that of the content
    std::string prefix = {};
    std::string uid = "0000000";
};

/// With a right checksum, and zeros behind the content.
std::string raw_member(const TarMember& member);
/// "LENGTH KEY=VALUE\n"
std::string pax_record(const std::string& key, const std::string& value);

/// Every path below `folder` with what lies there: type, rights, content or target.
std::map<std::string, std::string> tree_of(const std::string& folder);

}  // namespace amp::test
