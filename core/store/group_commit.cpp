#include "core/store/group_commit.hpp"

#include <chrono>
#include <system_error>

#include "core/base/error.hpp"

namespace amp {
namespace {

/// How long records wait for company. With the sync itself this stays below the promised 50 ms.
constexpr std::chrono::milliseconds k_gather{20};

}  // namespace

GroupCommit::GroupCommit(Segment first, Replace replace, Mark mark, std::function<void()> before_sync)
    : replace_(std::move(replace)),
      mark_(std::move(mark)),
      before_sync_(std::move(before_sync)),
      file_(std::move(first.file)),
      header_(std::move(first.header)),
      file_length_(file_->size()),
      file_synced_(file_length_ - header_.size()),
      written_(header_.empty() ? 0 : 1) {
    try {
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
        throw Error::system("start", "a thread that writes", error.code().value());
    }
}

GroupCommit::~GroupCommit() {
    {
        const std::scoped_lock lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
    const std::string mark = fatal_ ? std::string() : next_mark();
    if (!mark.empty()) {
        try {
            file_->append(mark);
        } catch (const Error&) {
            // It only says what is true without it.
        }
    }
}

void GroupCommit::write(std::string_view bytes) {
    if (bytes.empty()) {
        return;
    }
    const std::scoped_lock lock(mutex_);
    throw_if_fatal();
    std::string marked = next_mark();
    if (!marked.empty()) {
        marks_.emplace_back(tail_.size(), marked.size());
        marked += bytes;
        bytes = marked;
    }
    tail_ += bytes;
    written_ += bytes.size();
    try {
        file_->append(bytes);
        file_length_ += bytes.size();
    } catch (const Error&) {
        recover(std::current_exception());
        throw_if_fatal();
    }
    wake_.notify_one();
}

void GroupCommit::barrier() {
    Lock lock(mutex_);
    const std::uint64_t target = written_;
    urgent_ = durable_ < target;
    wake_.notify_one();
    done_.wait(lock, [&] { return fatal_ || durable_ >= target; });
    throw_if_fatal();
}

void GroupCommit::roll() {
    barrier();
    const std::scoped_lock lock(mutex_);
    throw_if_fatal();
    try {
        switch_file();
    } catch (...) {
        fatal_ = std::current_exception();
        throw;
    }
    wake_.notify_one();
}

std::uint64_t GroupCommit::length() const {
    const std::scoped_lock lock(mutex_);
    return file_length_;
}

bool GroupCommit::degraded() const {
    const std::scoped_lock lock(mutex_);
    return degraded_;
}

void GroupCommit::run() {
    Lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stop_ || dirty(); });
        if (!dirty()) {
            return;
        }
        wake_.wait_for(lock, k_gather, [&] { return stop_ || urgent_; });
        sync_once(lock);
    }
}

void GroupCommit::sync_once(Lock& lock) {
    urgent_ = false;
    const std::shared_ptr<AppendFile> file = file_;
    const std::uint64_t generation = generation_;
    const std::uint64_t length = file_length_;
    const std::uint64_t written = written_;
    std::exception_ptr failure;
    bool ours = false;
    lock.unlock();
    try {
        if (before_sync_) {
            before_sync_();
        }
        ours = true;
        file->sync();
    } catch (...) {
        failure = std::current_exception();
    }
    lock.lock();
    if (failure && !ours) {
        fatal_ = failure;
    } else if (generation != generation_) {
        // A failed write has replaced the file meanwhile, and all that was not synced lies in the new one.
        urgent_ = true;
    } else if (failure) {
        recover(failure);
        urgent_ = true;
    } else {
        confirm(length, written);
    }
    done_.notify_all();
}

void GroupCommit::confirm(std::uint64_t file_length, std::uint64_t written) {
    const std::uint64_t records = file_length - file_synced_ - header_.size();
    hash_.update(header_);
    hash_.update(std::string_view(tail_).substr(0, records));
    header_.clear();
    tail_.erase(0, records);
    std::erase_if(marks_, [&](const auto& mark) { return mark.first < records; });
    for (auto& mark : marks_) {
        mark.first -= records;
    }
    file_synced_ = confirmed_ = file_length;
    durable_ = written;
}

void GroupCommit::recover(const std::exception_ptr& failure) {
    if (degraded_ || !replace_) {
        fatal_ = failure;
    } else {
        degraded_ = true;
        try {
            switch_file();
        } catch (...) {
            fatal_ = std::current_exception();
        }
    }
    done_.notify_all();
}

void GroupCommit::switch_file() {
    const Closed closed{file_synced_, file_synced_ == 0 ? std::string() : hash_.hex()};
    take_marks_off_tail();
    Segment next = replace_(closed, tail_);
    file_ = std::move(next.file);
    header_ = std::move(next.header);
    hash_ = Sha256();
    file_length_ = file_->size();
    file_synced_ = confirmed_ = marked_ = 0;
    ++generation_;
    ++written_;  // the header, which a barrier covers too
}

/// What the next write begins with: empty when there is nothing new to say.
std::string GroupCommit::next_mark() {
    if (confirmed_ <= marked_) {
        return {};
    }
    marked_ = confirmed_;
    return mark_(confirmed_);
}

void GroupCommit::take_marks_off_tail() {
    for (auto mark = marks_.rbegin(); mark != marks_.rend(); ++mark) {
        tail_.erase(mark->first, mark->second);
    }
    marks_.clear();
}

void GroupCommit::throw_if_fatal() const {
    if (fatal_) {
        std::rethrow_exception(fatal_);
    }
}

}  // namespace amp
