#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP3004 to AMP3016: the steps of a flow in Python and their order.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 13> k_entries = {{
    {"AMP3004", "which class is the flow is not clear",
     "A flow is a class made of FlowSpec. Where the file has several, it says which one it is about by "
     "starting it: if __name__ == \"__main__\": DemoFlow().",
     R"x(from metaflow import step


class DemoFlow:
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3005", "a flow without a first or a last step",
     "The first step is called 'start', or is marked @step(start=True); the last one 'end', or "
     "@step(end=True). There is one of each. A flow of one step needs no name: it is both.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.finish)

    @step
    def finish(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3006", "a name that a step cannot have",
     "Steps are called by small letters, digits and underscores, not with an underscore first. 'name', "
     "'next', 'input', 'index' and 'cmd' are something else in every flow.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.trainModel)

    @step
    def trainModel(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.train_model)

    @step
    def train_model(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3007", "arguments that a step cannot have",
     "A step takes self; one that joins takes the steps that it joins as well: def join(self, inputs). A "
     "join cannot split at once, and the last step cannot join.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self, inputs, more):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3008", "a step that does not end with its self.next",
     "The last statement of each step but the last one is self.next(...), by itself: which steps there are "
     "and where they lead is read from the source. A self.next anywhere else does not count. To choose when "
     "it runs, there is self.next({...}, condition=...).",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        if self.small:
            self.next(self.end)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3009", "a self.next in a form that there is not",
     "self.next(self.a), self.next(self.a, self.b), self.next(self.a, foreach=\"items\"), self.next(self.a, "
     "num_parallel=4) and self.next({\"x\": self.a, \"y\": self.b}, condition=\"choice\") are all the forms. "
     "What foreach and condition take is the name of an artifact, as text.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next("end")

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3010", "a step that does not exist is next",
     "self.next names a method that is no step of the flow. The message tells the nearest name.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.edn)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3011", "a way to the first step, or from the last one",
     "Nothing leads to the first step, and the last one leads nowhere: it has no self.next.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        self.next(self.start)
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3012", "steps in a circle",
     "These steps would never end. The message shows one way round. To do a step again and again, let it "
     "choose between itself and the next one by self.next({...}, condition=...).",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.a)

    @step
    def a(self):
        self.next(self.b)

    @step
    def b(self):
        self.next(self.a)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.a)

    @step
    def a(self):
        self.next(self.b)

    @step
    def b(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3013", "a step that is never reached",
     "No way from the first step leads there, so it would never run.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def extra(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3014", "a split and a join that do not match",
     "What a split, a foreach or num_parallel opens is joined by one step that takes inputs, to which all of "
     "its branches come, before the end and before the split around it is joined. Each branch has a step of "
     "its own.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)

    @step
    def a(self):
        self.next(self.join)

    @step
    def b(self):
        self.next(self.join)

    @step
    def join(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)

    @step
    def a(self):
        self.next(self.join)

    @step
    def b(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3015", "a choice with fewer than two cases",
     "self.next({...}, condition=...) chooses between steps. With one case there is nothing to choose.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.mode = "a"
        self.next({"a": self.end}, condition="mode")

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3016", "num_parallel and @parallel that do not go together",
     "A step that is entered with num_parallel is decorated with @parallel, a @parallel step is entered in "
     "no other way, and the step after it joins.",
     R"x(from metaflow import FlowSpec, parallel, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=2)

    @step
    def train(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, parallel, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=2)

    @parallel
    @step
    def train(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> python_flow() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
