#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/run/run_data.hpp"
#include "core/run/run_scope.hpp"
#include "core/run/services.hpp"
#include "core/run/url_questions.hpp"

namespace amp {

/// What people say to a task that waits for approval.
struct Approval {
    static constexpr int k_schema = 1;

    std::string task;  ///< STEP/INDEX
    Timestamp since;   ///< the wait that it answers
    bool approved = true;
    std::string by;
    Timestamp at;
    std::string comment;
};
Value to_value(const Approval& approval);
Approval approval_from(const Value& value);
/// Where it stands in the store: an answer belongs to one wait, so that a task which waits again is asked
/// again.
std::string approval_key(std::string_view run, std::string_view task, Timestamp since);
/// The answer that stands there, for people: "approved by ada"; empty: none.
std::string answer_text(ObjectStore& objects, std::string_view run, std::string_view task, Timestamp since);

/// The tasks of a run that wait for people or the world. They cost no worker and no slot: a look from time to
/// time, or when somebody has answered.
class Waits {
  public:
    /// A wait that is over.
    struct Over {
        Question question;
        std::optional<Cause> failed;  ///< it was in vain
        std::string message;          ///< why
        std::string by;               ///< who approved, with their comment
    };

    Waits(Services& services, const OpenStore& store, const RunData& data, const ArtifactLoader& load);

    /// What it waits for, for people: "approval", "file /data/ready".
    /// @throws Error(invalid) when an expression of it fails
    std::string describe(const Question& question, Timestamp now) const;
    /// @param since as the journal has it, maybe from a driver before this one
    void add(const Question& question, Timestamp since);
    /// Those that are over by now. Looks only when something may have come.
    std::vector<Over> look(Timestamp now);
    bool empty() const { return open_.empty(); }
    /// In how many seconds to look again; nothing to wait for: HUGE_VAL.
    double seconds_to_look() const;
    /// Readable when something may have come.
    std::vector<int> fds() const;

  private:
    struct Open {
        Question question;
        TaskId task = 0;
        Timestamp since;
        double next_look = 0;    ///< steady seconds
        std::string url = {};    ///< that was asked last
        bool url_asked = false;  ///< and whether anything came of it
        bool url_seen = false;
        std::string folder = {};  ///< of the file that it waits for
    };
    /// Where files are waited for. After a change it is looked at, and then not heard for a moment: it may be
    /// a place where much happens.
    struct Folder {
        std::unique_ptr<Watch> watch;
        double deaf_until = 0;  ///< steady seconds
    };

    const Wait& wait_of(const Open& open) const { return *data_.step(open.question.step).wait; }
    bool list_answers();
    std::set<std::string> changed_folders(double steady);
    bool watches(const std::string& folder);
    bool is_there(Open& open, Timestamp now, double& look_again_s);
    RunScope scope_of(const Question& question, Timestamp now) const;
    std::string rendered(const TextTemplate& text, const Question& question, Timestamp now) const;
    std::string path_of(const Question& question, Timestamp now) const;
    std::optional<Over> look_at(Open& open, Timestamp now);
    std::optional<Over> judge(Open& open, Timestamp now, bool& come);
    bool until_holds(Open& open, Timestamp now) const;
    bool url_answers(Open& open, Timestamp now);

    Services& services_;
    const OpenStore& store_;
    const RunData& data_;
    const ArtifactLoader& load_;
    std::vector<Open> open_;
    std::set<std::string> answers_;  ///< keys of those that were there at the last look
    std::unique_ptr<Watch> watch_;
    std::map<std::string, Folder> folders_;
    UrlQuestions urls_;
};

}  // namespace amp
