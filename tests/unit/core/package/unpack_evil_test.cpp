#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/package/compression.hpp"
#include "core/package/unpack.hpp"
#include "tests/support/packed_code.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

// Archives that want something else than to be unpacked: each is refused, and nothing of it stays anywhere.

namespace {

namespace fs = std::filesystem;

ReadArchive whole(std::string archive) {
    return [archive = std::move(archive)](const TakeBytes& take) {
        for (std::size_t at = 0; at < archive.size(); at += 4096) {
            take(std::string_view(archive).substr(at, 4096));
        }
    };
}

/// A folder with things around the target that an archive could harm.
class Victim {
  public:
    Victim() {
        fs::create_directories(top_ / "outside");
        std::ofstream(top_ / "outside/secret") << "secret";
        std::ofstream(top_ / "beside") << "beside";
        fs::create_directories(top_ / "cache");
        before_ = tree_of(top_.path());
    }

    void must_refuse(const CodeManifest& code, const ReadArchive& archive, const std::string& what) {
        CAPTURE(what);
        ExitCode code_of_it = ExitCode::ok;
        try {
            unpack_archive(code, archive, top_ / "cache/place");
        } catch (const Error& error) {
            code_of_it = error.code();
        }
        CHECK(code_of_it == ExitCode::mismatch);
        REQUIRE(tree_of(top_.path()) == before_);
        ++count_;
    }

    /// Of bytes whose damage may be none: then all is right.
    void must_not_be_fooled(const CodeManifest& code, const std::string& archive,
                            const std::map<std::string, std::string>& right) {
        try {
            unpack_archive(code, whole(archive), top_ / "cache/place");
            REQUIRE(tree_of(top_ / "cache/place") == right);
            fs::remove_all(top_ / "cache/place");
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::mismatch);
        }
        REQUIRE(tree_of(top_.path()) == before_);
        ++count_;
    }

    std::string operator/(const std::string& name) const { return top_ / name; }
    std::size_t count() const { return count_; }

  private:
    TempFolder top_;
    std::map<std::string, std::string> before_;
    std::size_t count_ = 0;
};

PackedCode small() {
    PackedCode code;
    code.file("a.py", "print(1)\n")
        .file("b/run.sh", "true\n", true)
        .file("caf\xc3\xa9", "composed")
        .link("c", "a.py")
        .folder("d");
    return code;
}

/// The members of small(), as they should be.
std::vector<TarMember> small_members() {
    return {{"a.py", "print(1)\n"},
            {"b/run.sh", "true\n", '0', "", "0000755"},
            {"c", "", '2', "a.py", "0000777"},
            {"caf\xc3\xa9", "composed"},
            {"d/", "", '5', "", "0000755"}};
}

TarMember pax(const std::string& records, char type = 'x') {
    return {"PaxHeaders/0", records, type};
}

/// Members that attackers are known to write, each by itself enough.
std::vector<std::vector<TarMember>> classics(const std::string& outside) {
    return {
        {{"/etc/amp-evil", "x"}},
        {{outside + "/evil", "x"}},
        {{"../outside/evil", "x"}},
        {{"b/../../outside/evil", "x"}},
        {{"./a.py", "x"}},
        {{"..", "", '5'}},
        {{"", "x"}},
        {{"a\\..\\b", "x"}},
        {{"evil", "", '2', "/etc/passwd"}},
        {{"evil", "", '2', "../outside"}, {"evil/secret", "changed"}},
        {{"evil", "", '2', outside}, {"evil/secret", "changed"}},
        {{"evil", "", '2', "."}, {"evil/evil/evil", "x"}},
        {{"b", "", '2', "../outside"}, {"b/secret", "changed"}},
        {{"hard", "", '1', "a.py"}},
        {{"hard", "", '1', "/etc/passwd"}},
        {{"hard", "", '1', "../outside/secret"}, {"hard", "changed"}},
        {{"device", "", '3'}},
        {{"device", "", '4'}},
        {{"fifo", "", '6'}},
        {{"contiguous", "x", '7'}},
        {{"old", "x", '\0'}},
        {{"setuid", "x", '0', "", "0004755"}},
        {{"a.py", "changed"}},
        {{"a.py", "print(1)\n", '0', "", "0000777"}},
        {{"a.py", "print(1)\n", '0', "", "0000644", "", "", "0001750"}},
        {{std::string(100, 'n'), "x", '0', "", "0000644", "", std::string(155, 'p')}},
        {{"././@LongLink", std::string(5000, 'l'), 'L'}, {"l", "x"}},
        {{"././@LongLink", "../outside/evil", 'L'}, {"l", "x"}},
        {{"././@LongLink", "/etc/passwd", 'K'}, {"l", "", '2'}},
        {pax(pax_record("path", "../outside/evil")), {"a.py", "print(1)\n"}},
        {pax(pax_record("path", std::string(70'000, 'p'))), {"a.py", "print(1)\n"}},
        {pax(pax_record("linkpath", "/etc/passwd")), {"c", "", '2', "a.py", "0000777"}},
        {pax(pax_record("size", "99999999999999")), {"a.py", "print(1)\n"}},
        {pax("999999999 path=x\n"), {"a.py", "print(1)\n"}},
        {pax("-1 path=x\n"), {"a.py", "print(1)\n"}},
        {pax(pax_record("GNU.sparse.realsize", "1099511627776")), {"a.py", "print(1)\n"}},
        {pax(pax_record("path", "../evil"), 'g'), {"a.py", "print(1)\n"}},
        {{"sparse", "x", 'S'}},
        {{"volume", "", 'V'}},
        {{"multi", "x", 'M'}},
        {{"huge", "x", '0', "", "0000644", "77777777777"}},
        {{"huge", "x", '0', "", "0000644", std::string("\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 12)}},
        {{"negative", "x", '0', "", "0000644",
          std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)}},
        {{"junk", "x", '0', "", "0000644", "not a number"}},
        {{"cafe\xcc\x81", "composed"}},  // the same name to people
        {{"CAF\xc3\x89", "composed"}},
        {{"A.PY", "print(1)\n"}},
        {{"a.py ", "print(1)\n"}},
        {{"a.py\n", "print(1)\n"}},
        {{std::string("a.py\0../evil", 12), "print(1)\n"}},
        {{"b", "a file where a folder is"}},
        {{"d/evil", "in a folder that is empty"}},
    };
}

CodeEntry with_path(const std::string& path) {
    CodeEntry entry;
    entry.path = path;
    entry.size_bytes = 1;
    entry.sha256 = sha256_hex("x");
    return entry;
}

}  // namespace

TEST_CASE("classic attacks, at each place of a good archive") {
    Victim victim;
    const CodeManifest code = small().manifest();
    REQUIRE(raw_tar(small_members()) == small().tar());  // the generator makes the archive that is right
    for (const auto& evil : classics(victim / "outside")) {
        const std::string& name = evil.front().name;
        for (std::size_t place = 0; place <= small_members().size(); ++place) {
            std::vector<TarMember> members = small_members();
            members.insert(members.begin() + static_cast<std::ptrdiff_t>(place), evil.begin(), evil.end());
            victim.must_refuse(code, whole(compressed(raw_tar(members))), name);
        }
        victim.must_refuse(code, whole(compressed(raw_tar(evil))), name + " alone");
        std::vector<TarMember> instead = small_members();
        instead.front() = evil.front();
        victim.must_refuse(code, whole(compressed(raw_tar(instead))), name + " instead");
        victim.must_refuse(code, whole(compressed(small().tar() + raw_tar(evil))), name + " behind the end");
    }
    CHECK(victim.count() >= 400);
}

TEST_CASE("members that are missing, twice or in another order") {
    Victim victim;
    const CodeManifest code = small().manifest();
    const std::vector<TarMember> members = small_members();
    for (std::size_t i = 0; i < members.size(); ++i) {
        std::vector<TarMember> other = members;
        other.erase(other.begin() + static_cast<std::ptrdiff_t>(i));
        victim.must_refuse(code, whole(compressed(raw_tar(other))), "missing");
        for (std::size_t k = 0; k < members.size(); ++k) {
            other = members;
            other.insert(other.begin() + static_cast<std::ptrdiff_t>(k), members[i]);
            victim.must_refuse(code, whole(compressed(raw_tar(other))), "twice");
            if (k != i) {
                other = members;
                std::swap(other[i], other[k]);
                victim.must_refuse(code, whole(compressed(raw_tar(other))), "swapped");
            }
        }
    }
    CHECK(victim.count() == 5 + 25 + 20);
}

TEST_CASE("every byte of the plain archive counts") {
    Victim victim;
    const CodeManifest code = small().manifest();
    const std::string right = small().tar();
    std::mt19937 random(20261130);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same ones each time
    for (int i = 0; i < 300; ++i) {
        std::string other = right;
        char& byte = other[random() % other.size()];
        byte = static_cast<char>(byte ^ static_cast<char>(1 + random() % 255));
        victim.must_refuse(code, whole(compressed(other)), "a flipped byte");
    }
    for (int i = 0; i < 50; ++i) {
        victim.must_refuse(code, whole(compressed(right.substr(0, random() % right.size()))), "cut");
        victim.must_refuse(code, whole(compressed(right + std::string(1 + random() % 2000, '\0'))), "longer");
        std::string with_more = right;
        with_more.insert(random() % right.size(), std::string(512, '\0'));
        victim.must_refuse(code, whole(compressed(with_more)), "a block of zeros more");
    }
    CHECK(victim.count() == 450);
}

TEST_CASE("damaged, cut and foreign bytes around it") {
    Victim victim;
    const CodeManifest code = small().manifest();
    const std::string right = small().archive();
    const TempFolder good;
    unpack_archive(code, whole(right), good / "place");
    const auto tree = tree_of(good / "place");
    std::mt19937 random(1130);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same ones each time
    for (std::size_t i = 0; i < right.size(); ++i) {
        std::string other = right;
        other[i] = static_cast<char>(other[i] ^ static_cast<char>(1U << random() % 8));
        victim.must_not_be_fooled(code, other, tree);
        victim.must_refuse(code, whole(right.substr(0, i)), "cut");
    }
    for (int i = 0; i < 50; ++i) {
        std::string junk(random() % 5000, '\0');
        std::generate(junk.begin(), junk.end(), [&] { return static_cast<char>(random()); });
        victim.must_refuse(code, whole(junk), "junk");
        victim.must_refuse(code, whole(right + junk + "j"), "junk behind");
    }
    victim.must_refuse(code, whole(small().tar()), "not compressed");
    victim.must_refuse(code, whole(right + right), "twice");
    victim.must_refuse(code, whole("\x1f\x8b\x08"), "gzip");
    victim.must_refuse(code, whole(""), "nothing");
}

TEST_CASE("bombs are refused before they cost anything") {
    Victim victim;
    const CodeManifest code = small().manifest();
    // A gigabyte of zeros in some kilobytes, as a member of its own and where a content is expected.
    std::size_t asked = 0;
    const ReadArchive zeros = [&](const TakeBytes& take) {
        compression::Compressor compressor([&](std::string_view bytes) {
            ++asked;
            take(bytes);
        });
        compressor.write(raw_member({"a.py", "print(1)\n"}));
        const std::string piece(std::size_t{1} << 20, '\0');
        for (int i = 0; i < 1024; ++i) {
            compressor.write(piece);
        }
        compressor.finish();
    };
    victim.must_refuse(code, zeros, "zeros");
    CHECK(asked == 1);  // the first frame
    // Frames to be skipped hold nothing, and there is no end of them.
    std::uint64_t bytes = 0;
    const ReadArchive skipped = [&](const TakeBytes& take) {
        const std::string frame =
            std::string("\x50\x2a\x4d\x18\xf8\xff\x00\x00", 8) + std::string(0xfff8, 's');
        while (bytes < (std::uint64_t{1} << 30)) {
            bytes += frame.size();
            take(frame);
        }
    };
    victim.must_refuse(code, skipped, "skipped");
    CHECK(bytes < 2'000'000);
    // A frame that wants a window of 2 GiB.
    victim.must_refuse(code, whole(std::string("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9)), "window");
}

TEST_CASE("a manifest that leads out is refused, whatever its archive is") {
    Victim victim;
    const std::string outside = victim / "outside";
    std::vector<PackedCode> evil;
    for (const std::string& path :
         {std::string("../evil"), outside + "/evil", std::string("a/../../evil"), std::string("a//b"),
          std::string("./a"), std::string("."), std::string(".."), std::string("a/"), std::string("/"),
          std::string("a/."), std::string("a\0b", 3), std::string(256, 'n'), "a/" + std::string(300, 'n'),
          std::string()}) {
        evil.push_back(PackedCode().file(path, "x"));
        evil.push_back(PackedCode().folder(path));
        evil.push_back(PackedCode().link(path, "a"));
    }
    std::string deep;
    for (int i = 0; i < 2100; ++i) {
        deep += "d/";
    }
    evil.push_back(PackedCode().file(deep + "f", "x"));
    for (const std::string& target :
         {std::string("/etc/passwd"), outside, std::string("../outside"), std::string("x/../../outside"),
          std::string(".."), std::string("./.."), std::string("x\0y", 3), std::string(5000, 't')}) {
        evil.push_back(PackedCode().link("link", target));
        evil.push_back(PackedCode().link("link", target).file("link/secret", "changed"));
        evil.push_back(PackedCode().link("in/link", "../../" + target));
    }
    evil.push_back(PackedCode().file("a", "1").file("a", "2"));
    evil.push_back(PackedCode().file("a", "1").file("a/b", "2"));
    evil.push_back(PackedCode().folder("a").file("a/b", "2"));
    evil.push_back(PackedCode().link("a", "b").file("a/b/c", "2"));
    for (const PackedCode& code : evil) {
        victim.must_refuse(code.manifest(), whole(compressed(code.tar())), "a manifest that leads out");
    }
    CHECK(victim.count() >= 70);
}

TEST_CASE("a manifest that is not what it says is refused") {
    Victim victim;
    const PackedCode code = PackedCode().file("b", "1").file("a", "2");
    victim.must_refuse(code.manifest(false), whole(compressed(code.tar(false))), "out of order");
    CodeManifest renamed = small().manifest();
    renamed.hash = std::string(64, '0');
    victim.must_refuse(renamed, whole(small().archive()), "another hash");
    renamed.hash = "../../outside";
    victim.must_refuse(renamed, whole(small().archive()), "a hash that is a path");
    for (const std::string& hash :
         {std::string(), std::string(64, 'A'), std::string(63, 'a'), std::string("x")}) {
        CodeEntry entry = with_path("a");
        entry.sha256 = hash;
        victim.must_refuse(PackedCode().entry(entry).manifest(), whole(compressed("")),
                           "a hash that is none");
    }
    CodeEntry huge = with_path("a");
    huge.size_bytes = ~std::uint64_t{0};
    const CodeManifest endless = PackedCode().entry(huge).manifest();
    victim.must_refuse(endless, whole(compressed(PackedCode().entry(huge).tar())), "a size without end");
}
