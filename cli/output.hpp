#pragma once

#include <functional>
#include <string>
#include <string_view>

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
    /// The one JSON document of --json: a line, or indented on a terminal.
    void document(const Value& value);
    /// For people: a line on standard error.
    void say(std::string_view line);
    void flush();

    bool has_result() const { return has_result_; }
    /// Nobody reads the result any more.
    bool gone() const { return out_error_ != 0; }
    /// errno of the first failed write of a result; EPIPE is not one: the reader had enough. 0: none.
    int failure() const;

  private:
    Sink out_;
    Sink err_;
    Presentation presentation_;
    std::string buffer_;
    int out_error_ = 0;
    bool err_gone_ = false;
    bool has_result_ = false;
};

}  // namespace amp
