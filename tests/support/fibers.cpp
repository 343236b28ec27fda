#include "tests/support/fibers.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace amp::test {
namespace {

constexpr std::size_t k_stack = std::size_t{256} << 10;

// The thread sanitizer keeps a stack of calls for each fiber: it must be told who runs.
#ifdef __SANITIZE_THREAD__
void* sanitizer_self() {
    return __tsan_get_current_fiber();
}
void* sanitizer_create() {
    return __tsan_create_fiber(0);
}
void sanitizer_switch(void* to) {
    __tsan_switch_to_fiber(to, 0);
}
void sanitizer_destroy(void* fiber) {
    __tsan_destroy_fiber(fiber);
}
#else
void* sanitizer_self() {
    return nullptr;
}
void* sanitizer_create() {
    return nullptr;
}
void sanitizer_switch(void* /*to*/) {}
void sanitizer_destroy(void* /*fiber*/) {}
#endif

}  // namespace

Fibers::Fibers() {
    main_.sanitizer = sanitizer_self();
}

void Fibers::change(Fiber& from, Fiber& to) {
    sanitizer_switch(to.sanitizer);
    swapcontext(&from.context, &to.context);
}

void Fibers::enter(unsigned high, unsigned low) {
    auto* self = reinterpret_cast<Fibers*>(static_cast<std::uintptr_t>(high) << 32 | low);
    try {
        self->current_->actor();
    } catch (...) {
        self->failure_ = self->failure_ ? self->failure_ : std::current_exception();
    }
    self->current_->done = true;
    change(*self->current_, self->main_);
}

void Fibers::add(std::function<void()> actor) {
    if (spare_.empty()) {
        spare_.push_back(std::make_unique<Fiber>());
        spare_.back()->stack.resize(k_stack);
    }
    std::unique_ptr<Fiber> fiber = std::move(spare_.back());
    spare_.pop_back();
    fiber->done = false;
    fiber->sanitizer = sanitizer_create();
    fiber->actor = std::move(actor);
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack.data();
    fiber->context.uc_stack.ss_size = fiber->stack.size();
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&fiber->context, reinterpret_cast<void (*)()>(&Fibers::enter), 2,
                static_cast<unsigned>(self >> 32), static_cast<unsigned>(self & 0xFFFFFFFFU));
    fibers_.push_back(std::move(fiber));
}

void Fibers::run(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (;;) {
        std::vector<Fiber*> alive;
        for (const auto& fiber : fibers_) {
            if (!fiber->done) {
                alive.push_back(fiber.get());
            }
        }
        if (alive.empty()) {
            break;
        }
        current_ = alive[random() % alive.size()];
        change(main_, *current_);
    }
    for (const auto& fiber : fibers_) {
        sanitizer_destroy(fiber->sanitizer);
    }
    std::move(fibers_.begin(), fibers_.end(), std::back_inserter(spare_));
    fibers_.clear();
    if (failure_) {
        std::rethrow_exception(std::exchange(failure_, nullptr));
    }
}

void Fibers::pause() {
    change(*current_, main_);
}

}  // namespace amp::test
