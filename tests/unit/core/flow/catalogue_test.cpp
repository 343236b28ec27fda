#include "core/flow/catalogue.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/flow/load.hpp"
#include "core/flow/params.hpp"
#include "core/flow/project_config.hpp"
#include "core/flow/subflows.hpp"

using namespace amp;

namespace {

const std::string k_data_file = "key = 1\n";

/// The words of a first line `# A=b amp run -p x=1`; empty: there is none.
std::vector<std::string> command_line(const std::string& text) {
    std::vector<std::string> words;
    std::istringstream line(text.starts_with("# ") ? text.substr(2, text.find('\n') - 2) : std::string());
    for (std::string word; line >> word;) {
        words.push_back(word);
    }
    return words;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Given {
    Pairs params;
    Pairs config;
    std::vector<std::string> sets;
    std::string file;
    std::map<std::string, std::string, std::less<>> environment;

    explicit Given(const std::vector<std::string>& words) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            const std::string& before = i == 0 ? words[i] : words[i - 1];
            const std::size_t equals = words[i].find('=');
            const std::pair<std::string, std::string> pair{
                words[i].substr(0, equals), equals == std::string::npos ? "" : words[i].substr(equals + 1)};
            if (before == "-p") {
                params.push_back(pair);
            } else if (before == "--config") {
                config.push_back(pair);
            } else if (before == "--set") {
                sets.push_back(words[i]);
            } else if (before == "--params") {
                file = words[i];
            } else if (equals != std::string::npos) {
                environment.insert(pair);
            }
        }
    }
    std::optional<std::string> variable(const std::string& name) const {
        const auto it = environment.find(name);
        return it == environment.end() ? std::nullopt : std::optional(it->second);
    }
};

/// What was found: the codes of errors, and those of warnings.
struct Found {
    std::set<std::string> errors;
    std::set<std::string> warnings;

    explicit Found(const Diagnostics& diagnostics) {
        for (const Diagnostic& d : diagnostics.sorted()) {
            (d.severity == Diagnostic::Severity::error ? errors : warnings).insert(d.code);
        }
    }
};

/// The flows that the examples run: other.toml, and a chain of nine.
std::optional<std::string> other_flow(const std::string& key) {
    if (key == "other.toml") {
        return "[flow]\nname = 'Other'\n[params]\nday = { type = 'string', required = true }\n"
               "[step.publish]\nrun = './publish {{ params.day }}'\noutputs = { url = 'url.json' }\n";
    }
    if (key == "other.py") {
        return "from metaflow import FlowSpec\n";
    }
    if (key.size() != 7 || key[0] != 'd' || key[1] < '1' || key[1] > '9') {
        return std::nullopt;
    }
    const std::string does =
        key[1] == '9' ? "run = 'true'" : std::string("flow = 'd") + static_cast<char>(key[1] + 1) + ".toml'";
    return "[flow]\nname = 'Deep'\n[step.next]\n" + does + "\n";
}

/// All codes, errors and warnings, that an example flow gives when it is validated, and run as its first line
/// says.
Found run_flow(const std::string& text) {
    Diagnostics diagnostics;
    const auto words = command_line(text);
    const Given given(words);
    const Flow flow = load_flow(text, "flow.toml", diagnostics);
    ConfigInputs config;
    config.given = given.config;
    config.read = [](const std::string& path) {
        return path == "config.toml" ? std::optional(k_data_file) : std::nullopt;
    };
    const Value config_values = load_config(flow, config, diagnostics);
    const Graph graph = validate(flow, diagnostics, config_values);
    if (!words.empty() && words.front() == "on") {
        validate_requests(flow, {.cpu = 8, .memory_bytes = std::uint64_t{16} << 30, .gpu = 1}, diagnostics);
    } else if (!words.empty() && words.front() == "beside") {
        load_subflows(flow, {"/project", "flow.toml", other_flow, {}, {}}, diagnostics);
    } else if (!words.empty() && words.front() == "where") {
        const FlowSurroundings nothing{[](const std::string&) { return false; }, [] { return false; },
                                       [](const std::string& file) { return file == "requirements.txt"; }};
        validate_surroundings(flow, graph, nothing, false, diagnostics);
    } else if (!words.empty()) {
        ParameterInputs inputs;
        inputs.given = given.params;
        inputs.file = given.file;
        inputs.environment = [&](const std::string& name) { return given.variable(name); };
        inputs.file_exists = [](const std::string& path) { return path == "data.csv"; };
        resolve_parameters(flow, inputs, diagnostics);
    }
    return Found(diagnostics);
}

Found run_settings(const std::string& text) {
    Diagnostics diagnostics;
    const Given given(command_line(text));
    const ProjectConfig config =
        load_project_config({{{"amp.toml", text}}, given.environment, given.sets}, diagnostics);
    const std::string profile = get_string(config.settings, "default");
    const Flow flow = load_flow("[flow]\nname = 'DemoFlow'\n[step.train]\nrun = 'x'\n", "flow.toml",
                                diagnostics, step_overrides(config.settings, profile));
    check_against_project(flow, config.settings, profile, diagnostics);
    return Found(diagnostics);
}

Found run(const CatalogueEntry& entry, std::string_view text) {
    return entry.code.starts_with("AMP2") ? run_settings(std::string(text)) : run_flow(std::string(text));
}

/// Every "AMP1234" in the sources of a folder of core, but not those of the catalogue itself.
void codes_in_sources(const std::string& of, std::set<std::string>& codes) {
    const std::filesystem::path folder = std::filesystem::path(AMP_TEST_DATA) / "../../core" / of;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        const std::string name = file.path().filename().string();
        if (!name.ends_with(".cpp") || name.starts_with("catalogue")) {
            continue;
        }
        std::ifstream in(file.path());
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        for (std::size_t at = text.find("\"AMP"); at != std::string::npos; at = text.find("\"AMP", at + 1)) {
            const std::string code = text.substr(at + 1, 7);
            if (text.substr(at + 8, 1) == "\"" &&
                code.find_first_not_of("0123456789", 3) == std::string::npos) {
                codes.insert(code);
            }
        }
    }
}

}  // namespace

TEST_CASE("every bad example reports its code and nothing else, every mended one nothing") {
    for (const CatalogueEntry& entry : catalogue()) {
        CAPTURE(entry.code);
        CHECK_FALSE(entry.title.empty());
        CHECK(entry.explanation.size() > 20);
        if (entry.code.starts_with("AMP3")) {
            continue;  // tests/unit/core/python/catalogue_test.cpp
        }
        if (entry.bad.empty()) {
            // A file of 8 MiB, or of bytes that no terminal shows, is no example.
            CHECK((entry.code == "AMP1003" || entry.code == "AMP1004"));
            continue;
        }
        const std::set<std::string> own = {std::string(entry.code)};
        const Found bad = run(entry, entry.bad);
        CHECK((bad.errors == own || (bad.errors.empty() && bad.warnings == own)));
        const Found mended = run(entry, entry.mended);
        CHECK(mended.errors.empty());
        CHECK_FALSE(mended.warnings.contains(std::string(entry.code)));
    }
}

TEST_CASE("the catalogue holds the codes that are reported, no more and no fewer, in order") {
    std::set<std::string> listed;
    std::string last;
    for (const CatalogueEntry& entry : catalogue()) {
        CHECK(std::string(entry.code) > last);
        last = entry.code;
        listed.insert(last);
    }
    std::set<std::string> used;
    codes_in_sources("flow", used);
    codes_in_sources("python", used);
    for (const std::string& code : used) {
        CHECK_MESSAGE(listed.contains(code), code);
    }
    for (const std::string& code : listed) {
        CHECK_MESSAGE(used.contains(code), code);
    }
}

TEST_CASE("codes are found in any form") {
    REQUIRE(find_in_catalogue("AMP1001") != nullptr);
    CHECK(find_in_catalogue("amp1001") == find_in_catalogue("AMP1001"));
    CHECK(find_in_catalogue(" 1001 ") == find_in_catalogue("AMP1001"));
    CHECK(find_in_catalogue("AMP9999") == nullptr);
    CHECK(find_in_catalogue("") == nullptr);
}
