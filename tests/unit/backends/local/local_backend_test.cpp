#include "backends/local/local_backend.hpp"

#include <doctest/doctest.h>

#include "tests/unit/backends/local/local_harness.hpp"

using namespace amp;
using namespace amp::test;

TEST_CASE("a task runs, and what it prints is in the store") {
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    CHECK(backend.adopt().ended.empty());
    const TaskSpec spec = shell_task("hello", "echo hello; echo there >&2; pwd");
    backend.submit({&spec, 1});
    Seen seen;
    watch_ends(backend, seen, 1);
    const AttemptResult& result = seen.result("hello");
    CHECK(result.succeeded());
    CHECK(result.exit == 0);
    CHECK(log_of(store, result).starts_with("hello\nthere\n/"));
    CHECK(result.log_bytes > 12);
    CHECK(seen.has_started("hello"));
    backend.close();
}

TEST_CASE("what fails says why") {
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    TaskSpec missing = shell_task("missing", "");
    missing.argv = {{{Piece::Kind::text, "no-such-program"}}};
    const std::vector<TaskSpec> specs = {shell_task("three", "exit 3"), shell_task("term", "kill -TERM $$"),
                                         missing};
    Seen seen;
    for (const TaskSpec& spec : specs) {
        backend.submit({&spec, 1});
        watch_ends(backend, seen, seen.ended.size() + 1);
        backend.go_on();
    }
    CHECK(seen.result("three").cause == Cause::user);
    CHECK(seen.result("three").exit == 3);
    CHECK(seen.result("three").message == "exit status 3");
    CHECK(seen.result("three").log.empty());
    CHECK(seen.result("term").message == "killed by signal 15 (TERM)");
    CHECK(seen.result("term").signal == 15);
    CHECK(seen.result("missing").exit == 127);
    CHECK(seen.result("missing").message == "program 'no-such-program' not found in PATH");
    CHECK_FALSE(seen.has_started("missing"));
    backend.close();
}
