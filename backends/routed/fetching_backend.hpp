#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/unique_fd.hpp"
#include "core/ports/backend.hpp"
#include "core/ports/far_fetch.hpp"
#include "core/ports/object_store.hpp"
#include "core/store/far_notes.hpp"

namespace amp {

/// A backend whose specs may have inputs that stayed on other machines: such a spec goes on when they are
/// here, or at once where its task runs where they are. All others pass it.
class FetchingBackend : public Backend {
  public:
    /// @param places of the profiles that keep a store of their own; their `store` may be empty
    FetchingBackend(std::unique_ptr<Backend> inner, ObjectStore& objects,
                    std::map<std::string, FarPlace> places,
                    std::function<std::unique_ptr<FarFetch>(const FarPlace&)> make_fetch,
                    std::function<Timestamp()> now);

    Capacity capacity() override { return inner_->capacity(); }
    std::size_t window() override { return inner_->window(); }
    Adoption adopt() override { return inner_->adopt(); }
    void open() override { inner_->open(); }
    void submit(std::span<const TaskSpec> specs) override;
    void cancel(std::span<const AttemptId> attempts) override;
    void kill(std::span<const AttemptId> attempts) override;
    void go_on() override;
    void answer(const SpawnAnswer& answer) override { inner_->answer(answer); }
    int event_fd() override { return epoll_.get(); }
    std::vector<BackendEvent> events() override;
    void close() override { inner_->close(); }

  private:
    struct Held {
        TaskSpec spec;
        std::set<std::string> lacks;  ///< artifacts
    };

    std::vector<FarNote> far_inputs(const TaskSpec& spec);
    void fetch(const FarNote& note);
    void take(const FarArrival& arrival);
    void hand_on();
    void end(const AttemptId& id, Cause cause, const std::string& message);
    /// Ends those that wait here; gives the others.
    std::vector<AttemptId> end_held(std::span<const AttemptId> attempts);
    void watch(int fd, const std::string& what);
    void tell(BackendEvent event);

    std::unique_ptr<Backend> inner_;
    ObjectStore& objects_;
    std::map<std::string, FarPlace> places_;
    std::function<std::unique_ptr<FarFetch>(const FarPlace&)> make_fetch_;
    std::function<Timestamp()> now_;
    UniqueFd epoll_;
    UniqueFd wake_;
    std::vector<std::pair<FarPlace, std::unique_ptr<FarFetch>>> fetches_;
    std::map<AttemptId, Held> held_;
    std::vector<BackendEvent> news_;
    // Of ours: nothing more starts before the driver has heard of all of them.
    std::uint64_t failures_seen_ = 0;
    std::uint64_t failures_told_ = 0;
    std::uint64_t failures_known_ = 0;
};

}  // namespace amp
