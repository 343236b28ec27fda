#include "tests/support/fake_process.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp::test {

FakeProcess::~FakeProcess() {
    for (const auto& [argv, answer] : answers_) {
        FAIL_CHECK("nobody ran: " << join(argv, " "));
    }
}

void FakeProcess::expect(const std::vector<std::string>& argv, ToolResult result) {
    answers_.emplace(argv, Answer{std::move(result), false});
}

void FakeProcess::expect_missing(const std::vector<std::string>& argv) {
    answers_.emplace(argv, Answer{{}, true});
}

ToolResult FakeProcess::run(const std::vector<std::string>& argv, const std::string& cwd, double) {
    folders.push_back(cwd);
    const auto found = answers_.find(argv);
    if (found == answers_.end()) {
        FAIL_CHECK("unexpected: " << join(argv, " "));
        ToolResult result;
        result.exit = 127;
        return result;
    }
    Answer answer = std::move(found->second);
    answers_.erase(found);
    if (answer.missing) {
        throw Error(ExitCode::not_found, "the program '" + argv[0] + "' is not installed");
    }
    return answer.result;
}

ToolResult FakeProcess::run_while(const std::vector<std::string>& argv, const std::string& cwd,
                                  const std::function<bool()>& /*go_on*/) {
    return run(argv, cwd, 0);
}

}  // namespace amp::test
