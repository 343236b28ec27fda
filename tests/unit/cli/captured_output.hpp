#pragma once

#include <memory>
#include <string>

#include "cli/output.hpp"

namespace amp::test {

/// An Output whose streams are strings.
struct CapturedOutput {
    explicit CapturedOutput(Presentation presentation = {})
        : output(
              [this](std::string_view text) {
                  out += text;
                  return out_error;
              },
              [this](std::string_view text) {
                  err += text;
                  return err_error;
              },
              presentation) {}

    std::string out;
    std::string err;
    int out_error = 0;
    int err_error = 0;
    Output output;
};

}  // namespace amp::test
