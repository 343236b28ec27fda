#include "core/run/doctor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

using namespace amp;

namespace {

HostFacts healthy_host() {
    HostFacts host;
    host.store.folder = "/p/.amp";
    host.store.exists = true;
    host.store.mode = 0700;
    host.store.owner = 1000;
    host.store.file_system = "ext4";
    host.store.free_bytes = std::uint64_t{100} << 30;
    host.store.free_inodes = 1'000'000;
    host.store.counts_inodes = true;
    host.scratch.folder = "/tmp";
    host.scratch.free_bytes = std::uint64_t{10} << 30;
    host.user = 1000;
    host.open_files = 1 << 20;
    host.processes = 100'000;
    host.processes_now = 100;
    host.programs = {"bash", "sh", "git"};
    host.memory_bytes = std::uint64_t{64} << 30;
    return host;
}

struct Ill {
    std::string check;
    Health health;
    std::function<void(HostFacts&, ProjectFacts&)> make;
};

const std::vector<Ill>& illnesses() {
    static const std::vector<Ill> all = {
        {"settings", Health::failure,
         [](HostFacts&, ProjectFacts& p) {
             p.settings_error = Error(ExitCode::invalid, "no", "amp.toml:1:1");
         }},
        {"store", Health::failure, [](HostFacts& h, ProjectFacts&) { h.store.write_problem = "Read-only"; }},
        {"store", Health::failure,
         [](HostFacts&, ProjectFacts& p) { p.store_error = Error(ExitCode::mismatch, "damaged"); }},
        {"rights", Health::warning, [](HostFacts& h, ProjectFacts&) { h.store.mode = 0777; }},
        {"rights", Health::warning, [](HostFacts& h, ProjectFacts&) { h.store.owner = 7; }},
        {"room", Health::failure, [](HostFacts& h, ProjectFacts&) { h.store.free_bytes = 1 << 20; }},
        {"room", Health::warning, [](HostFacts& h, ProjectFacts&) { h.store.free_bytes = 500 << 20; }},
        {"inodes", Health::failure, [](HostFacts& h, ProjectFacts&) { h.store.free_inodes = 3; }},
        {"inodes", Health::warning, [](HostFacts& h, ProjectFacts&) { h.store.free_inodes = 3000; }},
        {"files", Health::warning, [](HostFacts& h, ProjectFacts&) { h.store.file_system = "9p"; }},
        {"files", Health::warning, [](HostFacts& h, ProjectFacts&) { h.store.file_system = "tmpfs"; }},
        {"containers", Health::failure,
         [](HostFacts&, ProjectFacts& p) {
             p.wants_engine = true;
             p.engine_problem = "no container engine answers";
         }},
        {"environments", Health::failure,
         [](HostFacts&, ProjectFacts& p) { p.environment_tools = {PythonEnvironment::Tool::uv}; }},
        {"environments", Health::failure,
         [](HostFacts&, ProjectFacts& p) { p.environment_tools = {PythonEnvironment::Tool::requirements}; }},
        {"environments", Health::failure,
         [](HostFacts&, ProjectFacts& p) { p.environment_tools = {PythonEnvironment::Tool::conda}; }},
        {"locks", Health::failure, [](HostFacts& h, ProjectFacts&) { h.store.lock_problem = "No locks"; }},
        {"clock", Health::warning, [](HostFacts& h, ProjectFacts&) { h.store.clock_ahead_s = -60; }},
        {"clock", Health::failure, [](HostFacts& h, ProjectFacts&) { h.store.clock_ahead_s = 86400; }},
        {"open files", Health::failure, [](HostFacts& h, ProjectFacts&) { h.open_files = 64; }},
        {"open files", Health::warning, [](HostFacts& h, ProjectFacts&) { h.open_files = 512; }},
        {"processes", Health::failure, [](HostFacts& h, ProjectFacts&) { h.processes = 110; }},
        {"processes", Health::warning, [](HostFacts& h, ProjectFacts&) { h.processes = 300; }},
        {"scratch", Health::failure, [](HostFacts& h, ProjectFacts&) { h.scratch.problem = "Permission"; }},
        {"scratch", Health::warning, [](HostFacts& h, ProjectFacts&) { h.scratch.executes = false; }},
        {"scratch", Health::warning, [](HostFacts& h, ProjectFacts&) { h.scratch.free_bytes = 5; }},
        {"shell", Health::failure, [](HostFacts& h, ProjectFacts&) { h.programs = {"git"}; }},
        {"shell", Health::failure,
         [](HostFacts& h, ProjectFacts&) {
             h.programs = {"git", "sh"};
         }},
        {"git", Health::warning, [](HostFacts& h, ProjectFacts&) { h.programs = {"bash"}; }},
        {"git", Health::warning, [](HostFacts&, ProjectFacts& p) { p.git_refuses = true; }},
        {"gpus", Health::warning,
         [](HostFacts& h, ProjectFacts&) {
             h.gpus = {"0"};
             h.gpu_problem = "no driver";
         }},
        {"memory", Health::failure,
         [](HostFacts& h, ProjectFacts& p) {
             h.memory_limit_bytes = std::uint64_t{8} << 30;
             p.asked_memory_bytes = std::uint64_t{16} << 30;
         }},
        {"memory", Health::warning, [](HostFacts& h, ProjectFacts&) { h.memory_limit_bytes = 64 << 20; }},
        {"leases", Health::warning, [](HostFacts&, ProjectFacts& p) { p.stale_leases = {"r1"}; }},
        {"leases", Health::warning, [](HostFacts&, ProjectFacts& p) { p.silent_runs = {"r2"}; }},
        {"leftovers", Health::warning, [](HostFacts&, ProjectFacts& p) { p.dead_processes = {"pid 7"}; }},
    };
    return all;
}

Health health_of(const std::vector<Diagnosis>& checks, const std::string& name) {
    const auto it =
        std::find_if(checks.begin(), checks.end(), [&](const auto& d) { return d.check == name; });
    REQUIRE(it != checks.end());
    return it->health;
}

}  // namespace

TEST_CASE("a healthy machine is healthy, and every check has a test that makes it fail") {
    std::vector<Diagnosis> checks = diagnose(healthy_host(), {});
    for (const Diagnosis& d : checks) {
        CHECK_MESSAGE(d.health == Health::good, d.check, ": ", d.found);
        CHECK_FALSE(d.found.empty());
        const auto known = std::any_of(illnesses().begin(), illnesses().end(),
                                       [&](const Ill& ill) { return ill.check == d.check; });
        CHECK_MESSAGE(known, d.check);
    }
}

TEST_CASE("each illness is found, alone, with what it means and what to do") {
    for (const Ill& ill : illnesses()) {
        HostFacts host = healthy_host();
        ProjectFacts project;
        ill.make(host, project);
        const std::vector<Diagnosis> checks = diagnose(host, project);
        CHECK_MESSAGE(health_of(checks, ill.check) == ill.health, ill.check);
        for (const Diagnosis& d : checks) {
            CHECK_MESSAGE((d.health == Health::good || d.check == ill.check), d.check, " beside ", ill.check);
            if (d.check == ill.check) {
                CHECK_FALSE(d.means.empty());
                CHECK_FALSE(d.advice.empty());
            }
        }
    }
}
