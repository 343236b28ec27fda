#include "backends/local/report_reader.hpp"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <set>
#include <string_view>

#include "backends/system/system_clock.hpp"

namespace amp {
namespace {

constexpr double k_pause_s = 0.1;
constexpr std::uint32_t k_changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO;

}  // namespace

ReportReader::ReportReader(EventLoop& loop, PackWriter& packs)
    : loop_(loop), packs_(packs), events_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (events_) {
        loop_.watch(events_.get(), EPOLLIN, [this](std::uint32_t) { heard(); });
    }
}

ReportReader::~ReportReader() {
    if (events_) {
        loop_.forget(events_.get());
    }
}

void ReportReader::watch(TaskRun& run) {
    Place& place = places_[run.scratch->folder()];
    place.run = &run;
    if (place.made == run.scratch->made() || !events_) {
        return;
    }
    const int id = inotify_add_watch(events_.get(), run.scratch->folder().c_str(), k_changes | IN_ONLYDIR);
    if (id >= 0) {
        watches_[id] = &place;
        place.made = run.scratch->made();
    }
}

void ReportReader::let_go(TaskRun& run) {
    if (run.scratch) {
        if (const auto place = places_.find(run.scratch->folder()); place != places_.end()) {
            place->second.run = nullptr;
        }
    }
    loop_.cancel(std::exchange(run.report_timer, 0));
    loop_.cancel(std::exchange(run.report_write_timer, 0));
}

// Whatever comes within the next moment waits in the kernel, where equal events become one.
void ReportReader::heard() {
    take_events();
    loop_.change(events_.get(), 0);
    pause_ = loop_.after(k_pause_s, [this] { loop_.change(events_.get(), EPOLLIN); });
}

void ReportReader::take_events() {
    std::set<TaskRun*> told_by;
    alignas(inotify_event) std::array<char, 16384> buffer{};
    for (ssize_t size = 0; (size = ::read(events_.get(), buffer.data(), buffer.size())) > 0;) {
        for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* name = buffer.data() + at + sizeof event;
            at += sizeof event + event.len;
            const auto watch = watches_.find(event.wd);
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                for (const auto& [folder, place] : places_) {
                    told_by.insert(place.run);
                }
            } else if ((event.mask & IN_IGNORED) != 0) {
                watches_.erase(event.wd);
            } else if (watch != watches_.end() && event.len > 0 && std::string_view(name) == "report") {
                told_by.insert(watch->second->run);
            }
        }
    }
    told_by.erase(nullptr);
    for (TaskRun* run : told_by) {
        told(*run);
    }
}

void ReportReader::told(TaskRun& run) {
    run.heard_at = loop_.now();
    if (run.report_timer == 0) {
        read(run);
    }
}

void ReportReader::read(TaskRun& run) {
    ReportFile& report = report_of(run, packs_);
    const bool more = report.read_some(SystemClock().now());
    if (more) {  // others first
        run.report_timer = loop_.after(0, [this, &run] {
            run.report_timer = 0;
            read(run);
        });
    }
    write_soon(loop_, run);
}

void write_soon(EventLoop& loop, TaskRun& run) {
    ReportRecorder& recorder = run.report->recorder();
    if (recorder.has_pending() && run.report_write_timer == 0) {
        run.report_write_timer = loop.after(recorder.patience(), [&run] {
            run.report_write_timer = 0;
            run.report->recorder().write_pending(SystemClock().now());
        });
    }
}

}  // namespace amp
