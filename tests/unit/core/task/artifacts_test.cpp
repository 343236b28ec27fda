// Outputs into the store, and inputs out of it.

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/package/manifest.hpp"
#include "core/store/objects.hpp"
#include "core/task/inputs.hpp"
#include "core/task/outputs.hpp"
#include "tests/support/memory_append_files.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;
namespace fs = std::filesystem;

namespace {

struct Place {
    TempFolder folder;
    MemoryStore store;
    MemoryAppendFiles files;
    PackWriter packs{files, "261120-081530-k3fx", 1};
    TaskSpec spec;

    Place() {
        spec.task = TaskName::parse("a");
        fs::create_directories(folder / "out");
        fs::create_directories(folder / "cwd");
    }
    void write(const std::string& name, const std::string& text) {
        fs::create_directories(fs::path(folder / name).parent_path());
        std::ofstream(folder / name, std::ios::binary) << text;
    }
    void declare(const std::string& name, const std::string& path,
                 TaskOutput::Type type = TaskOutput::Type::automatic, bool optional = false) {
        spec.outputs.push_back({name, path, type, optional});
    }
    CollectedOutputs collect() {
        return collect_outputs(spec, {folder / "out", folder / "cwd", store, packs, {1'793'174'400'000}});
    }
    void lay(const std::vector<TaskInput>& inputs) {
        lay_inputs(inputs, {folder / "in", "", folder / "cache", store, files});
    }
    std::string read(const std::string& name) const {
        std::ifstream file(folder / name, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }
};

}  // namespace

TEST_CASE("an input that was copied into a folder as a link is the file that it shows") {
    Place place;
    place.write("cache/ab/cdef", "content");
    place.write("elsewhere/file", "not an input");
    fs::create_directories(fs::path(place.folder / "out/copy"));
    fs::create_symlink(place.folder / "cache/ab/cdef", place.folder / "out/copy/data");
    const auto collect = [&] {
        OutputPlaces places{place.folder / "out", place.folder / "cwd", place.store, place.packs, {1}};
        places.input_sources = {std::string(place.folder / "cache") + "/"};
        return collect_outputs(place.spec, places);
    };
    place.declare("copy", "copy", TaskOutput::Type::dir);
    const CollectedOutputs found = collect();
    CHECK(found.problems.empty());
    REQUIRE(found.artifacts.count("copy") == 1);
    const Manifest manifest = manifest_from(Objects(place.store).get(found.artifacts.at("copy").sha256));
    REQUIRE(manifest.entries.size() == 1);
    CHECK(manifest.entries[0].kind == ManifestEntry::Kind::file);
    CHECK(manifest.entries[0].size_bytes == 7);

    fs::create_symlink(place.folder / "elsewhere/file", place.folder / "out/copy/other");
    CHECK(collect().problems.size() == 1);
    fs::remove(fs::path(place.folder / "out/copy/other"));
    fs::create_symlink(place.folder / "cache/../elsewhere/file", place.folder / "out/copy/sly");
    CHECK(collect().problems.size() == 1);
}

TEST_CASE("what lies in AMP_OUT becomes artifacts by its name") {
    Place place;
    place.write("out/model", "weights");
    place.write("out/loss.json", "0.25");
    place.write("out/data/a.txt", "a");
    place.write("out/report.html", "not kept");
    place.write("out/.hidden", "not kept, and not worth a word");
    const CollectedOutputs found = place.collect();
    CHECK(found.problems.empty());
    REQUIRE(found.artifacts.size() == 3);
    CHECK(found.artifacts.at("model").kind == Artifact::Kind::file);
    CHECK(found.artifacts.at("model").size_bytes == 7);
    CHECK(found.artifacts.at("loss").value == Value(0.25));
    CHECK(found.artifacts.at("data").kind == Artifact::Kind::folder);
    REQUIRE(found.notes.size() == 1);
    CHECK(found.notes[0].find("report.html") != std::string::npos);
}

TEST_CASE("a file and a value of one name are a mistake that names both") {
    Place place;
    place.write("out/v", "1");
    place.write("out/v.json", "2");
    place.write("out/w.json", "3");
    place.declare("d", "d");
    place.write("out/d", "4");
    place.write("out/d.json", "5");
    place.write("out/model.bin", "6");
    const CollectedOutputs found = place.collect();
    REQUIRE(found.problems.size() == 2);
    CHECK(found.problems[0].find("'d' and 'd.json'") != std::string::npos);
    CHECK(found.problems[1].find("'v' and 'v.json'") != std::string::npos);
    CHECK_FALSE(found.artifacts.contains("v"));
    CHECK(found.artifacts.contains("w"));
}

TEST_CASE("what a user writes as JSON stays what it is") {
    Place place;
    const std::string text = R"({"$file":{"path":"/etc/passwd","size_bytes":1}})";
    place.write("out/v.json", text);
    const Artifact artifact = place.collect().artifacts.at("v");
    REQUIRE(artifact.value);
    CHECK(artifact.value->is_object());
    const Artifact back = artifact_from(json::parse_record(json::dump_record(to_value(artifact))));
    CHECK(json::dump(*back.value) == text);
    place.lay({{"v", back}});
    CHECK(place.read("in/v.json") == text);
    fs::permissions(place.folder / "in", fs::perms::owner_all);
}

TEST_CASE("declared outputs are found where they are declared") {
    Place place;
    place.declare("model", "deep/model.pt", TaskOutput::Type::file);
    place.declare("here", "./result.txt", TaskOutput::Type::text);
    place.declare("metrics", "metrics.json", TaskOutput::Type::metrics);
    place.declare("guess", "guess");
    place.declare("maybe", "maybe", TaskOutput::Type::automatic, true);
    place.write("out/deep/model.pt", "weights");
    place.write("cwd/result.txt", "text");
    place.write("out/metrics.json", R"({"loss": 1, "accuracy": 0.5})");
    place.write("out/guess.json", "[1]");
    const CollectedOutputs found = place.collect();
    CHECK(found.problems.empty());
    CHECK(found.notes.empty());
    REQUIRE(found.artifacts.size() == 4);
    CHECK(found.artifacts.at("here").value == Value("text"));
    CHECK(found.artifacts.at("metrics").value->find("loss")->as_int() == 1);
    CHECK(found.artifacts.at("guess").value->as_list().size() == 1);
}

TEST_CASE("a missing output names itself and what is there instead") {
    Place place;
    place.declare("model", "model.pt");
    CHECK(
        place.collect().problems ==
        std::vector<std::string>{"output 'model' is missing: 'model.pt' was not written; $AMP_OUT is empty"});
    place.write("out/modle.pt", "x");
    CHECK(place.collect().problems ==
          std::vector<std::string>{
              "output 'model' is missing: 'model.pt' was not written; $AMP_OUT holds modle.pt"});
}

TEST_CASE("an output of the wrong kind is a problem") {
    Place place;
    place.declare("folder", "f", TaskOutput::Type::dir);
    place.declare("json", "j.json", TaskOutput::Type::json);
    place.declare("metrics", "m.json", TaskOutput::Type::metrics);
    place.declare("out", "../x", TaskOutput::Type::file);
    place.write("out/f", "a file");
    place.write("out/j.json", "{no");
    place.write("out/m.json", R"({"loss": "low"})");
    const CollectedOutputs found = place.collect();
    CHECK(found.artifacts.empty());
    REQUIRE(found.problems.size() == 4);
    CHECK(found.problems[0] == "output 'folder' ('f') is not a folder");
    CHECK(found.problems[1].find("is no valid JSON") != std::string::npos);
    CHECK(found.problems[2].find("object of numbers") != std::string::npos);
    CHECK(found.problems[3].find("leads out") != std::string::npos);
}

TEST_CASE("values are kept in line, in a pack or as an object, by their size") {
    Place place;
    place.write("out/small.json", json::dump(std::string(4000, 'x')));
    place.write("out/middle.json", json::dump(std::string(60'000, 'x')));
    place.write("out/large.json", json::dump(std::string(70'000, 'x')));
    const auto artifacts = place.collect().artifacts;
    CHECK(artifacts.at("small").value);
    CHECK_FALSE(artifacts.at("middle").value);
    CHECK_FALSE(artifacts.at("middle").pack.empty());
    CHECK(artifacts.at("large").pack.empty());
    CHECK(Objects(place.store).get(artifacts.at("large").sha256).size() == 70'002);

    place.lay({{"x/small", artifacts.at("small")},
               {"x/middle", artifacts.at("middle")},
               {"large", artifacts.at("large")}});
    CHECK(place.read("in/x/small.json").size() == 4002);
    CHECK(place.read("in/x/middle.json").size() == 60'002);
    CHECK(place.read("in/large.json").size() == 70'002);
}

TEST_CASE("files and folders come back as they were, read-only") {
    Place place;
    place.write("out/model", std::string(100'000, 'z'));  // compressed in the store
    place.write("out/tree/bin/tool", "#!/bin/sh\n");
    chmod((place.folder / "out/tree/bin/tool").c_str(), 0755);
    fs::create_directories(place.folder / "out/tree/empty");
    fs::create_symlink("bin/tool", place.folder / "out/tree/link");
    const auto artifacts = place.collect().artifacts;
    CHECK(artifacts.at("tree").size_bytes == 10);
    place.lay({{"train/model", artifacts.at("model")},
               {"model", artifacts.at("model")},
               {"tree", artifacts.at("tree")}});
    CHECK(place.read("in/train/model") == std::string(100'000, 'z'));
    CHECK(place.read("in/model").size() == 100'000);
    CHECK(place.read("in/tree/link") == "#!/bin/sh\n");
    CHECK(fs::is_symlink(place.folder / "in/tree/link"));
    CHECK(fs::is_empty(place.folder / "in/tree/empty"));
    CHECK(access((place.folder / "in/tree/bin/tool").c_str(), X_OK) == 0);
    CHECK((fs::status(place.folder / "in/model").permissions() & fs::perms::owner_write) == fs::perms::none);
    CHECK((fs::status(place.folder / "in/tree").permissions() & fs::perms::owner_write) == fs::perms::none);
    fs::permissions(place.folder / "in", fs::perms::owner_all);
}

TEST_CASE("a value lies in a .json file, whether or not its place says so") {
    Place place;
    place.write("out/v.json", "3");
    const auto artifacts = place.collect().artifacts;
    place.lay({{"a", artifacts.at("v")}, {"b.json", artifacts.at("v")}});
    CHECK(place.read("in/a.json") == "3");
    CHECK(place.read("in/b.json") == "3");
    fs::permissions(place.folder / "in", fs::perms::owner_all);
}

TEST_CASE("the same folder has the same hash, and any change another") {
    Place place;
    place.write("out/a/x", "1");
    place.write("out/b/x", "1");
    place.write("out/c/x", "2");
    const auto artifacts = place.collect().artifacts;
    CHECK(artifacts.at("a").sha256 == artifacts.at("b").sha256);
    CHECK(artifacts.at("a").sha256 != artifacts.at("c").sha256);
}

TEST_CASE("folders that lead out, or hold what cannot be stored, are refused") {
    Place place;
    fs::create_directories(place.folder / "out/a");
    fs::create_symlink("../../etc/passwd", place.folder / "out/a/link");
    fs::create_directories(place.folder / "out/b");
    CHECK(mkfifo((place.folder / "out/b/pipe").c_str(), 0600) == 0);
    const CollectedOutputs found = place.collect();
    CHECK(found.artifacts.empty());
    CHECK(found.problems.size() == 2);
}

TEST_CASE("an input cannot be laid outside, nor when it is gone") {
    Place place;
    const Artifact value{Artifact::Kind::value, Value(1), "", 1, {}, 0};
    CHECK_THROWS_AS(place.lay({{"../x", value}}), Error);
    CHECK_THROWS_AS(place.lay({{"/x", value}}), Error);
    const Artifact gone{Artifact::Kind::file, {}, std::string(64, 'a'), 1, {}, 0};
    CHECK_THROWS_AS(place.lay({{"x", gone}}), Error);
}

TEST_CASE("unpacked objects are kept while they are used") {
    Place place;
    place.write("out/old", std::string(100'000, 'o'));
    place.write("out/young", std::string(100'000, 'y'));
    const auto artifacts = place.collect().artifacts;
    place.lay({{"old", artifacts.at("old")}, {"young", artifacts.at("young")}});
    const auto path = [&](const char* name) {
        const std::string& hash = artifacts.at(name).sha256;
        return place.folder / ("cache/" + hash.substr(0, 2) + "/" + hash.substr(2));
    };
    fs::last_write_time(path("old"), fs::file_time_type::clock::now() - std::chrono::hours(24 * 40));
    prune_cache(place.folder / "cache");
    CHECK_FALSE(fs::exists(path("old")));
    CHECK(fs::exists(path("young")));
    fs::last_write_time(path("young"), fs::file_time_type::clock::now() - std::chrono::hours(24 * 40));
    prune_cache(place.folder / "cache");  // looks once a day
    CHECK(fs::exists(path("young")));
    prune_cache(place.folder / "no-such-cache");
    fs::permissions(place.folder / "in", fs::perms::owner_all);
}

TEST_CASE("a store that cannot be written is no fault of the task") {
    Place place;
    place.write("out/model", "weights");
    place.store.fail_call(1);
    CHECK_THROWS_AS(place.collect(), Error);
}

TEST_CASE("artifact names") {
    CHECK(is_artifact_name("a_1"));
    CHECK(is_artifact_name("_x"));
    for (const char* bad : {"", "1a", "a-b", "a.b", "ä", "a b"}) {
        CHECK_FALSE(is_artifact_name(bad));
    }
}
