#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/unique_fd.hpp"

namespace amp {

/// The file of a tool that people name as they type it, by $PATH.
/// @param cwd where relative parts of $PATH begin
/// @throws Error(not_found) with what to do
std::string installed_program(const std::string& name, const std::string& cwd);

/// What exec wants of words, while these live.
std::vector<char*> exec_words(const std::vector<std::string>& words);

/// What a program is started with: amp's own environment, no other descriptor of ours, a process group of its
/// own (so that a terminal's Ctrl-C is for us alone), and no signal blocked or ignored.
struct ChildRequest {
    const std::string& program;  ///< its file
    const std::vector<std::string>& words;
    int input = -1;        ///< becomes stdin; -1: /dev/null
    int output;            ///< becomes stdout
    int error;             ///< becomes stderr
    std::string cwd = {};  ///< empty: ours
};

/// A started program until it has ended; never leaves a zombie or a running group behind.
class Child {
  public:
    /// @throws Error(infrastructure) when it cannot be started
    explicit Child(const ChildRequest& request);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Readable when it has ended; -1 on kernels without (before 5.3).
    int pidfd() const { return pidfd_.get(); }
    /// As waitpid gives it, once it has ended.
    int status() const { return status_; }
    void kill_group() const;
    /// @param wait until it has
    bool has_ended(bool wait);

  private:
    pid_t pid_ = -1;
    int status_ = -1;  // neither exited nor killed: what it is when someone else took the child's end
    UniqueFd pidfd_;
};

}  // namespace amp
