#pragma once

#include <string>

#include "cli/output.hpp"
#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/python/python_flow.hpp"
#include "core/run/services.hpp"

namespace amp {

/// `amp validate flow.py`: what reading finds in a flow in Python. Nothing of the file is run.
struct CheckedPython {
    std::string path;
    std::string source;
    python::PythonFlow flow;
    Diagnostics diagnostics;
};
/// @throws Error(not_found)
CheckedPython check_python(Services& services, const std::string& path);

void tell(Output& out, const CheckedPython& checked, bool quiet);
/// One of `flows` of schema amp.validation/1.
Value document_of(const CheckedPython& checked);

}  // namespace amp
