#include "backends/system/system_clock.hpp"

#include <chrono>

namespace amp {

Timestamp SystemClock::now() {
    using namespace std::chrono;
    return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

double SystemClock::steady_seconds() {
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace amp
