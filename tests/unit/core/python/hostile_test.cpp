#include <doctest/doctest.h>

#include <random>
#include <string>

#include "core/python/flow_reader.hpp"
#include "tests/support/cpu_time.hpp"
#include "tests/support/patience.hpp"

// Input that nobody should write: any bytes at all, and flows so large that anything but a linear walk shows.

namespace amp::python {
namespace {

constexpr double k_patience = test::k_linear_seconds / 2;  // sanitizers slow everything

const std::string k_sample = R"x(# coding: utf-8
import metaflow as mf
from metaflow import FlowSpec as FS, step, Parameter

@mf.project(name="demo")
class Flow(Mixin, FS, metaclass=M):
    """Doc."""
    alpha = Parameter("alpha", default=0x1F, type=float)

    @mf.retry(times=3, **more)
    @step
    def start(self, /, *a, b: int = 1, **k) -> None:
        async with x as y, z: pass
        self.a, *self.b = [i for i in (yield) if i := 3], {**d, "k": lambda *v: f"{v!r:>{w}} {{}}"}
        match self.a:
            case {"k": [1, *_], **rest} | C(x=1) if y: pass
            case _: del self.c
        try:
            self.d += rb"\x00" 'a\N{BULLET}'
        except* (E, F) as e: raise X from e
        else: return
        finally: self.helper(inputs)
        self.next({"a": self.b, self.c.d: self.e}, condition="a")

    @step
    def join(self, inputs):
        self.merge_artifacts(inputs, include=["x"])
        for n, i in enumerate(inputs): self.x = max(inputs, key=lambda j: j.s).y + i.z
        self.next(self.end, foreach="x")

if __name__ == "__main__":
    Flow()
)x";

void read(const std::string& text) {
    Diagnostics diagnostics;
    read_python_flow(text, diagnostics);
}

double seconds(const std::string& text) {
    Diagnostics diagnostics;
    const double begin = cpu_seconds();
    const PythonFlow flow = read_python_flow(text, diagnostics);
    const double took = cpu_seconds() - begin;
    CHECK(!diagnostics.has_errors());
    CHECK(flow.found == PythonFlow::Found::one);
    return took;
}

/// `count` two-way splits in a row: each path through it is one of 2^count.
std::string splits(int count) {
    std::string text =
        "from metaflow import FlowSpec, step\nclass F(FlowSpec):\n    @step\n    def start(self):\n        "
        "self.next(self.s0)\n";
    for (int i = 0; i < count; ++i) {
        const std::string n = std::to_string(i);
        const std::string next = i + 1 < count ? "s" + std::to_string(i + 1) : "end";
        text += "    @step\n    def s" + n + "(self):\n        self.x = " + n + "\n        self.next(self.a" +
                n + ", self.b" + n + ")\n";
        for (const char* side : {"a", "b"}) {
            text += std::string("    @step\n    def ") + side + n +
                    "(self):\n        print(self.x)\n        self.next(self.j" + n + ")\n";
        }
        text += "    @step\n    def j" + n +
                "(self, inputs):\n        self.merge_artifacts(inputs)\n        self.next(self." + next +
                ")\n";
    }
    return text + "    @step\n    def end(self):\n        pass\n\nif __name__ == '__main__':\n    F()\n";
}

}  // namespace

TEST_CASE("any bytes") {
    std::mt19937 random(20261130);
    for (int round = 0; round < 3'000; ++round) {
        std::string text;
        const std::size_t length = random() % 200;
        for (std::size_t i = 0; i < length; ++i) {
            text.push_back(static_cast<char>(random() % 256));
        }
        read(text);
    }
}

TEST_CASE("any characters that Python uses") {
    const std::string characters = "()[]{}:;,.=+-*/%@&|^~<>!\\'\"#\n\r\t \f_abfrux019jelfidwm";
    std::mt19937 random(7);
    for (int round = 0; round < 5'000; ++round) {
        std::string text;
        const std::size_t length = random() % 120;
        for (std::size_t i = 0; i < length; ++i) {
            text.push_back(characters[random() % characters.size()]);
        }
        read(text);
    }
}

TEST_CASE("a flow that is cut anywhere") {
    for (std::size_t length = 0; length < k_sample.size(); ++length) {
        read(k_sample.substr(0, length));
        read(k_sample.substr(length));
    }
}

TEST_CASE("a flow with a few other characters") {
    const std::string characters = "()[]{}:;,.=*@'\"\n\t f#\\";
    std::mt19937 random(11);
    for (int round = 0; round < 4'000; ++round) {
        std::string text = k_sample;
        for (std::size_t change = random() % 4 + 1; change > 0; --change) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = characters[random() % characters.size()];
                    break;
                case 1:
                    text.erase(at, random() % 30 + 1);
                    break;
                default:
                    text.insert(at, text.substr(random() % text.size(), random() % 30));
            }
        }
        read(text);
    }
}

TEST_CASE("twenty splits in a row take no time") {
    const std::string text = splits(20);
    seconds(text);
    CHECK(seconds(text) < 0.005 * k_patience);
}

TEST_CASE("ten thousand steps take less than a second") {
    CHECK(seconds(splits(2'500)) < 1.0 * k_patience);
}

TEST_CASE("large files of one kind are read in linear time") {
    const std::string head =
        "from metaflow import *\nclass F(FlowSpec):\n    @step\n    def start(self):\n        pass\n";
    const auto repeated = [&](auto part, int times) {
        std::string out = head;
        for (int i = 0; i < times; ++i) {
            out += part(std::to_string(i));
        }
        return out;
    };
    const auto check = [&](const char* what, auto part) {
        const double some = seconds(repeated(part, 2'000));
        const double many = seconds(repeated(part, 16'000));
        CHECK_MESSAGE(many < 40 * some + 0.05, what);  // eight times as much
    };
    using Text = const std::string&;
    check("artifacts", [](Text n) { return "        self.a" + n + " = 1\n"; });
    check("conditions", [](Text n) {
        return "        if x:\n            self.a" + n + " = 1\n        else:\n            self.a" + n +
               " = 2\n";
    });
    check("exits", [](Text n) { return "        self.a" + n + " = 1\n        if x: return\n"; });
    check("breaks", [](Text n) {
        return "        while True:\n            self.a" + n + " = 1\n            if x: break\n";
    });
    check("tries", [](Text n) {
        return "        try:\n            self.a" + n + " = 1\n        except E:\n            pass\n";
    });
    check("comprehensions", [](Text n) { return "        x" + n + " = [i.a for i in inputs]\n"; });
    check("transitions", [](Text n) { return "        self.next(self.a" + n + ")\n"; });
    check("decorated methods", [](Text n) { return "    @retry\n    def m" + n + "(self): self.m0()\n"; });
    check("parameters", [](Text n) { return "    p" + n + " = Parameter('p" + n + "')\n"; });
    check("classes", [](Text n) { return "class A" + n + "(B): pass\n"; });
    check("matches", [](Text n) { return "        match x:\n            case " + n + ": pass\n"; });
}

TEST_CASE("long chains of bases, names and braces end") {
    std::string chain = "from metaflow import *\nclass A0(FlowSpec): pass\n";
    for (int i = 1; i < 3'000; ++i) {
        chain += "class A" + std::to_string(i) + "(A" + std::to_string(i - 1) + "): pass\n";
    }
    const double begin = cpu_seconds();
    read(chain);
    read("x = " + std::string(100'000, '('));
    read("match " + std::string(100'000, 'x') + "\n");
    std::string matches;
    for (int i = 0; i < 20'000; ++i) {
        matches += "match ";
    }
    read(matches);
    std::string fstrings;
    for (int i = 0; i < 50'000; ++i) {
        fstrings += "f'{";
    }
    read(fstrings);
    CHECK(cpu_seconds() - begin < 2 * k_patience);
}

}  // namespace amp::python
