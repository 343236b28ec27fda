#include "cli/output.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "core/base/unique_fd.hpp"
#include "tests/unit/cli/captured_output.hpp"

namespace amp {

TEST_CASE("a message never overtakes the result that was printed before it") {
    std::string both;
    const auto sink = [&](std::string_view text) {
        both += text;
        return 0;
    };
    Output out(sink, sink, {});
    out.result("a\n");
    CHECK(both.empty());
    out.say("b");
    CHECK(both == "a\nb\n");
    out.result("c");
    out.flush();
    CHECK(both == "a\nb\nc");
}

TEST_CASE("a reader who had enough is no failure, and nothing more is written") {
    test::CapturedOutput captured;
    captured.out_error = EPIPE;
    captured.output.result("x");
    captured.output.flush();
    captured.output.result("y");
    captured.output.flush();
    CHECK(captured.out == "x");
    CHECK(captured.output.gone());
    CHECK(captured.output.failure() == 0);
    CHECK(captured.output.has_result());
}

TEST_CASE("a full disk is a failure; messages go on") {
    test::CapturedOutput captured;
    captured.out_error = ENOSPC;
    captured.output.result("x");
    captured.output.say("still here");
    CHECK(captured.output.failure() == ENOSPC);
    CHECK(captured.err == "still here\n");
}

TEST_CASE("a document is a line, and indented on a terminal") {
    test::CapturedOutput plain;
    plain.output.document(Object{{"b", 1}, {"a", List{1}}});
    plain.output.flush();
    CHECK(plain.out == "{\"a\":[1],\"b\":1}\n");
    Presentation tty;
    tty.out_is_tty = true;
    test::CapturedOutput terminal(tty);
    terminal.output.document(Object{{"b", 1}});
    terminal.output.flush();
    CHECK(terminal.out == "{\n  \"b\": 1\n}\n");
}

TEST_CASE("a descriptor takes everything, also when it does not block and is full") {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    fcntl(writer.get(), F_SETFL, O_NONBLOCK);
    const std::string text(1 << 20, 'x');
    std::size_t seen = 0;
    std::thread drain([&] {
        std::array<char, 65536> buffer;
        for (ssize_t size = 1; size > 0; seen += size > 0 ? static_cast<std::size_t>(size) : 0) {
            size = ::read(reader.get(), buffer.data(), buffer.size());
        }
    });
    CHECK(descriptor_sink(writer.get())(text) == 0);
    writer.reset();
    drain.join();
    CHECK(seen == text.size());
}

TEST_CASE("a closed pipe gives EPIPE, a closed descriptor EBADF") {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    UniqueFd writer(ends[1]);
    ::close(ends[0]);
    CHECK(descriptor_sink(writer.get())("x") == EPIPE);
    CHECK(descriptor_sink(-1)("x") == EBADF);
}

}  // namespace amp
