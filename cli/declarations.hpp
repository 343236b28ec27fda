#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/parser.hpp"

namespace amp {

/// Takes what a command can be given: options ("-q,--quiet") and arguments ("flow"), in the order of its
/// help. What is told of each value is called when the command line is read; it may throw Error(usage).
class Declaration {
  public:
    enum class Given { optional, required, one_or_two };
    using TakeCount = std::function<void(std::int64_t times)>;
    using Take = std::function<void(const std::string&)>;
    using TakeAll = std::function<void(const std::vector<std::string>&)>;

    virtual ~Declaration() = default;
    virtual void flag(const std::string& names, TakeCount take, const std::string& help) = 0;
    virtual void value(const std::string& names, Take take, const std::string& metavar,
                       const std::string& help, Given need = Given::optional) = 0;
    /// May be given several times; an argument takes all words that are left.
    virtual void values(const std::string& names, TakeAll take, const std::string& metavar,
                        const std::string& help, Given need = Given::optional) = 0;
};

/// What every command takes.
void declare_common(Declaration& app, CommonOptions& common);

void declare(Declaration& app, HelpCommand& c);
void declare(Declaration& app, VersionCommand& c);
void declare(Declaration& app, ValidateCommand& c);
void declare(Declaration& app, ShowCommand& c);
void declare(Declaration& app, RunCommand& c);
void declare(Declaration& app, ResumeCommand& c);
void declare(Declaration& app, AttachCommand& c);
void declare(Declaration& app, RunsCommand& c);
void declare(Declaration& app, LogsCommand& c);
void declare(Declaration& app, CancelCommand& c);
void declare(Declaration& app, TagCommand& c);
void declare(Declaration& app, PutCommand& c);
void declare(Declaration& app, SpawnCommand& c);
void declare(Declaration& app, ApproveCommand& c);
void declare(Declaration& app, CheckpointCommand& c);
void declare(Declaration& app, MetricCommand& c);
void declare(Declaration& app, NoteCommand& c);
void declare(Declaration& app, LinkCommand& c);
void declare(Declaration& app, ProgressCommand& c);
void declare(Declaration& app, MetricsCommand& c);
void declare(Declaration& app, GetCommand& c);
void declare(Declaration& app, ArtifactsCommand& c);
void declare(Declaration& app, PlanCommand& c);
void declare(Declaration& app, WhyCommand& c);
void declare(Declaration& app, DiffCommand& c);
void declare(Declaration& app, CompareCommand& c);
void declare(Declaration& app, CheckoutCommand& c);
void declare(Declaration& app, PackageCommand& c);
void declare(Declaration& app, ReplayCommand& c);
void declare(Declaration& app, TaskShellCommand& c);
void declare(Declaration& app, TaskCommand& c);
void declare(Declaration& app, ConfigCommand& c);
void declare(Declaration& app, GcCommand& c);
void declare(Declaration& app, RmCommand& c);
void declare(Declaration& app, FsckCommand& c);
void declare(Declaration& app, DoctorCommand& c);
void declare(Declaration& app, ExplainCommand& c);
void declare(Declaration& app, CompletionCommand& c);
void declare(Declaration& app, CompleteCommand& c);
void declare(Declaration& app, ManualCommand& c);

}  // namespace amp
