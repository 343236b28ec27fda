#include "core/run/task_text.hpp"

namespace amp {

std::string task_text(const TaskName& task) {
    return task_text(task.text());
}

std::string task_text(std::string_view recorded) {
    constexpr std::string_view k_no_index = "/_";
    recorded.remove_suffix(recorded.ends_with(k_no_index) ? k_no_index.size() : 0);
    return std::string(recorded);
}

}  // namespace amp
