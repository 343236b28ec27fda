#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/flow/interpolation.hpp"
#include "core/flow/shell_lexer.hpp"
#include "core/flow/shell_lexer_hints.hpp"
#include "core/flow/shell_text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_mistakes = 20;

/// `{{ '{{' }}`: braces that are meant as text, which no shell quoting can do harm to.
bool is_literal_braces(const Expression& expression) {
    const auto value = expression.literal();
    return value && value->is_string() && value->as_string().find_first_not_of("{}") == std::string::npos;
}

}  // namespace

/// Puts references to variables in the place of expressions, or says why not.
class ShellCommand::Compiler {
  public:
    Compiler(const TextTemplate& text, Place at, Diagnostics& diagnostics)
        : text_(text), at_(at), diagnostics_(diagnostics), flat_(text) {}

    std::optional<ShellCommand> run() {
        if (text_.is_plain() && flat_.text().find(k_shell_slot) == std::string::npos) {
            out_.script_ = text_.parts();
            return std::move(out_);
        }
        if (text_.is_spread()) {
            mistake("AMP1212", "'{{ *… }}' stands for several arguments, which only the list form has",
                    "write run = [\"program\", \"{{ *xs }}\"], or join(xs, \" \") for one text");
            return std::nullopt;
        }
        if (static_cast<std::size_t>(std::count(flat_.text().begin(), flat_.text().end(), k_shell_slot)) >
            text_.expressions().size()) {
            mistake("AMP1213", "a script cannot hold a NUL byte", "leave \\u0000 out");
            return std::nullopt;
        }
        const ShellScan scan = scan_shell(flat_.text());
        std::size_t slot = 0;
        for (std::size_t i = 0; i < text_.parts().size() && mistakes_ < k_max_mistakes; ++i) {
            const TextTemplate::Part& part = text_.parts()[i];
            if (const auto* text = std::get_if<std::string>(&part)) {
                plain(*text);
            } else if (slot < scan.slots.size()) {
                expression(i, std::get<Expression>(part), scan.slots[slot++]);
            } else {
                unknown(scan);
                return std::nullopt;
            }
        }
        if (mistakes_ == 0 && scan.problem) {
            unknown(scan);
        }
        return mistakes_ == 0 ? std::optional(std::move(out_)) : std::nullopt;
    }

  private:
    void mistake(std::string code, std::string message, std::string hint, std::optional<Place> place = {}) {
        diagnostics_.error(std::move(code), place.value_or(at_), std::move(message), std::move(hint));
        ++mistakes_;
    }

    void plain(const std::string& text) {
        if (!out_.script_.empty() && std::holds_alternative<std::string>(out_.script_.back())) {
            std::get<std::string>(out_.script_.back()) += text;
        } else {
            out_.script_.emplace_back(text);
        }
    }

    void expression(std::size_t part, const Expression& expression, const ShellSlot& slot) {
        if (expression.is_raw()) {
            out_.script_.emplace_back(expression);
        } else if (slot.is_data()) {
            const bool bare = slot.context == ShellSlot::Context::bare;
            plain(fmt::format("{0}${{{1}}}{0}", bare ? "\"" : "", variable(expression)));
        } else if (is_literal_braces(expression)) {
            plain(expression.literal()->as_string());
        } else {
            const auto& span = text_.spans()[part];
            const WrittenSlot written{text_.source(),
                                      span.begin,
                                      span.end,
                                      flat_.written_offset(slot.begin),
                                      slot.end == 0 ? 0 : flat_.written_offset(slot.end - 1) + 1,
                                      expression.text()};
            ShellMistake found = explain(slot.context, written);
            mistake(std::move(found.code), std::move(found.message), std::move(found.hint),
                    expression.place());
        }
    }

    /// One variable an expression text, with a name that the script does not mention.
    const std::string& variable(const Expression& expression) {
        const auto [known, fresh] = names_.try_emplace(expression.text());
        if (fresh) {
            do {
                known->second = fmt::format("amp_v{}", ++number_);
            } while (taken(known->second));
            out_.variables_.emplace_back(known->second, expression);
        }
        return known->second;
    }

    bool taken(const std::string& name) {
        if (!mentions_) {
            mentions_ = flat_.text().find("amp_v") != std::string::npos;
        }
        return *mentions_ && flat_.text().find(name) != std::string::npos;
    }

    void unknown(const ShellScan& scan) {
        const std::size_t offset = scan.problem ? scan.problem->offset : 0;
        std::string message = scan.problem ? scan.problem->message : "the script cannot be read";
        const std::size_t written = flat_.written_offset(offset);
        const std::string_view rest = std::string_view(text_.source()).substr(written);
        mistake("AMP1211", std::move(message),
                fmt::format("close it, so that it is clear what `{{{{ }}}}` stands in: {}",
                            rest.substr(0, std::min<std::size_t>(rest.find('\n'), 60))));
    }

    const TextTemplate& text_;
    Place at_;
    Diagnostics& diagnostics_;
    ShellText flat_;
    std::map<std::string, std::string> names_;
    std::size_t number_ = 0;
    std::size_t mistakes_ = 0;
    std::optional<bool> mentions_;
    ShellCommand out_;
};

std::optional<ShellCommand> ShellCommand::compile(const TextTemplate& text, Place at,
                                                  Diagnostics& diagnostics) {
    return Compiler(text, at, diagnostics).run();
}

}  // namespace amp
