#include "core/task/python_environment.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/task/package_fetch.hpp"

using namespace amp;
using Tool = PythonEnvironment::Tool;

namespace {

EnvironmentOrder order_of(Tool tool, const std::string& file) {
    EnvironmentOrder order;
    order.tool = tool;
    order.file = file;
    return order;
}

const EnvironmentPlaces k_places{
    "/c/NAME.1", "/c/files", "/in/given", {"/in/given/packages/six.whl"}, "/p/pip.whl"};

EnvironmentTools with_python() {
    EnvironmentTools tools;
    tools.python = "/usr/bin/python3";
    tools.python_version = "3.11";
    return tools;
}

EnvironmentTools with_uv() {
    EnvironmentTools tools;
    tools.uv = "/bin/uv";
    return tools;
}

/// Each call as a line.
std::string lines(const EnvironmentOrder& order, const EnvironmentTools& tools) {
    std::string out;
    for (const EnvironmentCall& call : environment_calls(order, tools, k_places)) {
        out += call.cwd + "$ " + join(call.words, " ") + "\n";
    }
    return out;
}

std::string refusal(const EnvironmentOrder& order, const EnvironmentTools& tools) {
    try {
        environment_calls(order, tools, k_places);
        return {};
    } catch (const Error& error) {
        return error.advice();
    }
}

}  // namespace

TEST_CASE("requirements: uv where it is, else python3 and its pip") {
    EnvironmentOrder order = order_of(Tool::requirements, "a/r.txt");
    CHECK(lines(order, with_python()) ==
          "/c/files$ /usr/bin/python3 -I -m venv /c/NAME.1\n"
          "/c/files/a$ /c/NAME.1/bin/python -I -m pip install --no-input --disable-pip-version-check "
          "--progress-bar off -r /c/files/a/r.txt\n");
    order.python = "3.12.1";
    order.hashes = true;
    CHECK(lines(order, with_uv()) ==
          "/c/files$ /bin/uv venv --no-project --no-progress --python 3.12 /c/NAME.1\n"
          "/c/files/a$ /bin/uv pip install --no-progress --python /c/NAME.1/bin/python --require-hashes -r "
          "/c/files/a/r.txt\n");
    CHECK(refusal(order, with_python()).starts_with("Python 3.12.1 is asked for, and here is 3.11"));
    CHECK(refusal(order, {}).starts_with("there is no python3 in PATH"));
}

TEST_CASE("a lock file of uv: uv, or pip with what was exported, or nothing") {
    EnvironmentOrder order = order_of(Tool::uv, "a/uv.lock");
    const auto calls = environment_calls(order, with_uv(), k_places);
    REQUIRE(calls.size() == 1);
    CHECK(join(calls[0].words, " ") == "/bin/uv sync --frozen --no-install-workspace --no-progress");
    CHECK(calls[0].cwd == "/c/files/a");
    CHECK(calls[0].variables.at(0).second == "/c/NAME.1");
    CHECK(refusal(order, with_python()).starts_with("there is no uv in PATH; install it"));
    order.exported = order.hashes = true;
    CHECK(lines(order, with_python()).ends_with("--require-hashes -r /in/given/exported.txt\n"));
}

TEST_CASE("carried packages are installed as they are: nothing is asked, nothing looked for") {
    EnvironmentOrder order = order_of(Tool::uv, "uv.lock");
    order.carried = "Python 3.11, x86_64";
    CHECK(lines(order, with_python()).ends_with("--no-index --no-deps /in/given/packages/six.whl\n"));
    EnvironmentTools poor = with_python();
    poor.venv = false;
    CHECK(lines(order, poor).find("venv --without-pip /c/NAME.1\n") != std::string::npos);
    CHECK(lines(order, poor).find("/c/NAME.1/bin/python -I /p/pip.whl/pip install") != std::string::npos);
    EnvironmentPlaces nothing = k_places;
    nothing.packages.clear();
    nothing.pip.clear();
    CHECK(environment_calls(order, with_python(), nothing).size() == 1);
    CHECK_THROWS_AS(environment_calls(order, poor, nothing), Error);
}

TEST_CASE("conda: whichever of its programs there is") {
    const EnvironmentOrder order = order_of(Tool::conda, "e.yml");
    EnvironmentTools tools;
    CHECK(refusal(order, tools).starts_with("there is neither micromamba nor mamba nor conda in PATH"));
    tools.conda = "/b/micromamba";
    CHECK(lines(order, tools) ==
          "/c/files$ /b/micromamba create --yes --prefix /c/NAME.1 --file /c/files/e.yml\n");
    tools.conda = "/b/conda";
    CHECK(lines(order, tools) ==
          "/c/files$ /b/conda env create --quiet --prefix /c/NAME.1 --file /c/files/e.yml\n");
}

TEST_CASE("an order comes back as it was, and one of an unknown tool is refused") {
    const EnvironmentOrder order{Tool::conda, "a b.yml", "3.11", true, true, "Python 3.11, x86_64"};
    CHECK(environment_order_from(to_value(order)) == order);
    CHECK_THROWS_AS(environment_order_from(Object{{"tool", "pixi"}}), Error);
}

TEST_CASE("names and versions") {
    CHECK(minor_python("3.11.7") == "3.11");
    CHECK(minor_python("3.11") == "3.11");
    CHECK(minor_python("3") == "3");
    CHECK(minor_python("pypy3.9.1") == "pypy3.9.1");
    const std::string key(64, 'a');
    const std::string name = environment_name(key, "x86_64", "/usr/bin/python3.11");
    CHECK(name.size() == 29);
    CHECK(name.find('.') == std::string::npos);
    CHECK(name != environment_name(key, "aarch64", "/usr/bin/python3.11"));
    CHECK(name != environment_name(key, "x86_64", "/usr/bin/python3.12"));
}

TEST_CASE("why tools fail: what they have said decides whether it is tried again") {
    const EnvironmentFailure away = judge_environment_failure(
        "Looking in indexes\nWARNING: Retrying (Retry(total=0)) after connection broken by "
        "'NewConnectionError(...)'\n"
        "ERROR: Could not find a version that satisfies the requirement six (from versions: none)\n"
        "ERROR: No matching distribution found for six\n");
    CHECK(away.temporary);
    CHECK(away.network);
    CHECK(
        away.text ==
        "ERROR: Could not find a version that satisfies the requirement six (from versions: none) ERROR: No "
        "matching distribution found for six");
    const EnvironmentFailure never = judge_environment_failure(
        "ERROR: Could not find a version that satisfies the requirement six==99 (from versions: 1.0)\n");
    CHECK_FALSE(never.temporary);
    const EnvironmentFailure uv = judge_environment_failure(
        "Using CPython 3.11.7\nerror: No solution found when resolving dependencies\n  cause: Because x was "
        "not "
        "found\n");
    CHECK_FALSE(uv.temporary);
    CHECK(uv.text == "error: No solution found when resolving dependencies cause: Because x was not found");
    CHECK(judge_environment_failure("OSError: [Errno 28] No space left on device\n").temporary);
    CHECK_FALSE(judge_environment_failure("OSError: [Errno 28] No space left on device\n").network);
    CHECK(judge_environment_failure("").text.empty());
    CHECK(judge_environment_failure("ERROR " + std::string(5000, 'x')).text.size() < 500);
}

TEST_CASE("packages for this very machine are built where need be, those for another are wheels") {
    EnvironmentOrder order = order_of(Tool::requirements, "r.txt");
    const PackageTarget own{"3.11", "x86_64"};
    CHECK(join(package_words(order, "/w/r.txt", own, own, "/w/packages"), " ") ==
          "wheel --wheel-dir /w/packages --no-input --disable-pip-version-check --progress-bar off -r "
          "/w/r.txt");
    order.hashes = true;
    const std::string far =
        join(package_words(order, "/w/r.txt", {"3.12", "aarch64"}, own, "/w/packages"), " ");
    CHECK(far.starts_with(
        "download --dest /w/packages --only-binary=:all: --implementation cp --python-version 3.12 "
        "--platform manylinux_2_28_aarch64"));
    CHECK(far.ends_with("--require-hashes -r /w/r.txt"));
    CHECK(target_text(own) == "Python 3.11, x86_64");
}
