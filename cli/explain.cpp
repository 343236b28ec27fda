#include "cli/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/documents.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

std::string indented(std::string_view text) {
    std::string out;
    for (const std::string_view line : split(trim(text), '\n')) {
        out += line.empty() ? "\n" : fmt::format("    {}\n", line);
    }
    return out;
}

Value entry_document(const CatalogueEntry& entry) {
    return Object{{"code", entry.code},
                  {"title", entry.title},
                  {"explanation", entry.explanation},
                  {"bad", text_or_null(std::string(entry.bad))},
                  {"mended", text_or_null(std::string(entry.mended))}};
}

Error unknown_code(const std::string& code) {
    // All codes are near to each other: a guess helps only where the number stands, perhaps with letters that
    // look like digits.
    std::string number = code.substr(code.size() > 4 ? code.size() - 4 : 0);
    std::replace_if(
        number.begin(), number.end(), [](char c) { return c == 'o' || c == 'O'; }, '0');
    std::replace_if(
        number.begin(), number.end(), [](char c) { return c == 'l' || c == 'I'; }, '1');
    return {ExitCode::not_found, fmt::format("there is no code '{}'", printable(code)), "",
            find_in_catalogue(number) != nullptr ? fmt::format("did you mean 'AMP{}'?", number)
                                                 : "'amp explain' lists all codes"};
}

void list_codes(Session& session) {
    if (session.common.json) {
        List codes;
        for (const CatalogueEntry& entry : catalogue()) {
            codes.push_back(entry_document(entry));
        }
        session.out.document(Object{{"schema", "amp.codes/1"}, {"codes", std::move(codes)}});
        return;
    }
    for (const CatalogueEntry& entry : catalogue()) {
        session.out.words(fmt::format("{}  {}\n", entry.code, entry.title));
    }
}

}  // namespace

std::string explanation_text(const CatalogueEntry& entry, const Style& style) {
    std::string out =
        fmt::format("{}: {}\n\n{}\n", style.bold(entry.code), entry.title, trim(entry.explanation));
    if (!entry.bad.empty()) {
        out += fmt::format("\n{}\n\n{}", style.bold("With the mistake:"), indented(entry.bad));
    }
    if (!entry.mended.empty()) {
        out += fmt::format("\n{}\n\n{}", style.bold("Mended:"), indented(entry.mended));
    }
    return out;
}

ExitCode execute(Session& session, const ExplainCommand& command) {
    if (command.code.empty()) {
        list_codes(session);
        return ExitCode::ok;
    }
    const CatalogueEntry* entry = find_in_catalogue(command.code);
    if (entry == nullptr) {
        throw unknown_code(command.code);
    }
    if (session.common.json) {
        Object document = entry_document(*entry).as_object();
        document["schema"] = "amp.code/1";
        session.out.document(std::move(document));
    } else {
        session.out.words(explanation_text(*entry, session.out.out_style()));
    }
    return ExitCode::ok;
}

}  // namespace amp
