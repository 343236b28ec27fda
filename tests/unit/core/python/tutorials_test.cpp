#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>

#include "core/python/flow_reader.hpp"
#include "core/python/validate_flow.hpp"

// Whole flows, in the manner of the tutorials that people start from: every shape of graph. Each is read, and
// told again as a text of a line a step.

namespace amp::python {
namespace {

std::string kind(Transition::Kind kind) {
    constexpr std::array<const char*, 7> k_words = {"ends",     "goes to", "splits to", "foreach",
                                                    "parallel", "switch",  "invalid"};
    return k_words[static_cast<std::size_t>(kind)];
}

std::string list(const char* word, const std::vector<Access>& accesses) {
    std::string out;
    for (const Access& one : accesses) {
        out += (out.empty() ? fmt::format("; {} ", word) : " ") + one.name;
    }
    return out;
}

/// @param right and nothing is wrong with it
std::string told(std::string_view text, bool right = true) {
    Diagnostics diagnostics;
    const PythonFlow flow = read_python_flow(text, diagnostics);
    Diagnostics judged;
    validate_flow(flow, judged);
    CHECK(judged.sorted().empty() == right);
    std::string out = flow.name + (flow.complete() ? "" : " (ask Python)") + "\n";
    for (const Diagnostic& one : diagnostics.sorted()) {
        out += "!" + one.message + "\n";
    }
    for (const PythonStep& step : flow.steps) {
        const Transition& next = step.transition();
        out += step.name + (step.is_join() ? " joins, " : " ") + kind(next.kind);
        for (const auto& target : next.targets) {
            out += " " + target.name;
        }
        out += next.foreach ? " over " + *next.foreach->as_text() : "";
        out += next.num_parallel ? " times " + next.num_parallel->source : "";
        out += next.condition ? " by " + *next.condition->as_text() : "";
        const Dataflow& flow_of_step = step.dataflow;
        out += list("sets", flow_of_step.sets) + list("may set", flow_of_step.may_set) +
               list("reads", flow_of_step.reads);
        for (const InputRead& one : flow_of_step.inputs) {
            out += fmt::format("; input {}.{}", one.step.empty() ? "*" : one.step, one.name);
        }
        for (const MergeCall& merge : flow_of_step.merges) {
            out += merge.include ? "; merges some" : merge.exclude ? "; merges all but some" : "; merges";
        }
        out += "\n";
    }
    return out;
}

}  // namespace

TEST_CASE("a line of steps with a parameter") {
    CHECK(told(R"x("""Prints a greeting."""
from metaflow import FlowSpec, Parameter, step


class HelloFlow(FlowSpec):
    """
    Says hello.

    Run it with --name.
    """

    name_of = Parameter("name", help="whom to greet", default="you")

    @step
    def start(self):
        """Every flow starts here."""
        print("starting")
        self.next(self.hello)

    @step
    def hello(self):
        self.message = "hello %s" % self.name_of
        print(self.message)
        self.next(self.end)

    @step
    def end(self):
        print(self.message)


if __name__ == "__main__":
    HelloFlow()
)x") == "HelloFlow\n"
        "start goes to hello\n"
        "hello goes to end; sets message\n"
        "end ends; reads message\n");
}

TEST_CASE("a file, a static split, a join that merges") {
    CHECK(told(R"x(
from metaflow import FlowSpec, IncludeFile, step, retry, catch

def script_path(filename):
    import os
    return os.path.join(os.path.dirname(__file__), filename)

class StatsFlow(FlowSpec):
    table = IncludeFile("table", help="rows", default="rows.csv")

    @retry(times=2)
    @step
    def start(self):
        import pandas
        from io import StringIO
        self.dataframe = pandas.read_csv(StringIO(self.table))
        self.genres = {g for row in self.dataframe["genres"].values for g in row.split("|")}
        self.next(self.bonus, self.mean)

    @catch(var="failure")
    @step
    def bonus(self):
        selector = self.dataframe.apply(lambda row: row["x"] in self.genres, axis=1)
        self.extra = self.dataframe[selector]
        self.next(self.join)

    @step
    def mean(self):
        if len(self.genres) > 3:
            self.value = 1
        else:
            self.value = sum(len(g) for g in self.genres)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.value = inputs.mean.value
        self.extra = inputs.bonus.extra
        self.merge_artifacts(inputs, include=["dataframe"])
        self.next(self.end)

    @step
    def end(self):
        print(self.value, self.extra, self.dataframe)

if __name__ == "__main__":
    StatsFlow()
)x") == "StatsFlow\n"
        "start splits to bonus mean; sets dataframe genres\n"
        "bonus goes to join; sets extra; reads dataframe genres\n"
        "mean goes to join; sets value; reads genres\n"
        "join joins, goes to end; sets value extra; input mean.value; input bonus.extra; merges some\n"
        "end ends; reads value extra dataframe\n");
}

TEST_CASE("a foreach in a foreach") {
    CHECK(told(R"x(
import metaflow as mf

class Grid(mf.FlowSpec):
    @mf.step
    def start(self):
        self.models = ["a", "b"]
        self.next(self.each_model, foreach="models")

    @mf.step
    def each_model(self):
        self.model = self.input
        self.rates = [0.1, 0.2]
        self.next(self.train, foreach="rates")

    @mf.resources(cpu=2, memory=4 * 1024)
    @mf.step
    def train(self):
        self.rate = self.input
        try:
            self.score = fit(self.model, self.rate)
        except ValueError:
            self.score = None
        self.next(self.best_rate)

    @mf.step
    def best_rate(self, inputs):
        best = max(inputs, key=lambda i: i.score)
        self.model, self.score = best.model, best.score
        self.next(self.best_model)

    @mf.step
    def best_model(self, inputs):
        self.scores = {i.model: i.score for i in inputs}
        self.next(self.end)

    @mf.step
    def end(self):
        print(self.scores)

if __name__ == "__main__":
    Grid()
)x") == "Grid\n"
        "start foreach each_model over models; sets models\n"
        "each_model foreach train over rates; sets model rates\n"
        "train goes to best_rate; sets rate score; reads model\n"
        "best_rate joins, goes to best_model; sets model score; input *.score; input *.model\n"
        "best_model joins, goes to end; sets scores; input *.model; input *.score\n"
        "end ends; reads scores\n");
}

TEST_CASE("a gang") {
    CHECK(told(R"x(
from metaflow import FlowSpec, step, parallel, torchrun, current, batch, project, schedule

@schedule(daily=True)
@project(name="llm")
class Gang(FlowSpec):
    @step
    def start(self):
        self.nodes = 4
        self.next(self.train, num_parallel=self.nodes)

    @batch(image="x/y:1", gpu=8, memory=64000)
    @torchrun(nproc_per_node=8)
    @parallel
    @step
    def train(self):
        current.torch.run(entrypoint="train.py", entrypoint_args={"epochs": 3})
        self.loss = current.parallel.node_index
        self.next(self.join)

    @step
    def join(self, inputs):
        self.losses = [i.loss for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Gang()
)x") == "Gang\n"
        "start parallel train times self.nodes; sets nodes\n"
        "train goes to join; sets loss\n"
        "join joins, goes to end; sets losses; input *.loss\n"
        "end ends\n");
}

TEST_CASE("a switch with a loop") {
    CHECK(told(R"x(
from metaflow import FlowSpec, step

class Agent(FlowSpec):
    @step
    def start(self):
        self.rounds = 0
        self.next(self.think)

    @step
    def think(self):
        self.rounds += 1
        self.state = "done" if self.rounds > 3 else "again"
        self.next({"again": self.think, "done": self.end}, condition="state")

    @step
    def end(self):
        print(self.rounds)

if __name__ == "__main__":
    Agent()
)x") == "Agent\n"
        "start goes to think; sets rounds\n"
        "think switch think end by state; sets rounds state; reads rounds\n"
        "end ends; reads rounds\n");
}

TEST_CASE("steps of a base, helpers, a card, a config") {
    CHECK(told(R"x(
from metaflow import FlowSpec, step, card, current, Config, config_expr, pypi, secrets, environment
from metaflow.cards import Markdown

class Loading:
    def load(self, where):
        self.rows = read(where)
        self.log(len(self.rows))

    def log(self, n):
        self.seen = getattr(self, "seen", 0) + n

class BaseFlow(FlowSpec):
    config = Config("config", default="config.json")

    @secrets(sources=["db"])
    @environment(vars={"MODE": "fast"})
    @step
    def start(self):
        self.load(self.config.path)
        self.next(self.report)

    @step
    def end(self):
        pass

class ReportFlow(Loading, BaseFlow):
    @card(type="blank")
    @pypi(python="3.11", packages={"pandas": "2.1.1"})
    @step
    def report(self):
        current.card.append(Markdown(f"# {len(self.rows)} rows, {self.seen} seen"))
        self.next(self.end)

if __name__ == "__main__":
    ReportFlow()
)x") == "ReportFlow\n"
        "start goes to report; sets rows seen\n"
        "end ends\n"
        "report goes to end; reads rows seen\n");
}

TEST_CASE("mistakes are recorded, not judged") {
    CHECK(told(R"x(
from metaflow import FlowSpec, step

class Wrong(FlowSpec):
    @step
    def start(self):
        if self.x:
            self.next(self.a)
        else:
            self.next(self.b)

    @step
    def a(self):
        self.next(self.missing, foreach="xs", num_parallel=2)

    @step
    def end(self, inputs):
        self.next(self.start)
)x",
               false) ==
          "Wrong\n"
          "start ends; reads x\n"
          "a invalid missing over xs times 2; reads xs\n"
          "end joins, goes to start\n");
}

}  // namespace amp::python
