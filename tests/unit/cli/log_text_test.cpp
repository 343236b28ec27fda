#include "cli/log_text.hpp"

#include <doctest/doctest.h>

#include "core/base/json.hpp"

namespace amp {
namespace {

LogLine line(const char* task, std::string bytes, bool note = false) {
    return {TaskName::parse(task), 1, Timestamp{1000}, note, std::move(bytes)};
}

struct Printed {
    explicit Printed(LogText::Choice choice) : log(choice, [this](std::string_view part) { text += part; }) {}
    std::string text;
    LogText log;
};

}  // namespace

TEST_CASE("lines of several tasks are put together and named") {
    Printed printed({true, true});
    printed.log.add(line("train/3", "epoch 1\nepo"));
    printed.log.add(line("train/4", "other\n"));
    printed.log.add(line("train/3", "ch 2\nlast"));
    printed.log.add(line("train/3", "a gap", true));
    printed.log.finish();
    CHECK(printed.text ==
          "train/3 | epoch 1\n"
          "train/4 | other\n"
          "train/3 | epoch 2\n"
          "train/3 | [amp] a gap\n"
          "train/3 | last\n");
}

TEST_CASE("one task's log is what it wrote, made harmless for a terminal only") {
    Printed raw({false, false});
    raw.log.add(line("train", "no newline \x1b]0;x\x07\xff"));
    raw.log.finish();
    CHECK(raw.text == "no newline \x1b]0;x\x07\xff");
    Printed terminal({false, true});
    terminal.log.add(line("train", "no newline \x1b]0;x\x07"));
    CHECK(terminal.text == "no newline \\x1b]0;x\\x07");
}

TEST_CASE("an endless line is printed in parts") {
    Printed printed({true, false});
    for (int i = 0; i < 40; ++i) {
        printed.log.add(line("t", std::string(65536, 'x')));
    }
    CHECK(printed.text.size() > (std::size_t{2} << 20));
}

TEST_CASE("a log line as JSON") {
    CHECK(json::dump(log_document(line("train/3", "x\xff\n"))) ==
          "{\"at\":\"1970-01-01T00:00:01.000Z\",\"attempt\":1,\"note\":false,\"rank\":null,\"schema\":\"amp."
          "log/"
          "1\",\"task\":\"train/3\",\"text\":"
          "\"x\xEF\xBF\xBD\\n\"}");
}

TEST_CASE("ranks of a gang are told apart, unless one alone is asked for") {
    const auto of_rank = [](std::uint32_t rank, std::string bytes) {
        LogLine out = line("train", std::move(bytes));
        out.rank = rank;
        return out;
    };
    for (const bool ranks : {true, false}) {
        Printed printed({false, false, ranks});
        printed.log.add(of_rank(0, "be"));
        printed.log.add(of_rank(1, "other\n"));
        printed.log.add(of_rank(0, "gin\nend"));
        printed.log.finish();
        CHECK(printed.text == (ranks ? "[1] other\n[0] begin\n[0] end\n" : "beother\ngin\nend"));
    }
    Printed several({true, false});
    several.log.add(of_rank(2, "x\n"));
    CHECK(several.text == "train | [2] x\n");
    CHECK(get_int(log_document(of_rank(2, "x")), "rank") == 2);
}

}  // namespace amp
