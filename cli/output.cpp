#include "cli/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/base/json.hpp"

namespace amp {
namespace {

constexpr std::size_t k_buffer_bytes = std::size_t{64} << 10;

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

void Output::document(const Value& value) {
    result(presentation_.out_is_tty ? json::dump_pretty(value) : json::dump(value));
    result("\n");
}

void Output::say(std::string_view line) {
    flush();
    if (!err_gone_) {
        err_gone_ = err_(std::string(line) + "\n") != 0;
    }
}

void Output::flush() {
    if (!buffer_.empty() && !gone()) {
        out_error_ = out_(buffer_);
    }
    buffer_.clear();
}

int Output::failure() const {
    return out_error_ == EPIPE ? 0 : out_error_;
}

}  // namespace amp
