#include "backends/local/held_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/base/value.hpp"
#include "core/task/environment.hpp"

namespace amp {
namespace {

constexpr std::string_view k_name = "/.amp-place.json";
constexpr std::array<std::string_view, 4> k_of_terminals = {"TERM", "COLORTERM", "COLUMNS", "LINES"};

bool is_of_terminal(std::string_view entry) {
    return std::find(k_of_terminals.begin(), k_of_terminals.end(), entry.substr(0, entry.find('='))) !=
           k_of_terminals.end();
}

std::string read_all(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

void write_place(const std::string& folder, const HeldPlace& place) {
    List ports;
    for (const std::uint16_t port : place.ports) {
        ports.emplace_back(std::int64_t{port});
    }
    const std::string path = folder + std::string(k_name);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << json::dump(Object{{"keeper", place.keeper},
                             {"task", place.task},
                             {"project", place.project},
                             {"checkpoint", place.checkpoint},
                             {"gpus", List(place.gpus.begin(), place.gpus.end())},
                             {"ports", std::move(ports)}});
    if (!out.flush()) {
        throw Error(ExitCode::infrastructure, fmt::format("cannot write '{}'", path), path);
    }
}

std::optional<HeldPlace> read_place(const std::string& folder) {
    const std::string text = read_all(folder + std::string(k_name));
    if (text.empty()) {
        return std::nullopt;
    }
    const Value value = json::parse(text, "the place of a task");
    HeldPlace place;
    place.keeper = get_int(value, "keeper");
    place.task = get_string(value, "task");
    place.project = get_string(value, "project");
    place.checkpoint = get_string(value, "checkpoint");
    for (const Value& gpu : get_list(value, "gpus")) {
        place.gpus.push_back(gpu.as_string());
    }
    for (const Value& port : get_list(value, "ports")) {
        place.ports.push_back(static_cast<std::uint16_t>(port.as_int()));
    }
    return place;
}

std::vector<std::string> environment_of_keeper(const HeldPlace& place) {
    const std::string text = read_all(fmt::format("/proc/{}/environ", place.keeper));
    if (text.empty()) {
        throw Error(ExitCode::not_found, "the keeper of this place is gone", "",
                    "a shell without --hold-on-fail's place begins anew");
    }
    std::vector<std::string> entries;
    for (const std::string_view entry : split(text, '\0')) {
        if (!entry.empty() && !is_of_terminal(entry)) {
            entries.emplace_back(entry);
        }
    }
    for (std::string& entry : entries_of_terminal()) {
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::vector<std::string> entries_of_terminal() {
    std::vector<std::string> entries = own_environment();
    std::erase_if(entries, [](const std::string& entry) { return !is_of_terminal(entry); });
    return entries;
}

}  // namespace amp
