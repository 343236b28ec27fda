#pragma once

#include <vector>

#include "core/python/classes.hpp"

namespace amp::python {

/// The classes that the file calls when it is run as a program, in the order of the calls, each once: under
/// `if __name__ == "__main__":` or at the top level, also by way of a function of the file (`main()`).
std::vector<std::size_t> started_classes(const Names& names, const Classes& classes);

}  // namespace amp::python
