#pragma once

#include <span>
#include <string_view>

namespace amp {

/// What `amp explain` tells of one diagnostic: each code that is reported has an entry, and each entry's
/// examples are run by a test.
struct CatalogueEntry {
    std::string_view code;         ///< "AMP1203"
    std::string_view title;        ///< a few words, lower case
    std::string_view explanation;  ///< some sentences
    std::string_view bad;          ///< a whole file that has this mistake
    std::string_view mended;       ///< the same without it
};
// Of AMP2xxx the examples are amp.toml, of AMP3xxx flow.py, else flow.toml. A first line `# amp run -p x=1`
// says how the flow is run, for codes about what a run is given.

/// All of them, by code.
std::span<const CatalogueEntry> catalogue();
/// "AMP1203", "amp1203" or "1203"; nullptr when there is none.
const CatalogueEntry* find_in_catalogue(std::string_view code);

}  // namespace amp
