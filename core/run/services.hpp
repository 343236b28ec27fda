#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/ports/append_files.hpp"
#include "core/ports/backend.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/files.hpp"
#include "core/ports/object_store.hpp"
#include "core/ports/process.hpp"
#include "core/ports/waiter.hpp"

namespace amp {

/// What a backend is made for.
struct BackendRequest {
    std::string run;
    std::uint32_t epoch = 1;
    std::string project_folder;
    std::size_t workers = 0;  ///< tasks at once; 0: as many as the machine has processors
};

/// What is found only when a store is opened.
struct OpenStore {
    std::unique_ptr<ObjectStore> objects;
    std::unique_ptr<AppendFiles> files;
    std::string folder;  ///< absolute
};

/// The world, as main builds it: ports, and who we are. Use cases get it by reference.
struct Services {
    Clock& clock;
    Files& files;
    Process& process;
    Waiter& waiter;
    std::function<OpenStore(const std::string& folder, bool create)> open_store;
    std::function<std::unique_ptr<Backend>(const OpenStore&, const BackendRequest&)> make_backend;
    std::function<bool(const OpenStore&, const std::string& run, const std::string& who)>
        ask_cancel;  ///< of a living keeper; false: none
    std::function<Capacity()> machine;
    std::map<std::string, std::string, std::less<>> environment;
    std::string user;
    std::string host;
    std::int64_t pid = 0;
};

}  // namespace amp
