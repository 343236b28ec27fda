#include "cli/task_files.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "core/base/error.hpp"
#include "tests/support/temp_folder.hpp"

namespace fs = std::filesystem;

namespace amp {
namespace {

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
}

void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

ExitCode code_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::ok;
}

std::size_t count_entries(const std::string& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("VALUE is JSON where it is valid, else a string") {
    CHECK(parse_put_value("0.93") == Value(0.93));
    CHECK(parse_put_value("[1, \"x\"]") == Value(List{1, "x"}));
    CHECK(parse_put_value("\"7\"") == Value("7"));
    CHECK(parse_put_value("true") == Value(true));
    CHECK(parse_put_value("hello world") == Value("hello world"));
    CHECK(parse_put_value("") == Value(""));
    CHECK(parse_put_value("{broken") == Value("{broken"));
}

TEST_CASE("a value is a file NAME.json, alone in the folder") {
    const test::TempFolder folder;
    put_value(folder.path(), "accuracy", 0.5);
    put_value(folder.path(), "accuracy", 0.93);
    CHECK(content(folder / "accuracy.json") == "0.93");
    CHECK(count_entries(folder.path()) == 1);
}

TEST_CASE("files and folders are copied, and replace what was put before in either form") {
    const test::TempFolder out;
    const test::TempFolder source;
    write(source / "model/a.bin", "A");
    write(source / "model/deep/b.bin", "B");
    write(source / "plain", "P");
    put_value(out.path(), "model", 1);
    put_copy(out.path(), "model", source / "model");
    CHECK(content(out / "model/deep/b.bin") == "B");
    CHECK(!fs::exists(out / "model.json"));
    fs::remove(source / "model/a.bin");
    put_copy(out.path(), "model", source / "model");
    CHECK(!fs::exists(out / "model/a.bin"));
    put_copy(out.path(), "model", source / "plain");
    CHECK(content(out / "model") == "P");
    put_value(out.path(), "model", "text");
    CHECK(!fs::exists(out / "model"));
    CHECK(count_entries(out.path()) == 1);
}

TEST_CASE("names of artifacts are checked") {
    const test::TempFolder folder;
    for (const char* name : {"", "../x", "a/b", "a.b", "1x", "a b", "ä", "-x", ".x"}) {
        CAPTURE(name);
        CHECK(code_of([&] { put_value(folder.path(), name, 1); }) == ExitCode::usage);
        CHECK(code_of([&] { put_copy(folder.path(), name, folder.path()); }) == ExitCode::usage);
    }
    CHECK(code_of([&] { put_value(folder.path(), std::string(129, 'x'), 1); }) == ExitCode::usage);
    CHECK(code_of([&] { put_copy(folder.path(), "x", folder / "missing"); }) == ExitCode::not_found);
    CHECK(count_entries(folder.path()) == 0);
    put_value(folder.path(), "_Ok9", 1);
}

TEST_CASE("inputs are values or paths, by NAME and STEP/NAME") {
    const test::TempFolder in;
    write(in / "train/metrics.json", "{\"loss\": 0.5}");
    write(in / "train/model/weights", "W");
    write(in / "note.json", "\"hello\"");
    CHECK(find_input(in.path(), "note").value == Value("hello"));
    CHECK(find_input(in.path(), "train/metrics").value == Value(Object{{"loss", 0.5}}));
    const TaskInputFile model = find_input(in.path(), "train/model");
    CHECK(!model.is_value);
    CHECK(model.path == in / "train/model");
    CHECK(value_line("hello") == "hello\n");
    CHECK(value_line(Object{{"loss", 0.5}}) == "{\"loss\":0.5}\n");
}

TEST_CASE("inputs are found as expressions name them, and printed") {
    const test::TempFolder in;
    write(in / "a/v.json", "1");
    write(in / "b/0/v.json", "2");
    write(in / "b/1.2/model", "M");
    CHECK(find_input(in.path(), "a.v").value == Value(1));
    CHECK(find_input(in.path(), "b[0].v").value == Value(2));
    CHECK(find_input(in.path(), "b[1][2].model").path == in / "b/1.2/model");
    CHECK(code_of([&] { find_input(in.path(), "b[7].v"); }) == ExitCode::not_found);
    CHECK(code_of([&] { find_input(in.path(), "b[.v"); }) == ExitCode::not_found);
    CHECK(code_of([&] { find_input(in.path(), "b[../..].v"); }) != ExitCode::ok);
    const auto printed = [&](const std::string& name) {
        std::string out;
        print_input(find_input(in.path(), name), [&](std::string_view part) { out += part; });
        return out;
    };
    CHECK(printed("a.v") == "1\n");
    CHECK(printed("b[1][2].model") == "M");
    CHECK(code_of([&] { printed("b"); }) == ExitCode::invalid);
}

TEST_CASE("a missing input says what there is") {
    const test::TempFolder in;
    write(in / "train/metrics.json", "1");
    try {
        find_input(in.path(), "train/metrcs");
        FAIL("found it");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::not_found);
        CHECK(error.hint() == "did you mean 'train/metrics'?");
    }
    for (const char* name : {"../x", "/etc/passwd", "a//b", ".", "", "a/../../b"}) {
        CAPTURE(name);
        CHECK(code_of([&] { find_input(in.path(), name); }) == ExitCode::usage);
    }
}

}  // namespace amp
