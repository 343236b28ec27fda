#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP3001 to AMP3003: files that are no Python. The examples are flow.py, and run by
// tests/unit/core/python.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 3> k_entries = {{
    {"AMP3001", "the file is no valid Python",
     "The file breaks the rules of Python's grammar, as python3 itself would tell when it is run. The first "
     "mistake is told. What any Python from 3.8 to 3.13 can read is fine here, whichever runs the flow.",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.rows = load("rows.csv"
        self.next(self.end)

    @step
    def end(self):
        pass
)x",
     R"x(from metaflow import FlowSpec, step


class DemoFlow(FlowSpec):
    @step
    def start(self):
        self.rows = load("rows.csv")
        self.next(self.end)

    @step
    def end(self):
        pass
)x"},
    {"AMP3002", "the file is not in UTF-8",
     "A comment in one of the first two lines says that the file is in another encoding. Files are read as "
     "UTF-8 here, so save it as that and remove the comment. (A file that has nothing but ASCII is read "
     "whatever the comment says.)",
     R"x(# -*- coding: shift_jis -*-
from metaflow import FlowSpec, step
)x",
     R"x(from metaflow import FlowSpec, step
)x"},
    {"AMP3003", "Python code that is nested too deeply",
     "Brackets may nest 200 levels deep, blocks 100, as in Python itself; operators and calls in a row may "
     "be some hundred. What is deeper is made by a program: load it from a file of its own.",
     R"x(x = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1
)x",
     R"x(x = ((1))
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> python() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
