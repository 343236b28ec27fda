#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/select.hpp"
#include "cli/terminal.hpp"
#include "core/base/value.hpp"

namespace amp {

/// Takes bytes; returns 0, or the errno that says why not. Never throws.
using Sink = std::function<int(std::string_view)>;

/// Writes all of it to a descriptor: short writes, EINTR and EAGAIN are gone through.
Sink descriptor_sink(int fd);

/// Results go to standard output, all else to standard error. When a stream can no longer be written what
/// goes there is dropped, and the work goes on: `failure` says so at the end.
class Output {
  public:
    Output(Sink out, Sink err, Presentation presentation);
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    const Presentation& presentation() const { return presentation_; }
    Style out_style() const { return Style(presentation_.color_out); }
    Style err_style() const { return Style(presentation_.color_err); }

    /// Part of the result, as it is. Buffered until flush().
    void result(std::string_view text);
    /// amp's own words as a result: where the locale is not UTF-8 without what is not ASCII.
    void words(std::string_view text);
    /// From now on a document is what the selection picks of it, a line each.
    void select(Selection selection) { selection_ = std::move(selection); }
    bool selects() const { return selection_.has_value(); }
    /// Before work that ends with such a document: a selection that does not fit is refused now, and never
    /// when the work is done. @throws Error(usage)
    void expect(const Value& sample);
    /// The one JSON document of --json: a line, or indented on a terminal.
    void document(const Value& value);
    /// One JSON document of several, each on a line.
    void line(const Value& value);
    /// amp's own words, where the locale is not UTF-8 without what is not ASCII.
    std::string worded(std::string_view text) const;
    /// For people: a line on standard error, as words() has it.
    void say(std::string_view line);
    /// The same, where others' words are in it, which stay as they are: ours are worded() already.
    void say_worded(std::string_view line);
    /// Bytes for standard error as they are: what redraws a terminal.
    void draw(std::string_view bytes);
    /// From now on lines go by above something that stands at the bottom of the terminal: what is to be
    /// written instead of `text`; of an empty one, so that something else can be written. Empty: nothing
    /// does.
    void set_overlay(std::function<std::string(std::string_view text)> overlay) {
        overlay_ = std::move(overlay);
    }
    void flush();

    bool has_result() const { return has_result_; }
    /// What is printed are documents, one a line: one more does no harm.
    bool prints_lines() const { return prints_lines_; }
    void begin_lines() { prints_lines_ = true; }
    /// Nobody reads the result any more.
    bool gone() const { return out_error_ != 0; }
    /// errno of the first failed write of a result; EPIPE is not one: the reader had enough. 0: none.
    int failure() const;

  private:
    void picked(const Value& value, bool strict);

    Sink out_;
    Sink err_;
    Presentation presentation_;
    std::optional<Selection> selection_;
    bool strict_ = true;  ///< with documents of which the selection picks nothing
    std::function<std::string(std::string_view)> overlay_;
    std::string buffer_;
    int out_error_ = 0;
    bool err_gone_ = false;
    bool has_result_ = false;
    bool prints_lines_ = false;
};

}  // namespace amp
