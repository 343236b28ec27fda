#include "backends/local/output_reader.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "backends/system/system_clock.hpp"

namespace amp {
namespace {

constexpr std::size_t k_read = std::size_t{256} << 10;
constexpr int k_last_reads = 8;  // a pipe holds less; a flooding grandchild gets no more

}  // namespace

OutputReader::OutputReader(EventLoop& loop, PackWriter& packs)
    : loop_(loop), packs_(packs), buffer_(k_read, '\0') {}

void OutputReader::watch(TaskRun& run) {
    loop_.watch(run.output.get(), EPOLLIN, [this, &run](std::uint32_t) { heard(run); });
}

OutputReader::Read OutputReader::read_once(TaskRun& run) {
    const ssize_t n = read(run.output.get(), buffer_.data(), buffer_.size());
    if (n == 0) {
        return Read::end;
    }
    if (n < 0) {
        return errno == EINTR || errno == EAGAIN ? Read::nothing : Read::end;
    }
    if (!run.log) {
        run.log = std::make_unique<LogRecorder>(packs_, run.id.task, run.id.attempt, run.spec.log_head_bytes,
                                                run.spec.log_tail_bytes);
    }
    run.log->add(std::string_view(buffer_).substr(0, static_cast<std::size_t>(n)), SystemClock().now());
    return Read::some;
}

void OutputReader::heard(TaskRun& run) {
    if (read_once(run) == Read::end) {
        let_go(run);  // it closed its streams and may run on
    }
    if (run.log && run.log->has_pending() && run.log_timer == 0) {
        run.log_timer = loop_.after(run.log->patience(), [&run] {
            run.log_timer = 0;
            run.log->write_pending(SystemClock().now());
        });
    }
}

void OutputReader::let_go(TaskRun& run) {
    if (run.output) {
        loop_.forget(run.output.get());
        run.output.reset();
    }
}

void OutputReader::finish(TaskRun& run) {
    for (int i = 0; i < k_last_reads && run.output && read_once(run) == Read::some; ++i) {
    }
    let_go(run);
    loop_.cancel(run.log_timer);
    run.log_timer = 0;
    if (run.log) {
        run.log->finish(SystemClock().now());
        run.result.log = run.log->pieces();
        run.result.log_bytes = run.log->total_bytes();
        run.result.log_dropped_bytes = run.log->dropped_bytes();
    }
}

}  // namespace amp
