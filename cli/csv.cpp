#include "cli/csv.hpp"

#include "core/base/text.hpp"

namespace amp {

std::string csv_cell(const std::string& text, bool at_terminal) {
    std::string shown = at_terminal ? printable(text) : text;
    if (shown.find_first_of(",\"\r\n") == std::string::npos) {
        return shown;
    }
    std::string out = "\"";
    for (const char c : shown) {
        out += c == '"' ? "\"\"" : std::string(1, c);
    }
    return out + "\"";
}

}  // namespace amp
