#include "core/store/collector.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>
#include <set>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/package/manifest.hpp"
#include "core/store/far_notes.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/references.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fibers.hpp"
#include "tests/support/memory_append_files.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/pausing_store.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr double k_day = 86400;
constexpr double k_grace = 7 * k_day;

struct World {
    World() { store.use_clock(clock); }

    std::string put(const std::string& bytes) { return Objects(store).put(bytes).sha256; }
    void refer(const std::string& run, const std::string& hash) {
        store.put_if_absent(layout::run_record(run), R"({"sha256":")" + hash + "\"}");
    }
    CollectReport collect(double grace = k_grace, bool dry = false) {
        return collect_objects(store, files, {grace, dry});
    }
    bool has(const std::string& hash) {
        return store.size(layout::object(hash, false)) || store.size(layout::object(hash, true));
    }

    FakeClock clock;
    MemoryStore store;
    MemoryAppendFiles files;
};

constexpr const char* k_run = "261120-081530-k3fx";

}  // namespace

TEST_CASE("garbage goes when it has been listed for a grace, and what is named stays") {
    World w;
    const std::string named = w.put("named");
    const std::string garbage = w.put("garbage");
    w.refer(k_run, named);
    w.clock.advance(k_grace + 1);
    CollectReport report = w.collect();
    CHECK(report.removed.objects == 0);
    CHECK(report.waiting.objects == 1);
    w.clock.advance(k_grace - 10);
    CHECK(w.collect().removed.objects == 0);
    w.clock.advance(20);
    CHECK(w.collect(k_grace, true).removed.objects == 1);
    CHECK(w.has(garbage));
    report = w.collect();
    CHECK(report.removed.objects == 1);
    CHECK(report.kept.objects == 1);
    CHECK_FALSE(w.has(garbage));
    CHECK(w.has(named));
}

TEST_CASE("garbage past its grace goes within two collections") {
    World w;
    const std::string garbage = w.put("garbage");
    w.clock.advance(k_grace + 1);
    w.collect();
    w.clock.advance(k_grace + 1);
    w.collect();
    CHECK_FALSE(w.has(garbage));
}

TEST_CASE("an object that is put again begins anew") {
    World w;
    const std::string hash = w.put("again");
    w.clock.advance(k_grace + 1);
    w.collect();
    w.clock.advance(k_grace - 1);
    w.put("again");
    w.clock.advance(2);
    CHECK(w.collect().removed.objects == 0);
    w.clock.advance(k_grace - 1);
    CHECK(w.collect().removed.objects == 0);
    CHECK(w.has(hash));
}

TEST_CASE("without a grace garbage goes at once, and remembered content is forgotten") {
    World w;
    const std::string garbage = w.put("garbage");
    w.store.put("cache/code-x", "kept");
    w.clock.advance(1);
    CHECK(w.collect(0).removed.objects == 1);
    CHECK_FALSE(w.has(garbage));
    CHECK_FALSE(w.store.get("cache/code-x").has_value());
}

TEST_CASE("the results of cached steps name objects until nobody has used them for long") {
    World w;
    const std::string made = w.put("made");
    const std::string entry = layout::result(std::string(64, 'a'));
    w.store.put(entry, R"({"artifacts":{"m":{"sha256":")" + made + "\"}}}");
    w.clock.advance(CollectOptions::k_results_kept_s - 10);
    w.collect(0);
    w.store.refresh(entry);
    w.clock.advance(20);
    CHECK(w.collect(0).kept.objects == 1);
    CHECK(w.store.get(entry).has_value());
    w.clock.advance(CollectOptions::k_results_kept_s);
    CHECK(w.collect(0).removed.objects == 1);
    CHECK_FALSE(w.has(made));
    CHECK_FALSE(w.store.get(entry).has_value());
}

TEST_CASE("a damaged list of candidates only delays") {
    World w;
    const std::string garbage = w.put("garbage");
    w.clock.advance(k_grace + 1);
    w.collect();
    w.store.tamper(layout::collector_candidates(), "nonsense");
    w.clock.advance(k_grace + 1);
    CHECK(w.collect().removed.objects == 0);
    w.clock.advance(k_grace + 1);
    CHECK(w.collect().removed.objects == 1);
}

TEST_CASE("journals, keeper logs, quarantine and folders name objects") {
    World w;
    const std::string in_journal = w.put("journal");
    const std::string in_keeper = w.put("keeper");
    const std::string in_quarantine = w.put("quarantine");
    const std::string in_folder = w.put("in a folder");
    Manifest manifest;
    manifest.entries.push_back({ManifestEntry::Kind::file, "a", false, "", 11, in_folder});
    const std::string folder = w.put(manifest_text(manifest));
    w.files.set_bytes(layout::journal(k_run, 1, 1), "torn, and damaged: \x01" + in_journal + "0");
    w.files.set_bytes(layout::keeper_log(k_run, 1),
                      fmt::format(R"({{"kind":"folder","sha256":"{}"}} {})", folder, in_keeper));
    w.store.put("quarantine/t/runs/x/run.json", in_quarantine);
    w.clock.advance(1);
    CHECK(w.collect(0).removed.objects == 0);
}

TEST_CASE("all files of a folder are found, however its manifest is cut into pieces") {
    World w;
    Manifest manifest;
    for (int i = 0; i < 10'000; ++i) {
        const std::string name = fmt::format("{:05}{}", i, std::string(static_cast<std::size_t>(i % 7), 'x'));
        manifest.entries.push_back({ManifestEntry::Kind::file, name, false, "", 1, sha256_hex(name)});
    }
    const std::string text = manifest_text(manifest);
    REQUIRE(text.size() > std::size_t{1} << 20);
    w.store.put_if_absent(layout::run_record(k_run), R"({"kind":"folder","sha256":")" + w.put(text) + "\"}");
    const References found = find_references(w.store, w.files);
    for (const ManifestEntry& entry : manifest.entries) {
        REQUIRE(found.objects.contains(entry.sha256));
    }
}

TEST_CASE("of a large document that is no manifest only the beginning is read") {
    const auto calls = [](std::size_t size) {
        World w;
        std::string bytes = R"({"text":")";
        for (std::mt19937 random(1); bytes.size() < size;) {
            bytes += static_cast<char>('#' + random() % 90);  // does not shrink much
        }
        const std::string hash = w.put(bytes);
        w.store.put_if_absent(layout::run_record(k_run), R"({"kind":"folder","sha256":")" + hash + "\"}");
        int count = 0;
        PausingStore store(w.store, [&] { ++count; });
        find_references(store, w.files);
        return count;
    };
    CHECK(calls(std::size_t{6} << 20) == calls(std::size_t{1} << 10));
}

TEST_CASE("what is named once the list is written stays") {
    World w;
    const std::string hash = w.put("copied from a run that was removed meanwhile");
    w.clock.advance(k_grace + 1);
    w.collect();
    w.clock.advance(k_grace + 1);
    const std::string before = w.store.get(layout::collector_candidates())->bytes;
    int calls = 0;
    PausingStore store(w.store, [&] {
        const auto now = w.store.get(layout::collector_candidates());
        if (now->bytes != before || ++calls > 1000) {
            w.refer(k_run, hash);
        }
    });
    w.put("other garbage, so that the list differs");
    CHECK(collect_objects(store, w.files, {k_grace, false}).removed.objects == 0);
    CHECK(w.has(hash));
}

TEST_CASE("two collectors exclude one another") {
    World w;
    const auto held = w.files.open(layout::collector_lock(), 0);
    CHECK_THROWS_WITH_AS(w.collect(), "another `amp gc` is at work in this store", Error);
}

TEST_CASE("hashes are found wherever they stand") {
    const std::string a = sha256_hex("a");
    const std::string b = sha256_hex("b");
    std::set<std::string> found;
    bool folder = false;
    scan_references(a + "x" + b + R"( "kind":"folder" )" + a, [&](std::string_view hash, bool maybe_folder) {
        found.emplace(hash);
        folder = folder || maybe_folder;
    });
    CHECK(found == std::set{a, b});
    CHECK(folder);
    CHECK(hash_of_object(layout::object(a, true)) == a);
    CHECK(hash_of_object("quarantine/t/" + layout::object(a, false)) == a);
    CHECK(hash_of_object("objects/ab/cd").empty());
}

TEST_CASE("a collector may die at any call") {
    for (std::size_t calls = 0;; ++calls) {
        World w;
        const std::string named = w.put("named");
        const std::string garbage = w.put("garbage");
        w.refer(k_run, named);
        w.clock.advance(k_grace + 1);
        w.collect();
        w.clock.advance(k_grace + 1);
        bool died = true;
        w.store.die_after(calls);
        try {
            w.collect();
            died = false;
        } catch (const Error&) {
            // As it was told.
        }
        w.store.revive();
        CHECK(w.has(named));
        w.clock.advance(k_grace + 1);
        w.collect();
        w.clock.advance(k_grace + 1);
        w.collect();
        CHECK(w.has(named));
        CHECK_FALSE(w.has(garbage));
        if (!died) {
            CHECK(calls > 5);
            break;
        }
    }
}

namespace {

/// One world in which writers put, refer and remove runs while collections go on; all interleaved at each
/// call.
class Model {
  public:
    Model(std::uint64_t seed, Fibers& fibers) : seed_(seed), random_(seed), fibers_(fibers) {}

    /// True when nothing that is named got lost, and garbage went.
    bool holds() {
        for (int i = 0; i < 2; ++i) {
            fibers_.add([this, i] { write(i); });
        }
        fibers_.add([this] { collect(); });
        fibers_.run(seed_);
        return all_named_are_there() && garbage_goes();
    }

  private:
    void pass(double seconds) { w_.clock.advance(seconds); }

    void write(int writer) {
        PausingStore store(w_.store, [this] { fibers_.pause(); });
        Objects objects(store);
        for (int step = 0; step < 4; ++step) {
            const auto what = random_() % 4;
            const std::string run = fmt::format("261120-08{:02}{:02}-k3fx", writer, random_() % 3);
            const double begun = w_.clock.steady_seconds();
            if (what == 0) {
                store.remove(layout::run_record(run));
                named_.erase(run);
            } else if (what == 1) {
                refer(run, copied(store, objects), begun);
            } else {
                refer(run, objects.put(fmt::format("content {}", random_() % 3)).sha256, begun);
            }
            pass(static_cast<double>(random_() % 3) * k_day);
        }
    }

    /// What another run names, as a run that reuses its results finds it.
    static std::string copied(ObjectStore& store, Objects& objects) {
        const std::vector<std::string> runs = store.list_after(layout::k_runs, {}, 100);
        const auto record = runs.empty() ? std::nullopt : store.get(runs.front());
        return record && objects.contains(record->bytes, 9) ? record->bytes : std::string();
    }

    /// Never longer than a grace after the put, or after another record was read.
    void refer(const std::string& run, const std::string& hash, double begun) {
        fibers_.pause();
        if (!hash.empty() && w_.clock.steady_seconds() - begun < k_grace &&
            w_.store.put_if_absent(layout::run_record(run), hash) == PutResult::stored) {
            named_[run] = hash;
        }
    }

    void collect() {
        PausingStore store(w_.store, [this] { fibers_.pause(); });
        for (int i = 0; i < 3; ++i) {
            collect_objects(store, w_.files, {k_grace, false});
            pass(static_cast<double>(random_() % 9) * k_day);
        }
    }

    bool all_named_are_there() {
        for (const auto& [run, hash] : named_) {
            if (!w_.has(hash)) {
                return false;
            }
        }
        return true;
    }

    bool garbage_goes() {
        for (int i = 0; i < 2; ++i) {
            pass(k_grace + 1);
            w_.collect();
        }
        std::set<std::string> left;
        for (const auto& [run, hash] : named_) {
            left.insert(hash);
        }
        return w_.store.list_after(layout::k_objects, {}, 100).size() == left.size() && all_named_are_there();
    }

    std::uint64_t seed_;
    std::mt19937_64 random_;
    Fibers& fibers_;
    World w_;
    std::map<std::string, std::string> named_;
};

}  // namespace

TEST_CASE("10,000 interleavings of writers and collections: nothing named is lost, and garbage goes") {
    Fibers fibers;
    for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
        if (!Model(seed, fibers).holds()) {
            FAIL("seed ", seed);
        }
    }
}

TEST_CASE("notes of what stayed elsewhere go when nothing names it, or when it is here") {
    World w;
    const FarPlace box{"box", "ssh", "box", "", "id"};
    const auto note = [&](const std::string& text) {
        Artifact file{Artifact::Kind::file, {}, sha256_hex(text), text.size(), {}, 0};
        note_far(w.store, {file, box});
        return file.sha256;
    };
    const std::string named = note("named");
    const std::string unnamed = note("unnamed");
    const std::string home = note("home");
    w.put("home");
    w.refer(k_run, named);
    w.refer("261120-081530-abcd", home);
    w.clock.advance(k_grace - 10);
    w.collect();
    CHECK(list_far(w.store).size() == 3);
    w.clock.advance(20);
    const std::string young = note("young");
    w.collect(k_grace, true);
    CHECK(list_far(w.store).size() == 4);
    w.collect();
    std::vector<std::string> left{named, young};
    std::sort(left.begin(), left.end());
    CHECK(list_far(w.store) == left);
}
