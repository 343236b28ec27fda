#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/background_process.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/process.hpp"

namespace amp {

/// Whether addresses answer, for tasks that wait for them. Each is asked once for all who wait for it, by
/// curl, which every machine has or can have: a process of its own, of which nobody waits for the end.
class UrlQuestions {
  public:
    /// How many are asked at once: the others are asked when those have answered.
    static constexpr std::size_t k_most = 16;

    UrlQuestions(Process& process, Clock& clock);

    /// Did it answer, with success, when it was asked last? Asks (again) when it is time to; nullopt: it is
    /// being asked, and take() will tell when to look.
    /// @throws Error(invalid) for what is no http or https address, Error(not_found) without curl
    std::optional<bool> answers(const std::string& url);
    /// Takes in the answers that have come: whose, and who can be asked now that others have answered.
    std::set<std::string> take();
    /// Asks nobody any more.
    void clear();
    /// Steady seconds at which take() may find something, whatever fds() say; never: HUGE_VAL.
    double next_look() const;
    /// Steady seconds at which an address that has answered is asked again.
    double asked_again(const std::string& url) const;
    /// Readable when take() finds something.
    std::vector<int> fds() const;

  private:
    struct Address {
        std::unique_ptr<RunningTool> tool;  ///< while it is being asked
        double patience = 0;                ///< steady seconds: the end of it
        bool good = false;
        double next = 0;  ///< steady seconds: not asked before
    };

    std::unique_ptr<RunningTool> ask(const std::string& url) const;

    BackgroundProcess* process_;
    Clock& clock_;
    std::map<std::string, Address> addresses_;
    std::set<std::string> asked_;   ///< those that are being asked
    std::set<std::string> queued_;  ///< those that wait for others to answer
};

}  // namespace amp
