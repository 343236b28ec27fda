#include <doctest/doctest.h>

#include "tests/support/backend_contract.hpp"
#include "tests/unit/backends/ssh/far_harness.hpp"

using namespace amp;
using namespace amp::test;

namespace {

class SshBench : public BackendBench {
  public:
    SshBench() : backend_(here_.objects(), here_.files(), far_.options()) { backend_.adopt(); }

    Backend& backend() override { return backend_; }
    TaskSpec succeeding(const std::string& step) override { return task(step, "exit 0"); }
    TaskSpec failing(const std::string& step) override { return task(step, "exit 3"); }
    TaskSpec endless(const std::string& step) override { return task(step, "exec sleep 1000"); }
    TaskSpec impossible(const std::string& step) override {
        TaskSpec giant = task(step, "exit 0");
        giant.resources.cpu = 1e6;
        return giant;
    }
    TaskSpec gang(const std::string& step) override { return ranks(task(step, "exit 0")); }
    TaskSpec torn_gang(const std::string& step) override {
        return ranks(task(step, "test $AMP_RANK = 1 && exit 3; exec sleep 1000"));
    }
    void wait() override {
        pollfd wait{backend_.event_fd(), POLLIN, 0};
        poll(&wait, 1, 20);
    }
    std::size_t times_run(const std::string& step) override {
        const std::string marks = read_file(here_.root() + "/" + step);
        return static_cast<std::size_t>(std::count(marks.begin(), marks.end(), '\n'));
    }

  private:
    static TaskSpec ranks(TaskSpec spec) {
        spec.gang = Gang{3, 1, Launcher::none};
        spec.resources.cpu = 0.1;
        return spec;
    }
    TaskSpec task(const std::string& step, const std::string& script) {
        return shell_task(step, "echo run >> " + here_.root() + "/" + step + "; " + script);
    }

    TemporaryStore here_;
    FarMachine far_;
    SshBackend backend_;
};

}  // namespace

TEST_CASE("the ssh backend keeps the contract") {
    check_backend_contract([] { return std::make_unique<SshBench>(); });
}
