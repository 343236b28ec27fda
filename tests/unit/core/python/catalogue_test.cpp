#include "core/flow/catalogue.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "core/python/flow_reader.hpp"
#include "core/python/validate_flow.hpp"

// The codes of Python flows: the others are run by tests/unit/core/flow/catalogue_test.cpp.

namespace amp::python {
namespace {

std::set<std::string> codes(const Diagnostics& diagnostics) {
    std::set<std::string> out;
    for (const Diagnostic& one : diagnostics.sorted()) {
        out.insert(one.code);
    }
    return out;
}

std::set<std::string> codes(std::string_view text) {
    Diagnostics diagnostics;
    read_python_flow(text, diagnostics);
    return codes(diagnostics);
}

/// With the rules of flows as well, which need a file that is Python.
std::set<std::string> validated(std::string_view text) {
    Diagnostics diagnostics;
    const PythonFlow flow = read_python_flow(text, diagnostics);
    if (!diagnostics.has_errors()) {
        validate_flow(flow, diagnostics);
    }
    return codes(diagnostics);
}

}  // namespace

TEST_CASE("every bad example of Python reports its code and nothing else, every mended one nothing") {
    std::size_t examples = 0;
    for (const CatalogueEntry& entry : catalogue()) {
        if (!entry.code.starts_with("AMP3")) {
            continue;
        }
        ++examples;
        CAPTURE(entry.code);
        CHECK_FALSE(entry.title.empty());
        CHECK(entry.explanation.size() > 20);
        CHECK(validated(entry.bad) == std::set<std::string>{std::string(entry.code)});
        const bool whole_flow = entry.code >= "AMP3004";  // the others mend the file alone
        CHECK((whole_flow ? validated(entry.mended) : codes(entry.mended)).empty());
    }
    CHECK(examples > 0);
}

TEST_CASE("files that are no text") {
    CHECK(codes(std::string("a = 1\0", 6)) == std::set<std::string>{"AMP1004"});
    CHECK(codes("a = '\xff'") == std::set<std::string>{"AMP1004"});
    CHECK(codes(std::string((8 << 20) + 1, '#')) == std::set<std::string>{"AMP1003"});
    CHECK(codes("# coding: latin-1\na = 1\n").empty());
    CHECK(codes("# coding: latin-1\na = '\xC3\xA9'\n") == std::set<std::string>{"AMP3002"});
    CHECK(codes("#!/usr/bin/python3\n# vim: set fileencoding=cp1252 :\na = '\xC3\xA9'\n") ==
          std::set<std::string>{"AMP3002"});
    CHECK(codes("# coding: utf8\na = '\xC3\xA9'\n").empty());
    CHECK(codes("a = 1\n# coding: koi8-r\n").empty());
    CHECK(codes("a = '# coding: koi8-r'\n").empty());
    CHECK(codes("\xef\xbb\xbf# coding: koi8-r\n") == std::set<std::string>{"AMP3002"});

    Diagnostics diagnostics;
    read_python_flow("a = 1\nb = 'x\xffy'\n", diagnostics);
    CHECK(diagnostics.sorted().front().place == Place{2, 7, 1});
}

}  // namespace amp::python
