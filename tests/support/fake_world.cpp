#include "tests/support/fake_world.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace amp::test {
namespace {

/// A machine without git.
class NoTools : public Process {
  public:
    ToolResult run(const std::vector<std::string>& argv, const std::string&, double) override {
        throw Error(ExitCode::not_found, "'" + argv.front() + "' is not installed");
    }
    ToolResult run_while(const std::vector<std::string>& argv, const std::string& cwd,
                         const std::function<bool()>& /*go_on*/) override {
        return run(argv, cwd, 0);
    }
};

/// The same store for each who opens it.
class SharedStore : public ObjectStore {
  public:
    explicit SharedStore(std::shared_ptr<MemoryStore> store) : store_(std::move(store)) {}

    std::optional<Stored> get(std::string_view key) override { return store_->get(key); }
    std::optional<std::string> get_range(std::string_view key, std::uint64_t offset,
                                         std::uint64_t length) override {
        return store_->get_range(key, offset, length);
    }
    std::optional<std::uint64_t> size(std::string_view key) override { return store_->size(key); }
    PutResult put_if_absent(std::string_view key, std::string_view bytes, Durability durability) override {
        return store_->put_if_absent(key, bytes, durability);
    }
    bool refresh(std::string_view key) override { return store_->refresh(key); }
    std::unique_ptr<ObjectWriter> create(std::string_view key) override { return store_->create(key); }
    PutResult compare_and_swap(std::string_view key, std::string_view bytes,
                               std::string_view version) override {
        return store_->compare_and_swap(key, bytes, version);
    }
    void put(std::string_view key, std::string_view bytes) override { store_->put(key, bytes); }
    std::vector<std::string> list_after(std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
        return store_->list_after(prefix, after, limit);
    }
    std::vector<Listed> list_details(std::string_view prefix, std::string_view after,
                                     std::size_t limit) override {
        return store_->list_details(prefix, after, limit);
    }
    std::vector<std::string> list_children(std::string_view prefix) override {
        return store_->list_children(prefix);
    }
    void remove(std::string_view key) override { store_->remove(key); }
    bool remove_older(std::string_view key, Timestamp before) override {
        return store_->remove_older(key, before);
    }
    std::size_t remove_abandoned(Timestamp before, bool dry) override {
        return store_->remove_abandoned(before, dry);
    }
    void sync_pending() override { store_->sync_pending(); }

  private:
    std::shared_ptr<MemoryStore> store_;
};

/// Told to the waiter for as long as it lives.
class KnownBackend : public ScriptedBackend {
  public:
    KnownBackend(FakeWaiter& waiter, Clock& clock, Script script)
        : ScriptedBackend(clock, std::move(script)), waiter_(waiter) {
        waiter_.backends.push_back(this);
    }
    ~KnownBackend() override { std::erase(waiter_.backends, this); }

  private:
    FakeWaiter& waiter_;
};

class Notes : public RunObserver {
  public:
    explicit Notes(std::vector<std::string>& notes) : notes_(notes) {}
    void note(const std::string& text) override { notes_.push_back(text); }

  private:
    std::vector<std::string>& notes_;
};

}  // namespace

void FakeWaiter::wait_any(std::span<const int> /*fds*/, double seconds) {
    if (at_wait) {
        at_wait(++waits_);
    }
    double passes = seconds < 0 ? 1 : seconds;
    for (const ScriptedBackend* living : backends) {
        if (const auto end = living->next_end()) {
            passes = std::min(passes, std::max(0.0, *end - clock_.steady_seconds()));
        }
    }
    clock_.advance(passes);
}

FakeWorld::FakeWorld(const std::string& flow)
    : store(std::make_shared<MemoryStore>()), process_(std::make_unique<NoTools>()) {
    files.add("/project/flow.toml", flow);
    project.folder = "/project";
    project.store_folder = "/project/.amp";
    project.profile = "local";
    services = std::make_unique<Services>(
        Services{clock,
                 files,
                 *process_,
                 waiter,
                 [this](const std::string& folder, bool) {
                     return OpenStore{std::make_unique<SharedStore>(store),
                                      std::make_unique<MemoryAppendFiles>(append_files), folder};
                 },
                 [this](const OpenStore&, const BackendRequest&) { return make_backend(); },
                 [](const OpenStore&, const std::string&, const std::string&) { return false; },
                 [] {
                     return Capacity{64, std::uint64_t{1} << 40, 0};
                 },
                 {},
                 "ann",
                 "box",
                 100});
    services->open_unchecked = [this](const std::string& folder) {
        return services->open_store(folder, true);
    };
    services->prune_scratch = [](bool) { return std::size_t{0}; };
    store->use_clock(clock);
}

std::unique_ptr<Backend> FakeWorld::make_backend() {
    auto backend = std::make_unique<KnownBackend>(waiter, clock, [this](const TaskSpec& spec) {
        ran_.push_back(spec.task.text() + "#" + std::to_string(spec.attempt));
        return script(spec);
    });
    backend->set_workers(workers);
    if (adoption) {
        backend->set_adoption(*adoption);
        adoption.reset();
    }
    waiter.backend = backend.get();
    return backend;
}

RunOutcome FakeWorld::start(StartOptions options) {
    Notes observer(notes);
    auto outcome = start_run(*services, project, options, observer);
    waiter.backend = nullptr;
    return outcome;
}

RunOutcome FakeWorld::resume(ResumeOptions options) {
    Notes observer(notes);
    if (options.run.empty()) {
        options.run = "latest";
    }
    auto outcome = resume_run(*services, project, options, observer);
    waiter.backend = nullptr;
    return outcome;
}

RunView FakeWorld::view(const std::string& run) {
    return view_run(*services, project, run);
}

std::string FakeWorld::state(const std::string& task) {
    for (const TaskView& view : view().tasks) {
        if (view.name.text() == task) {
            return std::string(state_name(view.state));
        }
    }
    return "none";
}

std::uint32_t FakeWorld::attempt(const std::string& task) {
    for (const TaskView& view : view().tasks) {
        if (view.name.text() == task) {
            return view.attempt;
        }
    }
    return 0;
}

}  // namespace amp::test
