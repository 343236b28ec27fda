#pragma once

#include <poll.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backends/local/local_backend.hpp"
#include "backends/system/directory_store.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/local_append_files.hpp"
#include "core/store/packs.hpp"

namespace amp::test {

/// A store in a folder of its own, removed at the end.
class TemporaryStore {
  public:
    TemporaryStore();
    ~TemporaryStore();
    TemporaryStore(const TemporaryStore&) = delete;
    TemporaryStore& operator=(const TemporaryStore&) = delete;

    const std::string& root() const { return root_; }
    std::string folder() const { return root_ + "/store"; }
    DirectoryStore& objects() { return *objects_; }
    LocalAppendFiles& files() { return *files_; }

  private:
    std::string root_;
    std::unique_ptr<DirectoryStore> objects_;
    std::unique_ptr<LocalAppendFiles> files_;
};

inline constexpr const char* k_run = "261120-081530-k3fx";

/// Options of a backend whose keeper is a fork of the test.
LocalBackendOptions options_for(TemporaryStore& store, std::uint32_t epoch = 1);

/// A task of one shell command.
TaskSpec shell_task(const std::string& step, const std::string& script, std::uint32_t attempt = 1);

/// What a backend has said, in order.
struct Seen {
    std::vector<BackendEvent> all;
    std::map<AttemptId, AttemptResult> ended;
    std::map<AttemptId, AttemptStarted> started;
    std::vector<std::string> lost;  ///< reasons of BackendLost
    std::vector<std::string> cancel_asked;
    std::vector<AttemptQueued> queued;
    std::vector<std::string> notes;

    const AttemptResult& result(const std::string& step, std::uint32_t attempt = 1) const;
    bool has_ended(const std::string& step, std::uint32_t attempt = 1) const;
    bool has_started(const std::string& step, std::uint32_t attempt = 1) const;
};

/// Takes events until `enough` says so; fails the test after `seconds`.
void watch(Backend& backend, Seen& seen, const std::function<bool()>& enough, double seconds = 10);
/// Takes events until so many have ended.
void watch_ends(Backend& backend, Seen& seen, std::size_t ends, double seconds = 10);

/// The whole log of an attempt.
std::string log_of(TemporaryStore& store, const AttemptResult& result);
/// True when a process with this token lives.
bool token_lives(const std::string& token);
/// Waits until the file is there (a task's sign); fails the test after some seconds.
void wait_for_file(const std::string& path);
std::string read_file(const std::string& path);

}  // namespace amp::test
