#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/append_files.hpp"
#include "core/ports/backend.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/far_fetch.hpp"
#include "core/ports/files.hpp"
#include "core/ports/host_facts.hpp"
#include "core/ports/object_store.hpp"
#include "core/ports/process.hpp"
#include "core/ports/secret.hpp"
#include "core/ports/waiter.hpp"

namespace amp {

struct CodeManifest;

/// A profile whose tasks run elsewhere than on this machine.
struct ProfileUse {
    std::string name;
    Value settings;     ///< its table in amp.toml, without `step`
    bool sure = false;  ///< tasks will run there, as far as is known before; else maybe
};

/// What a backend is made for.
struct BackendRequest {
    std::string run;
    std::uint32_t epoch = 1;
    std::string project_folder;
    std::size_t workers = 0;                ///< tasks at once; 0: as many as the machine has processors
    std::vector<Secret> secrets;            ///< what its tasks' specs refer to
    std::vector<ProfileUse> profiles = {};  ///< which others there are; a spec's `profile` names one
    // Of a backend for one of these:
    std::string profile = {};
    Value settings = {};
};

/// What is found only when a store is opened.
struct OpenStore {
    std::unique_ptr<ObjectStore> objects;
    std::unique_ptr<AppendFiles> files;
    std::string folder;  ///< absolute
};

/// A task done in front of the user, for nobody's records.
struct ForegroundTask {
    TaskSpec spec;
    std::string folder;  ///< becomes its AMP_TASK_DIR; stays. New or empty
    std::string shell;   ///< started instead of the task's command, with our standard streams; empty: none
    std::vector<Secret> secrets;                   ///< what the spec refers to
    std::function<void(std::string_view)> output;  ///< hears what the task prints, as it comes
};

/// A shell in a task's place on the machine of a profile.
struct FarShell {
    ProfileUse profile;
    std::string run;
    AttemptId id;
    std::string command;          ///< what the shell is to do; empty: its user says
    std::function<void()> stays;  ///< called again and again while it is open; what it throws ends it
    /// What a place is made of that nobody holds.
    struct Made {
        TaskSpec spec;
        std::vector<Secret> secrets;  ///< what the spec refers to
        std::string project_folder;
        std::shared_ptr<const CodeManifest> code;
        std::function<void(const std::string&)> tell = [](const std::string&) {};  ///< while it is made
    };
    std::optional<Made> made;  ///< unset: it is held, for whoever drives the run
};

/// The world, as main builds it: ports, and who we are. Use cases get it by reference.
struct Services {
    Clock& clock;
    Files& files;
    Process& process;
    std::reference_wrapper<Waiter> waiter;
    std::function<OpenStore(const std::string& folder, bool create)> open_store;
    std::function<std::unique_ptr<Backend>(const OpenStore&, const BackendRequest&)> make_backend;
    std::function<bool(const OpenStore&, const std::string& run, const std::string& who)>
        ask_cancel;  ///< of a living keeper; false: none
    std::function<Capacity()> machine;
    std::map<std::string, std::string, std::less<>> environment;
    std::string user;
    std::string host;
    std::int64_t pid = 0;
    /// The backends that there are: what a profile may name.
    std::vector<std::string> backends = {"local"};
    /// As the backend would: lays its inputs, starts it, and waits for its end. Ctrl-C (or TERM, or a
    /// hang-up) ends it with cause cancelled; a second one kills. The result has neither log nor artifacts.
    /// @throws Error when its inputs cannot be laid, or its GPUs are taken
    std::function<AttemptResult(const OpenStore&, const ForegroundTask&)> run_foreground = {};
    /// The same for a shell elsewhere. The result has no more than its exit or signal.
    /// @throws Error(authentication), Error(infrastructure) when that machine cannot be reached
    std::function<AttemptResult(const OpenStore&, const FarShell&)> enter_elsewhere = {};
    /// A store as it lies there, without looking at its store.json: for fsck and doctor.
    std::function<OpenStore(const std::string& folder)> open_unchecked = {};
    /// What `amp doctor` looks at; the store need not be there.
    std::function<HostFacts(const std::string& store_folder)> look_at_host = {};
    /// Removes scratch folders and sockets that dead keepers left; how many. `dry`: only counts.
    std::function<std::size_t(bool dry)> prune_scratch = {};
    /// What a task asks its keeper for, over the socket that it was given; `told` hears of the run as soon as
    /// there is one. @throws Error(infrastructure) when nobody answers (any more)
    std::function<SpawnAnswer(const std::string& socket, const Value& request,
                              const std::function<void(const SpawnAnswer&)>& told)>
        ask_spawn = {};
    /// Asks the user for a line that is not shown; nullopt: there is nobody to ask.
    std::function<std::optional<std::string>(std::string_view question)> ask_secret = {};
    /// Starts this program again as a process that outlives us, reads `input`, and prints to the file `log`;
    /// what it answers, "" when it died without a word. @throws Error(infrastructure)
    std::function<std::string(const std::vector<std::string>& arguments, const std::string& input,
                              const std::string& log)>
        start_apart = {};
    /// All of standard input, up to what a flow may have.
    std::function<std::string()> read_input = {};
    /// What brings home what stayed on another machine; `patience`: so many connections in a row may bring
    /// nothing. @throws Error when this amp cannot reach such places
    std::function<std::unique_ptr<FarFetch>(const OpenStore&, const FarPlace&, int patience)> make_fetch = {};
    /// The secrets whose values are known, by key: each is looked up once a process.
    std::map<std::string, Secret, std::less<>> secrets = {};
};

}  // namespace amp
