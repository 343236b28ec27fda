#include "cli/task.hpp"

#include "cli/session.hpp"
#include "cli/standard_input.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_most_bytes = std::uint64_t{64} << 20;

}  // namespace

ExitCode execute(Session& session, const TaskCommand& command, const ExecTask& exec_task) {
    const std::string spec =
        command.spec == "-" ? read_standard_input() : session.services.files.read(command.spec, k_most_bytes);
    const auto say = [&session](const std::string& text) { session.out.say(text); };
    return static_cast<ExitCode>(exec_task(spec, !session.common.quiet, say));
}

}  // namespace amp
