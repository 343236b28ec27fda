#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/value.hpp"

namespace amp {

/// A stretch of a source file. Lines and columns from 1, columns in bytes; line 0: the file as a whole.
struct Place {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::uint32_t length = 1;  ///< of the caret line
    bool operator==(const Place&) const = default;
};

/// One finding about a flow. `code` ("AMP1203") is listed in core/flow/catalogue with its explanation.
struct Diagnostic {
    enum class Severity { error, warning };
    std::string code;
    Severity severity = Severity::error;
    std::string message;  ///< one sentence, lower case, no full stop, quoting the offending value
    Place place;
    std::string hint;  ///< one thing to do; may be empty
    std::string file;  ///< empty: the flow file itself
    bool operator==(const Diagnostic&) const = default;
};

/// Collects findings; never stops at the first. The same one is told once: many steps may have it from
/// [defaults]. More than 1,000 are counted, not kept.
class Diagnostics {
  public:
    void error(std::string code, Place place, std::string message, std::string hint = {});
    void warning(std::string code, Place place, std::string message, std::string hint = {});
    void add(Diagnostic diagnostic);

    bool has_errors() const { return errors_ > 0; }
    std::size_t error_count() const { return errors_; }
    std::size_t dropped() const { return dropped_; }
    /// Ordered by file, place and code.
    std::vector<Diagnostic> sorted() const;

  private:
    std::vector<Diagnostic> list_;
    std::multimap<std::pair<std::uint32_t, std::uint32_t>, std::size_t> by_place_;  ///< those of the list
    std::size_t errors_ = 0;
    std::size_t dropped_ = 0;
};

/// `error[AMP1203]: …`, `  --> file:line:col`, the line with a caret, `help: …`, `see: amp explain AMP1203`.
/// Plain text; untrusted bytes made visible; long lines cut around the caret.
std::string render(const Diagnostic& diagnostic, std::string_view file, std::string_view source);
/// {code, severity, message, file, line, column, end_column, excerpt, hint}.
Value to_value(const Diagnostic& diagnostic, std::string_view file, std::string_view source);

}  // namespace amp
