#include "cli/standard_input.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/error.hpp"

namespace amp {

std::string read_standard_input() {
    std::string out;
    std::array<char, 65536> buffer{};
    while (true) {
        const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (size == 0) {
            return out;
        }
        if (size < 0 && errno != EINTR) {
            throw Error::system("read", "standard input", errno);
        }
        out.append(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    }
}

}  // namespace amp
