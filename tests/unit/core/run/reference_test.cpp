#include "core/run/reference.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>
#include <vector>

#include "core/base/error.hpp"
#include "core/run/run_index.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using amp::test::MemoryStore;

namespace {

using Kind = RunReference::Kind;

Error error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    return Error(ExitCode::ok, "no error");
}

Value record_of(const std::string& flow, const std::string& parent = "") {
    return Object{{"flow", Object{{"name", flow}}}, {"parent", parent}};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string nth_run(int n) {
    return fmt::format("2611{:02}-{:06}-bbb{}", 1 + n / 100, n % 100, n % 8 + 2);
}

}  // namespace

TEST_CASE("what stands before the first slash is the run, or FLOW/latest") {
    struct Row {
        const char* target;
        const char* run;
    };
    for (const Row& row : std::vector<Row>{{"latest", "latest"},
                                           {"latest/train/3", "latest"},
                                           {"latest/latest", "latest"},
                                           {"Tune/latest", "Tune/latest"},
                                           {"Tune/latest/train/3", "Tune/latest"},
                                           {"Tune/latest/latest", "Tune/latest"},
                                           {"Tune/train", "Tune"},
                                           {"Tune/latest2", "Tune"},
                                           {"2611/latest", "2611/latest"},
                                           {"261120-081530-k3fx/latest", "261120-081530-k3fx"},
                                           {"@good/latest", "@good"},
                                           {"Tune@good/train/3", "Tune@good"},
                                           {"/latest", ""},
                                           {"", ""},
                                           {"a//b", "a"}}) {
        const std::string_view target = row.target;
        CHECK_MESSAGE(target.substr(0, run_part(target)) == row.run, row.target);
    }
}

TEST_CASE("references are read") {
    struct Row {
        const char* text;
        RunReference expected;
    };
    for (const Row& row : std::vector<Row>{
             {"latest", {Kind::latest, "", ""}},
             {"Tune/latest", {Kind::latest, "Tune", ""}},
             {"@good", {Kind::tag, "", "good"}},
             {"@a@b", {Kind::tag, "", "a@b"}},
             {"Tune@good", {Kind::tag, "Tune", "good"}},
             {"@grün", {Kind::tag, "", "grün"}},
             {"261120-081530-k3fx", {Kind::id, "", "261120-081530-k3fx"}},
             {"2611", {Kind::id, "", "2611"}},
             {"k3fx", {Kind::id, "", "k3fx"}},
             {"Tune", {Kind::id, "", "Tune"}},
         }) {
        CHECK_MESSAGE(parse_run_reference(row.text) == row.expected, row.text);
    }
}

TEST_CASE("what no run can be called is an error of usage, and told in few words") {
    const std::string long_text(1 << 20, 'x');
    for (const std::string& text :
         {std::string(), std::string("/"), std::string("/x"), std::string("x/"), std::string("../x"),
          std::string(".."), std::string("."), std::string("x/y"), std::string("latest/train"),
          std::string("@"), std::string("Tune@"), std::string("a\nb"), std::string("a\x1b[2Jb"),
          std::string("a\0b", 3), std::string("a\xff"), std::string("//"), std::string("../latest"),
          long_text}) {
        const Error error = error_of([&] { parse_run_reference(text); });
        CHECK_MESSAGE(error.code() == ExitCode::usage, text.substr(0, 40));
        CHECK(error.message().size() < 300);
        CHECK(error.message().find('\x1b') == std::string::npos);
    }
}

TEST_CASE("people name a run by its id, a part of it, or as the latest") {
    MemoryStore store;
    CHECK(error_of([&] { resolve_run(store, "latest"); }).code() == ExitCode::not_found);
    for (const char* run : {"250101-000000-bbbb", "261120-081530-k3fx", "261120-093000-bbbb"}) {
        create_run(store, run, Object{});
    }
    CHECK(resolve_run(store, "261120-081530-k3fx") == "261120-081530-k3fx");
    CHECK(resolve_run(store, "25") == "250101-000000-bbbb");
    CHECK(resolve_run(store, "261120-08") == "261120-081530-k3fx");
    CHECK(resolve_run(store, "latest") == "261120-093000-bbbb");
    CHECK(resolve_run(store, "k3fx") == "261120-081530-k3fx");
    CHECK(resolve_run(store, "0815") == "261120-081530-k3fx");
    CHECK(resolve_run(store, "081530-k3") == "261120-081530-k3fx");
    CHECK(error_of([&] { resolve_run(store, "2611"); }).code() == ExitCode::usage);
    CHECK(error_of([&] { resolve_run(store, "bbbb"); }).code() == ExitCode::usage);
    for (const char* none : {"27", "zzzz", "261120-081530-zzzz", "Tune/latest", "@good", "Tune@good"}) {
        CHECK(error_of([&] { resolve_run(store, none); }).code() == ExitCode::not_found);
    }
}

TEST_CASE("a run that died while it was created is none") {
    MemoryStore store;
    create_run(store, "261120-081530-k3fx", Object{});
    store.put("runs/261120-093000-bbbb/run.json.tmp", "x");
    CHECK(resolve_run(store, "latest") == "261120-081530-k3fx");
    CHECK(resolve_run(store, "2611") == "261120-081530-k3fx");
    CHECK(error_of([&] { resolve_run(store, "bbbb"); }).code() == ExitCode::not_found);
    MemoryStore empty;
    empty.put("runs/261120-093000-bbbb/run.json.tmp", "x");
    CHECK(error_of([&] { resolve_run(empty, "latest"); }).code() == ExitCode::not_found);
}

TEST_CASE("the newest of a flow, and the newest with a tag") {
    MemoryStore store;
    create_run(store, "261120-081530-k3fx", record_of("Tune"));
    create_run(store, "261120-081531-k3fx", record_of("Tune"));
    create_run(store, "261120-081532-k3fx", record_of("Eval"));
    create_run(store, "261120-081533-k3fx", record_of("Tune", "261120-081532-k3fx/a/_"));
    CHECK(resolve_run(store, "latest") == "261120-081532-k3fx");
    CHECK(resolve_run(store, "Tune/latest") == "261120-081531-k3fx");
    CHECK(resolve_run(store, "Eval/latest") == "261120-081532-k3fx");
    for (const char* run : {"261120-081530-k3fx", "261120-081532-k3fx"}) {
        set_tag(store, run, "good", true, "ann", {1000});
    }
    CHECK(resolve_run(store, "@good") == "261120-081532-k3fx");
    CHECK(resolve_run(store, "Tune@good") == "261120-081530-k3fx");
    set_tag(store, "261120-081532-k3fx", "good", false, "ann", {2000});
    CHECK(resolve_run(store, "@good") == "261120-081530-k3fx");
}

TEST_CASE("an old run is found by the index, unless it is marked as changed") {
    MemoryStore store;
    std::vector<std::string> runs;
    RunIndex index(store);
    for (int n = 0; n < 50; ++n) {
        runs.push_back(nth_run(n));
        create_run(store, runs.back(), record_of(n == 3 ? "Old" : "New"));
        const std::vector<std::string> tags =
            n == 4 ? std::vector<std::string>{"good"} : std::vector<std::string>{};
        index.add(runs.back(), {Object{{"flow", n == 3 ? "Old" : "New"}, {"parent", ""}}, tags});
    }
    index.save(runs, {1000});
    CHECK(resolve_run(store, "Old/latest") == runs[3]);
    CHECK(resolve_run(store, "@good") == runs[4]);
    CHECK(resolve_run(store, "New/latest") == runs[49]);
    mark_run_changed(store, runs[4]);
    CHECK(error_of([&] { resolve_run(store, "@good"); }).code() == ExitCode::not_found);
}

TEST_CASE("behind thousands of children the latest run is found without reading each") {
    MemoryStore store;
    std::vector<std::string> runs;
    RunIndex index(store);
    for (int n = 0; n < 2000; ++n) {
        runs.push_back(nth_run(n));
        const std::string parent = n == 0 ? "" : runs.front() + "/a/_";
        create_run(store, runs.back(), record_of("Tune", parent));
        index.add(runs.back(), {Object{{"flow", "Tune"}, {"parent", parent}}, {}});
    }
    index.save(runs, {1000});
    const std::size_t before = store.calls();
    CHECK(resolve_run(store, "latest") == runs.front());
    CHECK(store.calls() - before < 100);
}

TEST_CASE("errors say what could have been meant") {
    MemoryStore store;
    for (int n = 0; n < 20; ++n) {
        create_run(store, nth_run(n), record_of("FinetuneEval"));
    }
    set_tag(store, nth_run(5), "baseline", true, "ann", {1000});
    const Error ambiguous = error_of([&] { resolve_run(store, "2611"); });
    CHECK(contains(ambiguous.message(), "means 20 runs: " + nth_run(19) + ", " + nth_run(18)));
    CHECK(contains(ambiguous.message(), "and 12 more"));
    struct Row {
        const char* written;
        const char* meant;
    };
    for (const Row& row : std::vector<Row>{{"FinetuneEvl/latest", "'FinetuneEval/latest'"},
                                           {"FinetuneEval", "'FinetuneEval/latest'"},
                                           {"@basline", "'@baseline'"},
                                           {"baseline", "'@baseline'"},
                                           {"lastest", "'latest'"}}) {
        const Error error = error_of([&] { resolve_run(store, row.written); });
        CHECK(error.code() == ExitCode::not_found);
        CHECK_MESSAGE(contains(error.hint(), row.meant), error.hint());
        CHECK(contains(error.hint(), nth_run(19) + ", " + nth_run(18) + ", " + nth_run(17)));
    }
    CHECK(contains(error_of([&] { resolve_run(store, "261101-000003-bbbz"); }).hint(), nth_run(3)));
}
