#include "core/run/environment_files.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "tests/support/memory_files.hpp"

using namespace amp;
using namespace amp::test;
using Tool = PythonEnvironment::Tool;

namespace {

EnvironmentFiles read(MemoryFiles& files, Tool tool, const std::string& file) {
    return read_environment_files(files, "/project", {tool, file});
}

/// What is said against it; empty: nothing.
std::string problem(MemoryFiles& files, Tool tool, const std::string& file) {
    try {
        read(files, tool, file);
        return {};
    } catch (const Error& error) {
        return error.message();
    }
}

std::string problem_of_line(const std::string& line) {
    try {
        included_files("six\n" + line + "\n", "r.txt");
        return {};
    } catch (const Error& error) {
        return error.message();
    }
}

}  // namespace

TEST_CASE("a requirements file comes with what it includes, however that is written") {
    MemoryFiles files;
    files.add("/project/envs/train.txt",
              "# packages\n-r base.txt   # first\n--requirement=../more.txt\n-cpins/a.txt\n-c \"pins/b "
              "c.txt\"\ntorch==2\n");
    files.add("/project/envs/base.txt", "numpy\n-r train.txt\n");
    files.add("/project/more.txt", "six --hash=sha256:00\n");
    files.add("/project/envs/pins/a.txt", "x==1\n");
    files.add("/project/envs/pins/b c.txt", "y==1\n");
    files.add("/project/other.txt", "z\n");
    const EnvironmentFiles found = read(files, Tool::requirements, "./envs/train.txt");
    CHECK(found.file == "envs/train.txt");
    CHECK(found.hashes);
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : found.files) {
        paths.push_back(path);
    }
    CHECK(paths == std::vector<std::string>{"envs/base.txt", "envs/pins/a.txt", "envs/pins/b c.txt",
                                            "envs/train.txt", "more.txt"});
}

TEST_CASE("conda's pip section includes as well; comments and addresses with a # do not confuse") {
    CHECK(included_files("dependencies:\n  - python=3.11\n  - pip:\n    - -r more.txt\n", "e.yml") ==
          std::vector<std::string>{"more.txt"});
    CHECK(included_files("#-r no.txt\nx @ https://a/b#sha256=1\n  # -r no.txt\n", "r.txt").empty());
    CHECK(included_files("-r", "r.txt") == std::vector<std::string>{""});
}

TEST_CASE("what lies in the project is no package, and what lies elsewhere no file of it") {
    for (const char* line :
         {"-e .", "--editable ./src", ".", "./pkg", "../pkg.whl", "-f wheels", "--find-links=./wheels"}) {
        CAPTURE(line);
        CHECK(problem_of_line(line).starts_with("r.txt:2: '"));
        CHECK(problem_of_line(line).ends_with("lies in the project, and is no package"));
    }
    for (const char* line : {"-r https://x/r.txt", "-c /etc/pins.txt"}) {
        CAPTURE(line);
        CHECK(problem_of_line(line).ends_with("is no file of the project"));
    }
    for (const char* line : {"--find-links /opt/wheels", "-f https://x/", "--no-index",
                             "--extra-index-url https://x", "pkg @ file:///opt/x.whl"}) {
        CAPTURE(line);
        CHECK(problem_of_line(line).empty());
    }
}

TEST_CASE("files that are missing, lead out, or have hostile names") {
    MemoryFiles files;
    files.add("/project/r.txt", "-r gone.txt\n");
    CHECK(problem(files, Tool::requirements, "r.txt") == "there is no file 'gone.txt', which r.txt names");
    CHECK(problem(files, Tool::requirements, "no.txt").starts_with("there is no file 'no.txt'"));
    files.add("/project/up.txt", "-r ../../etc/passwd\n");
    CHECK(problem(files, Tool::requirements, "up.txt") ==
          "'../../etc/passwd', which up.txt names, lies outside of the project");
    files.add("/secret", "x\n");
    files.add_link("/project/link.txt", "/secret");
    CHECK(problem(files, Tool::requirements, "link.txt") == "'link.txt' leads out of the project");
    files.add_folder("/project/folder");
    CHECK(problem(files, Tool::requirements, "folder").starts_with("there is no file"));
    files.add("/project/-r \x1b[31m.txt", "six\n");
    CHECK(problem(files, Tool::requirements, "-r \x1b[31m.txt").empty());
    files.add("/project/ring.txt", "-r ./ring.txt\n");
    CHECK(problem(files, Tool::requirements, "ring.txt").empty());
}

TEST_CASE("a lock file of uv needs its pyproject.toml, and is called uv.lock") {
    MemoryFiles files;
    files.add("/project/a/uv.lock", "lock\n");
    CHECK(problem(files, Tool::uv, "a/uv.lock").find("there is no file 'a/pyproject.toml'") == 0);
    files.add("/project/a/pyproject.toml", "[project]\n");
    files.add("/project/.python-version", "3.12.1\n");
    const EnvironmentFiles found = read(files, Tool::uv, "a/uv.lock");
    CHECK(found.files.size() == 3);
    CHECK(found.python == "3.12.1");
    files.add("/project/a/.python-version", "train-3.11\n");  // a name of pyenv's
    CHECK(read(files, Tool::uv, "a/uv.lock").python == "");
    files.add("/project/pylock.toml", "");
    CHECK(problem(files, Tool::uv, "pylock.toml") == "'pylock.toml' is no lock file of uv");
}

TEST_CASE("the key says tool, files and version, and nothing else") {
    MemoryFiles files;
    files.add("/project/r.txt", "-r base.txt\n");
    files.add("/project/base.txt", "six\n");
    const auto key = [&files](Tool tool) { return environment_key(tool, read(files, tool, "r.txt")); };
    const std::string before = key(Tool::requirements);
    CHECK(before.size() == 64);
    CHECK(key(Tool::requirements) == before);
    CHECK(key(Tool::conda) != before);
    files.add("/project/beside.txt", "x\n");
    CHECK(key(Tool::requirements) == before);
    files.add("/project/.python-version", "3.11\n");
    const std::string asked = key(Tool::requirements);
    CHECK(asked != before);
    files.add("/project/base.txt", "six==1\n");
    CHECK(key(Tool::requirements) != asked);
}
