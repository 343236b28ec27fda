#include "core/run/url_questions.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "core/base/error.hpp"
#include "tests/support/fake_clock.hpp"

using namespace amp;
using namespace amp::test;

namespace {

using Urls = std::set<std::string>;

/// Tools that end when the test says so.
class Tools : public Process, public BackgroundProcess {
  public:
    struct Tool : RunningTool {
        explicit Tool(Tools& tools, std::string url) : tools_(tools), url_(std::move(url)) {
            ++tools_.living;
        }
        ~Tool() override { --tools_.living; }
        Tool(const Tool&) = delete;
        Tool& operator=(const Tool&) = delete;
        int fd() const override { return 7; }
        std::optional<int> exit() override {
            const auto end = tools_.ends.find(url_);
            return end == tools_.ends.end() ? std::nullopt : std::optional<int>(end->second);
        }

      private:
        Tools& tools_;
        std::string url_;
    };

    ToolResult run(const std::vector<std::string>& /*argv*/, const std::string& /*cwd*/,
                   double /*timeout_s*/) override {
        FAIL("somebody waits for a tool");
        return {};
    }
    ToolResult run_while(const std::vector<std::string>& argv, const std::string& cwd,
                         const std::function<bool()>& /*go_on*/) override {
        return run(argv, cwd, 0);
    }
    std::unique_ptr<RunningTool> start(const std::vector<std::string>& argv,
                                       const std::string& /*cwd*/) override {
        if (missing) {
            throw Error(ExitCode::not_found, "the program 'curl' is not installed");
        }
        asked.push_back(argv.back());
        return std::make_unique<Tool>(*this, argv.back());
    }

    std::map<std::string, int> ends;  ///< of those that have ended
    std::vector<std::string> asked;
    int living = 0;
    bool missing = false;
};

struct World {
    FakeClock clock;
    Tools tools;
    UrlQuestions urls{tools, clock};
};

constexpr const char* k_url = "http://a/";

}  // namespace

TEST_CASE("an address is asked once for all who wait for it, and again after a while") {
    World w;
    CHECK_FALSE(w.urls.answers(k_url).has_value());
    CHECK_FALSE(w.urls.answers(k_url).has_value());
    CHECK(w.urls.fds() == std::vector<int>{7});
    CHECK(w.urls.take().empty());
    w.tools.ends[k_url] = 22;
    CHECK(w.urls.take() == Urls{k_url});
    CHECK(w.urls.fds().empty());
    CHECK(w.urls.answers(k_url) == false);
    CHECK(w.tools.asked.size() == 1);
    CHECK(w.urls.asked_again(k_url) > w.clock.steady_seconds());
    w.clock.advance(w.urls.asked_again(k_url) - w.clock.steady_seconds() + 0.001);
    w.tools.ends[k_url] = 0;
    CHECK_FALSE(w.urls.answers(k_url).has_value());
    CHECK(w.urls.take() == Urls{k_url});
    CHECK(w.urls.answers(k_url) == true);
    CHECK(w.tools.asked.size() == 2);
}

TEST_CASE("what does not answer is let go of after a while") {
    World w;
    w.urls.answers(k_url);
    const double patience = w.urls.next_look() - w.clock.steady_seconds();
    CHECK(patience < 10);
    w.clock.advance(patience);
    CHECK(w.urls.take() == Urls{k_url});
    CHECK(w.tools.living == 0);
    CHECK(w.urls.answers(k_url) == false);
    CHECK(std::isinf(w.urls.next_look()));
}

TEST_CASE("of many addresses only some are asked at once; the others when those have answered") {
    World w;
    std::vector<std::string> all;
    for (std::size_t i = 0; i < 3 * UrlQuestions::k_most; ++i) {
        all.push_back(fmt::format("https://host/{:03}", i));
        CHECK_FALSE(w.urls.answers(all.back()).has_value());
    }
    CHECK(w.tools.living == UrlQuestions::k_most);
    w.tools.ends[all.front()] = 0;
    Urls told = w.urls.take();
    CHECK(told.contains(all.front()));
    CHECK(told.contains(all.back()));
    CHECK(w.urls.answers(all.back()) == std::nullopt);
    CHECK(w.tools.asked.back() == all.back());
    CHECK(w.tools.living == UrlQuestions::k_most);
    w.urls.clear();
    CHECK(w.tools.living == 0);
}

TEST_CASE("no address, no curl") {
    World w;
    CHECK_THROWS_WITH_AS(w.urls.answers("file:///etc/passwd"),
                         "'file:///etc/passwd' is no http or https address", Error);
    w.tools.missing = true;
    CHECK_THROWS_WITH_AS(w.urls.answers(k_url),
                         "`wait` with a url needs curl: the program 'curl' is not installed", Error);
    CHECK(w.urls.fds().empty());
}
