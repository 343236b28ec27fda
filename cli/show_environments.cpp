#include "cli/show_environments.hpp"

#include "cli/documents.hpp"

namespace amp {

List environments_document(const Value& record) {
    List out;
    for (const auto& [name, entry] : get_object(record, "environments")) {
        List carried;
        for (const auto& [profile, packages] : get_object(entry, "carried")) {
            carried.emplace_back(Object{{"profile", profile}, {"for", get_string(packages, "for")}});
        }
        out.emplace_back(Object{{"tool", get_string(entry, "tool")},
                                {"file", get_string(entry, "file")},
                                {"key", get_string(entry, "key")},
                                {"python", text_or_null(get_string(entry, "python"))},
                                {"carried", std::move(carried)}});
    }
    return out;
}

}  // namespace amp
