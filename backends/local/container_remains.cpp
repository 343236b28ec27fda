#include "backends/local/container_remains.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "backends/system/tool_process.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/task/container.hpp"

namespace amp {
namespace {

constexpr double k_patience_s = 30;
constexpr int k_most_looks = 3;  // what was being made when the keeper died appears once more at most

/// Ranks have names of their own that begin with that of the first.
bool is_one_of(const std::string& name, const std::set<std::string>& firsts) {
    return std::any_of(firsts.begin(), firsts.end(), [&](const std::string& first) {
        return name == first || name.starts_with(first + "-");
    });
}

std::vector<std::string> remaining(Process& process, const std::string& engine, const std::string& run,
                                   const std::set<std::string>& firsts) {
    const ToolResult listed = process.run(list_words(engine, run), "/", k_patience_s);
    std::vector<std::string> names;
    for (const std::string_view line : split(listed.out, '\n')) {
        std::string name(trim(line));
        if (listed.exit == 0 && is_one_of(name, firsts)) {
            names.push_back(std::move(name));
        }
    }
    return names;
}

}  // namespace

void remove_containers(const KeeperHistory& history, const std::string& run) {
    ToolProcess process;
    for (const auto& [engine, tokens] : history.contained) {
        std::set<std::string> firsts;
        for (const std::string& token : tokens) {
            firsts.insert(container_name(run, token, 0));
        }
        try {
            for (int look = 0; look < k_most_looks; ++look) {
                const auto names = remaining(process, engine, run, firsts);
                if (names.empty()) {
                    break;
                }
                process.run(remove_words(engine, names), "/", k_patience_s);
            }
        } catch (const Error&) {
            // There is no such engine any more.
        }
    }
}

}  // namespace amp
