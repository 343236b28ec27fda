// Results that are taken over are put into the store as objects: what when it fails meanwhile.

#include <doctest/doctest.h>

#include <set>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/layout.hpp"
#include "core/store/packs.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Taken"
[step.make]
foreach = "range(3)"
run = "make {{ item }}"
outputs = { x = { path = "x.json", type = "json" } }
[step.use]
needs = "make"
join = true
run = "use"
)toml";

/// `make` makes values that lie in a pack, each its own.
struct Stage {
    Stage() : world(k_flow) {
        world.script = [this](const TaskSpec& spec) {
            if (spec.task.step == "use") {
                return succeed();
            }
            const std::string text = json::dump(Value(spec.task.text() + std::string(5000, 'x')));
            PackWriter packs(world.append_files, "261120-081530-k3fx", ++packs_);
            const LogPiece piece = packs.append(spec.task, 1, "value", text, Timestamp{1000});
            packs.sync();
            return succeed_with(
                {{"x",
                  Artifact{
                      Artifact::Kind::value, {}, piece.sha256, piece.length, piece.pack, piece.offset}}});
        };
        REQUIRE(world.start().state == RunState::succeeded);
        world.forget_what_ran();
        options.only = {"use"};
        options.origin = world.view().run;
    }
    /// Of what is recorded, that which would be gone after a power cut now.
    std::set<std::string> dangling() {
        std::set<std::string> out;
        const std::set<std::string> pending = world.store->pending();
        for (const TaskView& task : world.view().tasks) {
            for (const auto& [name, artifact] : task.artifacts) {
                for (const bool packed : {false, true}) {
                    if (pending.contains(layout::object(artifact.sha256, packed))) {
                        out.insert(task.name.text());
                    }
                }
            }
        }
        return out;
    }

    FakeWorld world;
    StartOptions options;

  private:
    std::uint32_t packs_ = 0;
};

}  // namespace

TEST_CASE("a store that fails while results are taken over ends the run, and nothing dangles") {
    for (const ExitCode code : {ExitCode::store_full, ExitCode::infrastructure}) {
        bool fails = true;
        for (std::size_t n = 1; fails; ++n) {
            CAPTURE(n);
            Stage stage;
            FakeWorld& world = stage.world;
            world.store->fail_call(n, code);
            try {
                const RunOutcome outcome = world.start(stage.options);
                CHECK(outcome.state ==
                      RunState::succeeded);  // it was none that matters, or there were no more
                fails = world.store->failed();
            } catch (const Error& error) {
                CHECK(error.code() == code);
            }
            world.store->fail_call(1'000'000);
            CHECK(stage.dangling().empty());
            if (world.view().run != stage.options.origin) {
                CHECK(world.view().state != "failed");
                CHECK(world.resume().state == RunState::succeeded);
            }
            CHECK(stage.dangling().empty());
        }
    }
}
