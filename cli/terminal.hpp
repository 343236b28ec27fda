#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "cli/common.hpp"

namespace amp {

using Environment = std::map<std::string, std::string, std::less<>>;

/// What is known of the place that a stream goes to.
struct TerminalFacts {
    bool out_is_tty = false;
    bool err_is_tty = false;
    std::size_t columns = 0;    ///< of the terminal; 0: unknown
    bool in_ipykernel = false;  ///< a Jupyter kernel started us
};

/// How to print, decided once.
struct Presentation {
    bool color_out = false;
    bool color_err = false;
    bool out_is_tty = false;
    bool unicode = false;
    bool ci = false;        ///< a machine follows: heartbeats instead of frequent progress
    std::size_t width = 0;  ///< tables are cut to it; 0: never
    /// How a run is told while it goes on.
    enum class Progress { lines, live, notebook } progress = Progress::lines;
    std::size_t forced_width = 0;  ///< that AMP_FORCE_TTY names
};

/// A cell of a notebook: its terminal knows neither cursor moves nor questions.
bool is_notebook(const Environment& environment, bool in_ipykernel);

/// --color=always|never first; then NO_COLOR; then CLICOLOR_FORCE and FORCE_COLOR; then TERM=dumb and
/// CLICOLOR=0; then whether the stream is a terminal. AMP_FORCE_TTY[=COLUMNS] makes both streams terminals.
Presentation decide_presentation(ColorMode mode, const Environment& environment, const TerminalFacts& facts);

/// Text with and without colour. Colour is never the only signal.
class Style {
  public:
    explicit Style(bool color = false) : color_(color) {}
    std::string bold(std::string_view text) const { return paint("1", text); }
    std::string faint(std::string_view text) const { return paint("2", text); }
    std::string red(std::string_view text) const { return paint("31", text); }
    std::string green(std::string_view text) const { return paint("32", text); }
    std::string yellow(std::string_view text) const { return paint("33", text); }
    std::string cyan(std::string_view text) const { return paint("36", text); }
    /// `text` in the colour of a task's or run's state.
    std::string state(std::string_view state, std::string_view text) const;
    bool color() const { return color_; }

  private:
    std::string paint(std::string_view code, std::string_view text) const;
    bool color_;
};

/// What a task wrote, for a terminal: colours (SGR) and carriage returns pass, all else that steers a
/// terminal becomes visible.
std::string safe_for_terminal(std::string_view text);

}  // namespace amp
