// Prints the trees that amp reads from Python files, one a line, in the text that python_trees.py makes of
// CPython's own: `python_tree FILE...`. A file with a mistake: `!LINE:COLUMN: MESSAGE`.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "core/python/parser.hpp"
#include "tests/support/python_dump.hpp"

int main(int count, char** arguments) {
    using namespace amp::python;
    for (int i = 1; i < count; ++i) {
        std::ifstream in(arguments[i], std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        const SourceText source(text);
        const ParsedFile file = parse(source);
        std::string line;
        if (file.error) {
            const amp::Place at = source.place(file.error->begin, file.error->end);
            line =
                "!" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + file.error->message;
        } else {
            line = dump_tree(source, file.tree);
        }
        std::puts(line.c_str());
    }
    return 0;
}
