#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "core/flow/load.hpp"

using namespace amp;

namespace {

std::string read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> errors_of(const std::string& text) {
    Diagnostics diagnostics;
    validate(load_flow(text, "flow.toml", diagnostics), diagnostics);
    std::vector<std::string> codes;
    for (const Diagnostic& d : diagnostics.sorted()) {
        if (d.severity == Diagnostic::Severity::error) {
            codes.push_back(d.code);
        }
    }
    std::sort(codes.begin(), codes.end());
    return codes;
}

/// The codes of a first line `# expect: AMP1301 AMP1403`.
std::vector<std::string> expected_of(const std::string& text) {
    std::istringstream line(text.substr(0, text.find('\n')));
    std::string word;
    line >> word >> word;
    REQUIRE(word == "expect:");
    std::vector<std::string> codes;
    while (line >> word) {
        codes.push_back(word);
    }
    std::sort(codes.begin(), codes.end());
    return codes;
}

std::string joined(const std::vector<std::string>& codes) {
    std::string out;
    for (const std::string& code : codes) {
        out += code + " ";
    }
    return out;
}

/// A valid flow with something of everything.
std::string big_flow() {
    return read(std::filesystem::path(AMP_TEST_DATA) / "flows/everything.toml");
}

/// Whatever it holds, a text is loaded, validated and rendered without a crash.
void survive(const std::string& text) {
    Diagnostics diagnostics;
    const Flow flow = load_flow(text, "flow.toml", diagnostics);
    validate(flow, diagnostics);
    for (const Diagnostic& d : diagnostics.sorted()) {
        render(d, "flow.toml", text);
    }
}

}  // namespace

TEST_CASE("each file with a mistake tells exactly the expected codes") {
    std::size_t files = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(std::filesystem::path(AMP_TEST_DATA) / "flows/invalid")) {
        const std::string text = read(file.path());
        CAPTURE(file.path().filename().string());
        CHECK(joined(errors_of(text)) == joined(expected_of(text)));
        ++files;
    }
    CHECK(files >= 60);
}

TEST_CASE("a flow with something of everything is valid") {
    CHECK(joined(errors_of(big_flow())) == "");
}

TEST_CASE("a flow cut off at any byte never crashes") {
    const std::string text = big_flow();
    for (std::size_t length = 0; length < text.size(); ++length) {
        survive(text.substr(0, length));
    }
}

TEST_CASE("twenty thousand mutations never crash") {
    // Two lines of the file with their neighbours at a time, so that each mutant is small; some of the whole.
    const std::string whole = big_flow();
    std::vector<std::size_t> sections;
    for (std::size_t at = whole.find("\n["); at != std::string::npos; at = whole.find("\n[", at + 1)) {
        sections.push_back(at + 1);
    }
    sections.push_back(whole.size());
    const std::string head = whole.substr(0, sections.front());
    std::mt19937 random(7);
    const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
    const std::string letters = "\"'[]{}=.,#\n\\ \t\0\x80\xff*()-+$ax9";
    for (int i = 0; i < 20000; ++i) {
        std::string text = whole;
        if (i % 20 != 0) {
            const std::size_t from = below(sections.size() - 1);
            text = head + whole.substr(sections[from], sections[from + 1] - sections[from]);
        }
        for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
            const std::size_t at = below(text.size());
            switch (below(4)) {
                case 0:
                    text[at] = letters[below(letters.size())];
                    break;
                case 1:
                    text.erase(at, 1 + below(12));
                    break;
                case 2:
                    text.insert(at, 1, letters[below(letters.size())]);
                    break;
                default:
                    text.insert(at, text.substr(below(text.size()), below(40)));
                    break;
            }
        }
        survive(text);
    }
}
