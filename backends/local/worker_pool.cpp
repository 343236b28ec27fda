#include "backends/local/worker_pool.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr std::size_t k_threads = 2;
constexpr std::size_t k_group = 64;

}  // namespace

WorkerPool::WorkerPool(EventLoop& loop, std::function<void()> sync)
    : loop_(loop), sync_(std::move(sync)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) {
        throw Error::system("create", "an eventfd", errno);
    }
    loop_.watch(wake_.get(), EPOLLIN, [this](std::uint32_t) { collect(); });
}

WorkerPool::~WorkerPool() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        waiting_.clear();
    }
    more_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    loop_.forget(wake_.get());
}

// The threads inherit a mask that blocks all signals, so that those of the process reach the loop alone.
void WorkerPool::start() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    try {
        while (threads_.size() < k_threads) {
            threads_.emplace_back([this] { run(); });
        }
    } catch (const std::system_error&) {  // too many threads: those that there are do it
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void WorkerPool::add(Job job) {
    if (threads_.empty()) {
        start();
    }
    ++busy_;
    if (threads_.empty()) {
        std::vector<Job> alone;
        alone.push_back(std::move(job));
        work_off(std::move(alone));
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(job));
    }
    more_.notify_one();
}

// Half of what waits: the other thread takes the other half.
std::vector<WorkerPool::Job> WorkerPool::next_group() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    std::vector<Job> group;
    const std::size_t share = std::min(k_group, (waiting_.size() + k_threads - 1) / k_threads);
    for (std::size_t i = 0; i < share; ++i) {
        group.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return group;
}

void WorkerPool::run() {
    while (true) {
        std::vector<Job> group = next_group();
        if (group.empty()) {
            return;
        }
        work_off(std::move(group));
    }
}

void WorkerPool::work_off(std::vector<Job> group) {
    for (const Job& job : group) {
        job.work();
    }
    std::string failure;
    try {
        sync_();
    } catch (const Error& error) {
        failure = error.message();
    }
    {
        const std::lock_guard lock(mutex_);
        for (Job& job : group) {
            finished_.emplace_back([done = std::move(job.done), failure] { done(failure); });
        }
    }
    const std::uint64_t one = 1;
    while (write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {  // full means awake already
    }
}

void WorkerPool::collect() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = read(wake_.get(), &count, sizeof count);
    std::vector<std::function<void()>> finished;
    {
        const std::lock_guard lock(mutex_);
        finished.swap(finished_);
    }
    for (const auto& done : finished) {
        --busy_;
        done();
    }
}

}  // namespace amp
