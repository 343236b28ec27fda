#pragma once

#include <ucontext.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace amp::test {

/// Several actors in one thread that take turns: each runs until it calls `pause`, then one by chance goes
/// on. The same seed gives the same order. Can be used many times over: stacks are made once.
class Fibers {
  public:
    Fibers();
    Fibers(const Fibers&) = delete;
    Fibers& operator=(const Fibers&) = delete;

    void add(std::function<void()> actor);
    /// Runs all that were added to their ends and forgets them; rethrows the first thing thrown.
    void run(std::uint64_t seed);
    /// Called by an actor: somebody else may go on now.
    void pause();

  private:
    struct Fiber {
        ucontext_t context{};
        void* sanitizer = nullptr;  ///< what the thread sanitizer knows it by
        std::vector<char> stack;
        std::function<void()> actor;
        bool done = false;
    };
    static void enter(unsigned high, unsigned low);
    static void change(Fiber& from, Fiber& to);

    std::vector<std::unique_ptr<Fiber>> fibers_;
    std::vector<std::unique_ptr<Fiber>> spare_;
    Fiber* current_ = nullptr;
    Fiber main_;
    std::exception_ptr failure_;
};

}  // namespace amp::test
