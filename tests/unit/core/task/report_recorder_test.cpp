#include "core/task/report_recorder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "core/ports/task_spec.hpp"
#include "tests/support/memory_append_files.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr Timestamp k_now{1'795'681'530'000};

struct Recorded {
    MemoryAppendFiles files;
    PackWriter packs{files, "run", 1};
    ReportRecorder recorder{packs, TaskName::parse("train/0"), 1};

    std::string stored() {
        std::string out;
        PackFollower(files, "run", "report").poll([&](const PackFrame& frame) { out += frame.bytes; });
        return out;
    }
};

std::string why_not(std::string_view text) {
    ReportLine line;
    return std::string(read_report_line(text, line));
}

}  // namespace

TEST_CASE("a line of each kind") {
    ReportLine line;
    CHECK(read_report_line(R"({"metric":"loss","value":-0.25e1,"step":7,"at":12.5})", line).empty());
    CHECK(line.text == "loss");
    CHECK(line.value == -2.5);
    CHECK(line.step == 7);
    CHECK(line.at == Timestamp{12500});
    CHECK(read_report_line(R"({ "at": 1, "step": 2.0, "value": "NaN", "metric": "\u00fc" })", line).empty());
    CHECK(line.text == "ü");
    CHECK(std::isnan(line.value));
    CHECK(line.step == 2);
    CHECK(read_report_line(R"({"link":"t","url":"u"})", line).empty());
    CHECK(line.kind == ReportLine::Kind::link);
    CHECK_FALSE(line.step);
    CHECK(read_report_line(R"({"progress":3})", line).empty());
    CHECK(line.value == 1);
    CHECK(read_report_line(R"({"note":"n"})", line).empty());
}

TEST_CASE("what is no line is told as such") {
    for (const char* text : {"",
                             "{",
                             "[]",
                             "7",
                             "null",
                             R"({"metric":"x"})",
                             R"({"metric":"","value":1})",
                             R"({"metric":"x","value":nan})",
                             R"({"metric":"x","value":01})",
                             R"({"metric":"x","value":"y"})",
                             R"({"metric":"x","value":true})",
                             R"({"metric":["x"],"value":1})",
                             R"({"metric":"x","value":1,"step":1.5})",
                             R"({"metric":"x","value":1}})",
                             R"({"note":7})",
                             R"({"note":""})",
                             R"({"link":"t"})",
                             R"({"progress":"all"})",
                             R"({"other":1})",
                             "{\"metric\":\"\xff\",\"value\":1}"}) {
        CAPTURE(text);
        CHECK_FALSE(why_not(text).empty());
    }
    CHECK_FALSE(why_not(fmt::format(R"({{"metric":"{}","value":1}})", std::string(257, 'x'))).empty());
}

TEST_CASE("what is written is read again") {
    for (const double value : {0.1, -1e300, 0.0, HUGE_VAL, -HUGE_VAL}) {
        ReportLine line;
        line.kind = ReportLine::Kind::metric;
        line.text = "a \"b\" \\ ü";
        line.value = value;
        line.step = -3;
        line.at = k_now;
        std::string text = report_line_text(line);
        CHECK(text.back() == '\n');
        text.pop_back();
        ReportLine again;
        CHECK(read_report_line(text, again).empty());
        CHECK(again.text == line.text);
        CHECK(again.value == value);
        CHECK(again.step == -3);
        CHECK(again.at == k_now);
    }
}

TEST_CASE("lines are whole however the bytes come, and a torn last one counts when it is one") {
    const std::string text =
        "{\"metric\":\"a\",\"value\":1}\nrubbish\n{\"note\":\"n\"}\n{\"metric\":\"a\",\"value\":3}";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        Recorded r;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            r.recorder.add(std::string_view(text).substr(at, piece), k_now);
        }
        r.recorder.finish(k_now);
        const auto report = r.recorder.report();
        REQUIRE(report);
        CHECK(report->metrics.at("a") == MetricSummary{2, 3, std::nullopt, 1, 3});
        CHECK(report->notes.size() == 1);
        REQUIRE(r.recorder.remarks().size() == 1);
        CHECK(r.recorder.remarks()[0].find("1 of 4") != std::string::npos);
        CHECK(r.recorder.remarks()[0].find("line 2") != std::string::npos);
        CHECK(r.stored().find("rubbish") == std::string::npos);
    }
    Recorded torn;
    torn.recorder.add("{\"metric\":\"a\",\"val", k_now);
    torn.recorder.finish(k_now);
    CHECK_FALSE(torn.recorder.report());
    CHECK(torn.recorder.remarks().size() == 1);
}

TEST_CASE("a file that begins anew does not join its lines with those of before") {
    Recorded r;
    r.recorder.add("{\"metric\":\"a\",", k_now);
    r.recorder.begin_again();
    r.recorder.add("{\"metric\":\"b\",\"value\":1}\n", k_now);
    r.recorder.finish(k_now);
    REQUIRE(r.recorder.report());
    CHECK(r.recorder.report()->metrics.size() == 1);
    CHECK(r.recorder.remarks().empty());
}

TEST_CASE("a line without end is left out, and what follows counts") {
    Recorded r;
    const std::string zeros(std::size_t{1} << 20, '\0');
    for (int i = 0; i < 8; ++i) {
        r.recorder.add(zeros, k_now);
    }
    r.recorder.add("\n{\"note\":\"n\"}\n", k_now);
    r.recorder.finish(k_now);
    REQUIRE(r.recorder.report());
    CHECK(r.recorder.remarks()[0].find("longer than 64 KiB") != std::string::npos);
}

TEST_CASE("the summary is bounded, the packs hold all points") {
    Recorded r;
    for (int i = 0; i < 1000; ++i) {
        r.recorder.add(fmt::format("{{\"metric\":\"m{}\",\"value\":{}}}\n{{\"note\":\"n{}\"}}\n", i, i, i),
                       k_now);
    }
    r.recorder.finish(k_now);
    const auto report = r.recorder.report();
    REQUIRE(report);
    CHECK(report->metrics.size() == 200);
    CHECK(report->points == 1000);
    CHECK(report->notes.size() == 50);
    CHECK(report->notes.back().text == "n999");
    CHECK(r.stored().find("\"m999\"") != std::string::npos);
    CHECK(r.recorder.remarks().size() == 1);
}

TEST_CASE("what amp samples stands beside what the task tells, which cannot tell the same") {
    Recorded r;
    for (int i = 0; i < 300; ++i) {
        r.recorder.add(fmt::format("{{\"metric\":\"m{}\",\"value\":1}}\n", i), k_now);
    }
    r.recorder.add("{\"metric\":\"system/cpu\",\"value\":99}\n{\"metric\":\"lo", k_now);
    r.recorder.add_sample("system/cpu", 1.5, k_now);
    r.recorder.add_sample("system/cpu", 0.5, k_now);
    r.recorder.add("ss\",\"value\":1}\n", k_now);
    r.recorder.add_point("system/memory", 7, k_now);
    r.recorder.finish(k_now);
    const auto report = r.recorder.report();
    REQUIRE(report->metrics.contains("system/cpu"));
    CHECK(report->metrics.at("system/cpu") == MetricSummary{2, 0.5, std::nullopt, 0.5, 1.5});
    CHECK_FALSE(report->metrics.contains("system/memory"));
    CHECK(report->metrics.size() == 201);
    CHECK(r.stored().find("\"value\":99") == std::string::npos);
    CHECK(r.stored().find(R"({"metric":"system/cpu","value":1.5,"at":)") != std::string::npos);
    CHECK(r.stored().find(R"("metric":"loss")") != std::string::npos);
    CHECK(r.recorder.remarks()[0].find("amp's own") != std::string::npos);
}

TEST_CASE("a report of many moments names its pieces no more, so that results stay small") {
    Recorded r;
    for (int i = 0; i < 101; ++i) {
        r.recorder.add_sample("system/cpu", i, k_now);
        r.recorder.write_pending(k_now);
        CHECK(r.recorder.report()->pieces.size() == (i < 100 ? i + 1 : 0));
    }
    CHECK(r.recorder.report()->points == 101);
}

TEST_CASE("of a storm of progress the last one of a moment is kept") {
    Recorded r;
    for (int i = 0; i <= 1000; ++i) {
        r.recorder.add(fmt::format("{{\"progress\":{}}}\n", i / 1000.0), k_now);
    }
    r.recorder.finish(k_now);
    CHECK(r.stored() == "{\"progress\":1}\n");
    CHECK(r.recorder.report()->progress->done == 1);
}

TEST_CASE("a report survives its record") {
    AttemptResult result;
    result.task = TaskName::parse("train/0");
    TaskReport report;
    report.metrics["a"].add(HUGE_VAL, 3);
    report.metrics["b"].add(0.5, std::nullopt);
    report.points = 2;
    report.notes.push_back({"n", k_now});
    report.links.push_back({"t", "u"});
    report.progress = TaskProgress{0.5, "half", k_now};
    report.pieces.push_back({"runs/r/packs/1-1", 7, 9, std::string(64, 'a')});
    result.report = std::make_shared<const TaskReport>(report);
    const AttemptResult again = attempt_result_from(to_value(result));
    REQUIRE(again.report);
    CHECK(*again.report == report);
}
