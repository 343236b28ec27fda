#include "backends/local/output_reader.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "backends/system/system_clock.hpp"

namespace amp {
namespace {

constexpr std::size_t k_read = std::size_t{256} << 10;
constexpr ssize_t k_small_pipe = ssize_t{64} << 10;  // as the kernel makes them
constexpr int k_large_pipe = 1 << 20;
constexpr int k_last_reads = 8;  // a pipe holds less; a flooding grandchild gets no more

}  // namespace

OutputReader::OutputReader(EventLoop& loop, PackWriter& packs)
    : loop_(loop), packs_(packs), buffer_(k_read, '\0') {}

void OutputReader::watch(TaskRun& run) {
    for (TaskProcess& process : run.processes) {
        if (process.output) {
            TaskProcess* its = &process;
            loop_.watch(process.output.get(), EPOLLIN,
                        [this, &run, its](std::uint32_t) { heard(run, *its); });
        }
    }
}

OutputReader::Read OutputReader::read_once(TaskRun& run, TaskProcess& process) {
    const ssize_t n = read(process.output.get(), buffer_.data(), buffer_.size());
    if (n == 0) {
        return Read::end;
    }
    if (n < 0) {
        return errno == EINTR || errno == EAGAIN ? Read::nothing : Read::end;
    }
    if (n == k_small_pipe) {  // it writes faster than we are woken; refused where the user has too many pipes
        fcntl(process.output.get(), F_SETPIPE_SZ, k_large_pipe);
    }
    const std::string_view bytes = std::string_view(buffer_).substr(0, static_cast<std::size_t>(n));
    log_of(run, process, packs_);
    if (process.masker) {
        masked_.clear();
        process.masker->add(bytes, masked_);
        keep(process, masked_);
    } else {
        keep(process, bytes);
    }
    return Read::some;
}

void OutputReader::keep(TaskProcess& process, std::string_view bytes) {
    process.log->add(bytes, SystemClock().now());
    if (echo_) {
        echo_(bytes);
    }
}

void OutputReader::heard(TaskRun& run, TaskProcess& process) {
    run.heard_at = loop_.now();
    if (read_once(run, process) == Read::end) {
        let_go(process);  // it closed its streams and may run on
    }
    const bool waits =
        process.log && (process.log->has_pending() || (process.masker && process.masker->holds()));
    if (waits && process.log_timer == 0) {
        process.log_timer = loop_.after(process.log->patience(), [this, its = &process] {
            its->log_timer = 0;
            if (its->masker) {
                masked_.clear();
                its->masker->pause(masked_);
                keep(*its, masked_);
            }
            its->log->write_pending(SystemClock().now());
        });
    }
}

void OutputReader::let_go(TaskProcess& process) {
    if (process.output) {
        loop_.forget(process.output.get());
        process.output.reset();
    }
}

void OutputReader::finish(TaskRun& run) {
    for (TaskProcess& process : run.processes) {
        finish(run, process);
    }
    name_logs(run);
}

void OutputReader::finish(TaskRun& run, TaskProcess& process) {
    for (int i = 0; i < k_last_reads && process.output && read_once(run, process) == Read::some; ++i) {
    }
    let_go(process);
    loop_.cancel(process.log_timer);
    process.log_timer = 0;
    if (process.log && process.masker) {
        masked_.clear();
        process.masker->finish(masked_);
        keep(process, masked_);
    }
    if (process.log) {
        process.log->finish(SystemClock().now());
    }
}

}  // namespace amp
