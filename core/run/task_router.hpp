#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/backend.hpp"
#include "core/ports/clock.hpp"
#include "core/task/slots.hpp"

namespace amp {

class TaskRouter;

/// The slots of one machine that all runs of a tree share.
class TreeSlots {
  public:
    explicit TreeSlots(SlotLimits limits) : queue_(limits), workers_(limits.workers) {}
    /// Lets start what fits; the routers have it from then on (flush_taken).
    void hand_out(double now);

  private:
    friend class TaskRouter;
    SlotQueue queue_;
    std::size_t workers_;
    std::map<std::string, TaskRouter*> routers_;  ///< by run
};

/// A run's backend, with what the engine's loop has beside it: children, whose events come in between; and
/// slots that are shared with other runs, so that the backend gets only what may start at once.
class TaskRouter : public Backend {
  public:
    struct Questions {
        std::function<void(const AttemptId&)> end_child;  ///< asked to end a child: cancel, or kill
        /// What an adopted attempt takes of this machine; nullopt: it runs elsewhere.
        std::function<std::optional<Resources>(const AttemptId&)> need_of;
    };
    /// @param slots nullptr: the backend has its own
    TaskRouter(std::string run, std::unique_ptr<Backend> real, TreeSlots* slots, Clock& clock,
               Questions questions);
    ~TaskRouter() override;
    TaskRouter(const TaskRouter&) = delete;
    TaskRouter& operator=(const TaskRouter&) = delete;

    Capacity capacity() override { return real_->capacity(); }
    std::size_t window() override;
    Adoption adopt() override;
    void open() override { real_->open(); }
    void submit(std::span<const TaskSpec> specs) override;
    void cancel(std::span<const AttemptId> attempts) override;
    void kill(std::span<const AttemptId> attempts) override;
    void go_on() override { real_->go_on(); }
    void answer(const SpawnAnswer& answer) override { real_->answer(answer); }
    int event_fd() override { return real_->event_fd(); }
    std::vector<BackendEvent> events() override;
    void close() override { real_->close(); }

    /// This attempt is a child's from now on, until its AttemptEnded is told.
    void add_child(const AttemptId& id) { children_.insert(id); }
    /// An event of a child, for the next events().
    void tell(BackendEvent event) { told_.push_back(std::move(event)); }
    bool has_told() const { return !told_.empty(); }
    /// From now on what is submitted waits for shared slots, of which what the backend has already takes its
    /// own: it came before the others.
    void share(TreeSlots& slots);
    void flush_taken();
    /// This attempt waits for another run: its worker and processors are free meanwhile, …
    void lend(const AttemptId& id);
    /// … and when it has them again, `then` is called: at once where none were lent, and while it waits for a
    /// further run, which may need them.
    void take_back(const AttemptId& id, std::function<void()> then);

  private:
    friend class TreeSlots;
    void note(const BackendEvent& event);
    void occupy(const AttemptId& id, const Resources& need);
    void release(const AttemptId& id);
    void returned(const AttemptId& id);
    void release_all();
    AttemptId key_of(AttemptId id) const;
    /// Those that are the backend's; the others are ended here.
    std::vector<AttemptId> own(std::span<const AttemptId> attempts);

    std::string run_;
    std::unique_ptr<Backend> real_;
    TreeSlots* slots_;
    Clock& clock_;
    Questions questions_;
    std::set<AttemptId> children_;
    std::map<AttemptId, TaskSpec> waiting_;    ///< for shared slots
    std::map<AttemptId, Resources> occupied_;  ///< of this machine, by what the backend has
    struct Lent {
        std::size_t waits = 0;                         ///< for so many runs
        std::vector<std::function<void()>> on_return;  ///< what waits for the slots' return
    };
    std::map<AttemptId, Lent> lent_;
    std::vector<TaskSpec> taken_;
    std::vector<BackendEvent> told_;
};

}  // namespace amp
