#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/agent/far_messages.hpp"
#include "backends/agent/object_stream.hpp"
#include "backends/ssh/arriving_ends.hpp"
#include "backends/ssh/far_line.hpp"
#include "backends/ssh/far_spec.hpp"
#include "backends/ssh/pack_tail.hpp"
#include "backends/ssh/uploads.hpp"
#include "core/package/code_manifest.hpp"
#include "core/ports/append_files.hpp"
#include "core/ports/backend.hpp"
#include "core/ports/far_fetch.hpp"

namespace amp {

struct SshBackendOptions {
    std::string host;                                          ///< as ssh knows it
    std::string root;                                          ///< amp's folder there; empty: ~/.cache/amp
    std::string profile;                                       ///< what people call it
    std::uint64_t keep_above = ArrivingEnds::k_keeps_nothing;  ///< outputs larger than that stay there
    std::string run;
    std::uint32_t epoch = 1;        ///< of the driver's lease
    std::uint32_t number_base = 0;  ///< of its keepers and packs, so that these are no other profile's
    std::size_t workers = 0;        ///< tasks at once; 0: as many as there are processors
    std::string project_folder;
    std::shared_ptr<const CodeManifest> code;  ///< of the run; nullptr: there is none
    std::vector<Secret> secrets;
    /// The agent itself instead of ssh; for tests.
    std::vector<std::string> command;
    double first_pause_s = 1;  ///< before the connection is made again; doubled each time
    double longest_pause_s = 60;
    double silence_s = 60;  ///< of the other machine's shell, or the agent, before it has adopted
};

/// Tasks on one other machine, without a scheduler. See README.md.
class SshBackend : public Backend {
  public:
    /// @throws Error(invalid) when the host cannot be one
    SshBackend(ObjectStore& objects, AppendFiles& files, SshBackendOptions options);
    ~SshBackend() override;

    /// Of the other machine, once there was contact.
    Capacity capacity() override { return welcome_.capacity; }
    std::size_t window() override;
    /// Waits for the first contact, and for a while until what has ended there is here; the rest comes as
    /// events.
    /// @throws as open
    Adoption adopt() override;
    /// Waits for the first contact.
    /// @throws Error(authentication) when we are not let in; Error(infrastructure) when it cannot be reached;
    /// Error(busy) when a later driver is in charge
    void open() override;
    void submit(std::span<const TaskSpec> specs) override;
    void cancel(std::span<const AttemptId> attempts) override;
    void kill(std::span<const AttemptId> attempts) override;
    void go_on() override;
    void answer(const SpawnAnswer& answer) override;
    int event_fd() override { return epoll_.get(); }
    std::vector<BackendEvent> events() override;
    void close() override;

  private:
    enum class State {
        unsent,
        sent,
        unsure,  ///< was sent over a connection that is gone
        started
    };
    struct Held {
        State state = State::unsent;
        bool told = false;            ///< that it has started
        bool counted = false;         ///< its failure stands in failures_seen_
        std::optional<FarSpec> spec;  ///< until it has started
    };
    enum class Code { unknown, asked, laying, ready, failed };

    // Contact (ssh_contact.cpp).
    void contact();
    void connect();
    void work();
    void receive();
    void handle(const agent::Frame& frame);
    void handle_events(std::string_view payload);
    void greet(const agent::FarGreeting& greeting);
    void met(agent::FarWelcome welcome);
    void adopted(const agent::ReadAdopted& read);
    void settle_unsure();
    void line_down();
    void tell_of_outage(const Error& why);
    void tell_of_contact();
    void let_go(const std::string& reason);
    void arm_timer();
    double next_deadline() const;
    bool may_speak() const { return line_ && met_ && line_->state() == FarLine::State::up; }

    // Objects (ssh_objects.cpp).
    void handle_object(const agent::Frame& frame);
    FarPlace place() const;
    void hear_of_ends(std::string_view payload);
    void note_what_stays(const std::vector<AttemptResult>& results);
    void use_what_stays();
    std::string forget_what_is_gone(const TaskSpec& spec, const std::string& sha256);

    // Specs on their way (ssh_outbox.cpp).
    void ask_for_objects();
    void ask_for_code();
    bool objects_has(const CodeEntry& entry) const;
    void lay_code();
    void code_laid(std::string_view payload);
    void send_ready();
    bool is_ready(const FarSpec& far) const;
    void upload_failed(const agent::ObjectTrouble& trouble);
    void pump();
    bool may_submit() const { return adopted_ && !lost_ && failures_seen_ == failures_known_; }

    void wake();
    void take_started(const AttemptStarted& started);
    void add_end(const AttemptResult& result);
    void end(const AttemptId& id, Cause cause, const std::string& message);
    void ask_to_end(agent::Kind kind, std::span<const AttemptId> attempts);
    void deliver();
    void tell(BackendEvent event);
    void make_durable(const std::vector<AttemptResult>& results);
    void sync_packs();

    ObjectStore& objects_;
    AppendFiles& files_;
    SshBackendOptions options_;
    UniqueFd epoll_;
    UniqueFd timer_;
    UniqueFd wake_;
    std::unique_ptr<FarLine> line_;
    agent::FarWelcome welcome_;
    PackMirror mirror_;
    agent::ObjectTaker taker_;
    ArrivingEnds ends_;
    Uploads uploads_;

    std::map<AttemptId, Held> held_;
    std::deque<AttemptId> unsent_;
    std::map<AttemptId, agent::Kind> cancels_;  ///< asked for, and not ended
    std::set<AttemptId> freed_;  ///< have ended; what is kept of them there is not needed any more
    std::vector<BackendEvent> news_;
    bool met_ = false;      ///< over this connection
    bool adopted_ = false;  ///< and what has ended before is known
    bool ever_met_ = false;
    bool ever_adopted_ = false;
    bool adopts_all_ = false;  ///< over this connection all is told that has ended
    std::optional<Error> first_failure_;
    std::optional<Error> refusal_;     ///< what the agent of this connection has said last
    std::optional<std::string> lost_;  ///< the keeper there is gone: until the driver opens again
    bool lost_told_ = false;
    bool fenced_ = false;
    bool closed_ = false;
    bool unsynced_ = false;         ///< objects have come
    bool used_what_stays_ = false;  ///< was asked for
    double sync_at_;
    double reconnect_at_ = 0;
    int pauses_ = 0;
    std::optional<Timestamp> out_since_;  ///< no contact
    bool place_told_ = false;

    Code code_ = Code::unknown;
    std::string code_error_;
    std::vector<agent::SizedObject> code_needs_;
    std::string code_manifest_;

    std::uint64_t failures_seen_ = 0;
    std::uint64_t failures_told_ = 0;
    std::uint64_t failures_known_ = 0;    ///< those after which the driver said go_on
    std::uint64_t failures_of_line_ = 0;  ///< as the agent counts them
};

}  // namespace amp
