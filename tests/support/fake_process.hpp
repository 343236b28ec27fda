#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/ports/process.hpp"

namespace amp::test {

/// Answers the calls that a test expects, each once and in any order. An unknown call fails the test and
/// exits 127; so does, at the end, an expected call that nobody made.
class FakeProcess : public Process {
  public:
    FakeProcess() = default;
    FakeProcess(const FakeProcess&) = delete;
    FakeProcess& operator=(const FakeProcess&) = delete;
    ~FakeProcess() override;

    void expect(const std::vector<std::string>& argv, ToolResult result);
    /// The program is not there.
    void expect_missing(const std::vector<std::string>& argv);

    ToolResult run(const std::vector<std::string>& argv, const std::string& cwd, double timeout_s) override;

    /// As run: nobody stops it.
    ToolResult run_while(const std::vector<std::string>& argv, const std::string& cwd,
                         const std::function<bool()>& go_on) override;

    std::vector<std::string> folders;  ///< the cwd of each call

  private:
    struct Answer {
        ToolResult result;
        bool missing = false;
    };
    std::multimap<std::vector<std::string>, Answer> answers_;
};

}  // namespace amp::test
