#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backends/local/engine_calls.hpp"
#include "backends/local/task_run.hpp"
#include "core/task/container_order.hpp"

namespace amp {

/// What tasks find at the same places in their containers, beside their own folders.
struct ContainerPlaces {
    std::string run;
    std::string project;        ///< writable, as without a container
    std::string objects;        ///< of the store: inputs may lead there
    std::string cache;          ///< so they may here
    std::string socket;         ///< empty: there is no keeper
    std::string python_folder;  ///< empty: none
    std::string amp;            ///< the program
    std::string folder;         ///< of ours, for what is told to containers
};

/// The containers of running tasks. A process of such a task is the client of an engine, which runs `amp
/// container-init` in the image: that does what the keeper does for other tasks, and tells it how the command
/// ended. So a container ends with its task, and with the keeper; the engine removes what has ended.
class Containers {
  public:
    Containers(EventLoop& loop, ContainerPlaces places);

    void set_socket(std::string path) { places_.socket = std::move(path); }

    /// Of the client that runs `order` in the container of a process.
    struct Client {
        std::string program;
        std::vector<std::string> words;
    };
    /// @param gpus that the process sees
    /// @throws Error when there is no engine, or no room for what the container is told
    Client prepare(TaskRun& run, TaskProcess& process, ContainerOrder order,
                   const std::vector<std::string>& gpus);
    const BaseEnvironment& client_environment() const { return calls_.environment(); }

    /// TERM to its commands; one that has not begun yet does not. The client is left alone, or the engine
    /// might make what nobody knows of any more.
    static void ask_to_end(const TaskRun& run);
    /// KILL to all of it that runs.
    void kill(TaskRun& run);
    /// The first process of a container, as it is called here; 0: none runs, or it cannot be seen.
    static pid_t first_process(const TaskProcess& process);
    /// A client has ended: how the command did, and what it used.
    void read_end(TaskRun& run, TaskProcess& process) const;
    /// All clients have ended: looks at what became of the containers, and removes them. `then` is called
    /// when nothing of them is left.
    void clear(TaskRun& run, std::function<void()> then);

  private:
    std::vector<ContainerMount> mounts_of(const TaskRun& run, const std::string& folder) const;
    ContainerRequest request_of(const TaskRun& run, const TaskProcess& process) const;
    void remove(TaskRun& run, int tries, std::function<void()> then);

    EventLoop& loop_;
    ContainerPlaces places_;
    EngineCalls calls_;
    bool amp_is_static_;
};

inline bool is_contained(const TaskRun& run) {
    return run.processes.front().container != nullptr;
}

}  // namespace amp
