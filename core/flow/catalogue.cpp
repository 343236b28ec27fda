#include "core/flow/catalogue.hpp"

#include <algorithm>
#include <vector>

#include "core/base/text.hpp"
#include "core/flow/catalogue_parts.hpp"

namespace amp {

std::span<const CatalogueEntry> catalogue() {
    static const std::vector<CatalogueEntry> all = [] {
        std::vector<CatalogueEntry> entries;
        for (const auto part :
             {catalogue_parts::form(), catalogue_parts::expressions(), catalogue_parts::interpolation(),
              catalogue_parts::graph(), catalogue_parts::references(), catalogue_parts::artifacts(),
              catalogue_parts::parameters(), catalogue_parts::requests(), catalogue_parts::subflows(),
              catalogue_parts::settings(), catalogue_parts::python(), catalogue_parts::python_flow()}) {
            entries.insert(entries.end(), part.begin(), part.end());
        }
        return entries;
    }();
    return all;
}

const CatalogueEntry* find_in_catalogue(std::string_view code) {
    const std::string wanted = lower(trim(code));
    const auto all = catalogue();
    const auto it = std::find_if(all.begin(), all.end(), [&](const CatalogueEntry& entry) {
        const std::string own = lower(entry.code);
        return own == wanted || own.substr(3) == wanted;
    });
    return it == all.end() ? nullptr : &*it;
}

}  // namespace amp
