#pragma once

#include <string>
#include <string_view>

namespace amp {

struct Session;

/// A name that nothing has yet, where tasks have their folders: amp-WHAT-…
std::string new_task_folder(const Session& session, std::string_view what);

}  // namespace amp
