#include "cli/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "core/base/json.hpp"

namespace amp {
namespace {

constexpr std::size_t k_buffer_bytes = std::size_t{64} << 10;

struct Plainer {
    std::string_view sign;
    std::string_view ascii;
};
/// The signs in amp's own words that are not ASCII.
constexpr std::array<Plainer, 8> k_plainer = {
    {{"…", "..."}, {"→", "->"}, {"←", "<-"}, {"⁹", "^9"}, {"³⁰", "^30"}, {"·", "-"}, {"×", "x"}, {"–", "-"}}};

std::string in_ascii(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        std::size_t taken = 1;
        std::string_view put = text.substr(0, 1);
        if (static_cast<unsigned char>(text.front()) >= 0x80) {
            for (const Plainer& p : k_plainer) {
                if (text.starts_with(p.sign)) {
                    taken = p.sign.size();
                    put = p.ascii;
                }
            }
        }
        out += put;
        text.remove_prefix(taken);
    }
    return out;
}

}  // namespace

Sink descriptor_sink(int fd) {
    return [fd](std::string_view text) {
        while (!text.empty()) {
            const ssize_t written = ::write(fd, text.data(), text.size());
            if (written >= 0) {
                text.remove_prefix(static_cast<std::size_t>(written));
            } else if (errno == EAGAIN) {
                pollfd ready{fd, POLLOUT, 0};
                ::poll(&ready, 1, -1);
            } else if (errno != EINTR) {
                return errno;
            }
        }
        return 0;
    };
}

Output::Output(Sink out, Sink err, Presentation presentation)
    : out_(std::move(out)), err_(std::move(err)), presentation_(presentation) {}

Output::~Output() {
    flush();
}

void Output::result(std::string_view text) {
    has_result_ = has_result_ || !text.empty();
    if (gone()) {
        return;
    }
    buffer_ += text;
    if (buffer_.size() >= k_buffer_bytes) {
        flush();
    }
}

void Output::words(std::string_view text) {
    result(worded(text));
}

void Output::document(const Value& value) {
    if (selection_) {
        picked(value, strict_);
        return;
    }
    result(presentation_.out_is_tty ? json::dump_pretty(value) : json::dump(value));
    result("\n");
}

void Output::line(const Value& value) {
    prints_lines_ = true;
    if (selection_) {
        picked(value, false);
    } else {
        result(json::dump(value) + "\n");
    }
}

void Output::expect(const Value& sample) {
    if (selection_) {
        selection_->pick(sample, true, [](const Value&) {});
        strict_ = false;
    }
}

void Output::picked(const Value& value, bool strict) {
    selection_->pick(value, strict, [this](const Value& found) { result(plain_value(found) + "\n"); });
}

std::string Output::worded(std::string_view text) const {
    return presentation_.unicode ? std::string(text) : in_ascii(text);
}

void Output::say(std::string_view line) {
    say_worded(worded(line));
}

void Output::say_worded(std::string_view line) {
    flush();
    const std::string text = std::string(line) + "\n";
    draw(overlay_ ? overlay_(text) : text);
}

void Output::draw(std::string_view bytes) {
    if (!err_gone_ && !bytes.empty()) {
        err_gone_ = err_(bytes) != 0;
    }
}

void Output::flush() {
    if (!buffer_.empty() && !gone()) {
        if (overlay_ && presentation_.out_is_tty) {
            draw(overlay_(""));
        }
        out_error_ = out_(buffer_);
    }
    buffer_.clear();
}

int Output::failure() const {
    return out_error_ == EPIPE ? 0 : out_error_;
}

}  // namespace amp
