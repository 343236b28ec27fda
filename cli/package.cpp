#include "cli/package.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/documents.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"
#include "core/run/code_package.hpp"

namespace amp {
namespace {

constexpr std::string_view k_standard_output = "-";

std::size_t count_files(const CodeManifest& code) {
    return static_cast<std::size_t>(std::count_if(code.entries.begin(), code.entries.end(),
                                                  [](const CodeEntry& entry) { return !entry.folder; }));
}

std::string_view kind_of(const CodeEntry& entry) {
    return entry.folder ? "folder" : entry.link_target.empty() ? "file" : "link";
}

/// In the order that was asked for, and no more than that.
std::vector<const CodeEntry*> chosen_entries(const CodeManifest& code, const PackageCommand& command) {
    std::vector<const CodeEntry*> chosen;
    chosen.reserve(code.entries.size());
    for (const CodeEntry& entry : code.entries) {
        chosen.push_back(&entry);
    }
    if (command.order == PackageCommand::Order::size) {
        std::stable_sort(chosen.begin(), chosen.end(), [](const CodeEntry* a, const CodeEntry* b) {
            return a->size_bytes > b->size_bytes;
        });
    }
    if (command.limit > 0 && chosen.size() > command.limit) {
        chosen.resize(command.limit);
    }
    return chosen;
}

/// What all documents of a package say of it.
Object about(const CodePackage& package, const char* schema) {
    const CodeManifest& code = package.code;
    return Object{{"schema", schema},
                  {"flow", package.flow},
                  {"run", text_or_null(package.run)},
                  {"code", std::string(code_mode_name(code.mode))},
                  {"commit", text_or_null(code.base)},
                  {"hash", code.hash},
                  {"files", std::uint64_t{count_files(code)}},
                  {"size_bytes", total_bytes(code)}};
}

List texts(const std::vector<std::string>& paths) {
    List out;
    for (const std::string& path : paths) {
        out.emplace_back(to_utf8(path));
    }
    return out;
}

Value list_document(const CodePackage& package, const std::vector<const CodeEntry*>& chosen) {
    List entries;
    entries.reserve(chosen.size());
    for (const CodeEntry* entry : chosen) {
        entries.emplace_back(Object{{"path", to_utf8(entry->path)},
                                    {"kind", std::string(kind_of(*entry))},
                                    {"size_bytes", entry->size_bytes},
                                    {"executable", entry->executable},
                                    {"sha256", text_or_null(entry->sha256)},
                                    {"link", text_or_null(entry->link_target)}});
    }
    Object out = about(package, "amp.package/1");
    out.emplace("entries", std::move(entries));
    out.emplace("deleted", texts(package.code.deleted));
    out.emplace("lfs_pointers", texts(package.code.lfs_pointers));
    out.emplace("notes", texts(package.notes));
    return out;
}

std::string plain_list(const std::vector<const CodeEntry*>& chosen) {
    std::string out;
    for (const CodeEntry* entry : chosen) {
        out += plain_line(
            {entry->path, std::string(kind_of(*entry)), std::to_string(entry->size_bytes), entry->sha256});
    }
    return out;
}

std::string counted_files(std::size_t n) {
    return fmt::format("{} file{}", grouped(n), n == 1 ? "" : "s");
}

std::string summary(const CodePackage& package) {
    const CodeManifest& code = package.code;
    std::string out;
    if (code.mode != CodeMode::files) {
        out = fmt::format("the image holds {}\n",
                          code.base.empty() ? "the code" : "commit " + code.base.substr(0, 12));
    }
    for (const std::string& path : code.deleted) {
        out += fmt::format("deleted: {}\n", printable(path));
    }
    return out + fmt::format("{}, {}, {}\n", counted_files(count_files(code)), format_size(total_bytes(code)),
                             code.hash);
}

std::string table_of(const std::vector<const CodeEntry*>& chosen, const Presentation& presentation) {
    Table table({{"SIZE", Table::Align::right}, {"FILE"}});
    for (const CodeEntry* entry : chosen) {
        const std::string target = entry->link_target.empty() ? "" : " -> " + entry->link_target;
        table.add({entry->folder || !target.empty() ? "" : format_size(entry->size_bytes),
                   entry->path + (entry->folder ? "/" : target)});
    }
    return table.empty() ? "" : table.text(presentation);
}

void say_notes(Session& session, const CodePackage& package) {
    for (const std::string& note : package.notes) {
        session.out.say(note);
    }
}

void list(Session& session, const PackageCommand& command) {
    const CodePackage package =
        find_package(session.services, session.project(), {command.flow, command.run});
    const std::vector<const CodeEntry*> chosen = chosen_entries(package.code, command);
    if (session.common.json) {
        session.out.document(list_document(package, chosen));
        return;
    }
    if (session.common.plain) {
        session.out.result(plain_list(chosen));
    } else {
        session.out.result(table_of(chosen, session.out.presentation()));
        session.out.words(summary(package));
    }
    say_notes(session, package);
}

/// An archive is nothing to look at, and one of them nothing to mix with a document.
void check_standard_output(const Session& session) {
    if (session.common.json) {
        throw Error(ExitCode::usage, "amp package save - prints the archive, and no document", "",
                    "name a file, or leave --json out");
    }
    if (session.out.presentation().out_is_tty) {
        throw Error(ExitCode::usage, "an archive is not written to a terminal", "",
                    "name a file, or pipe it: amp package save - | ssh HOST tar --zstd -x");
    }
}

void save(Session& session, const PackageCommand& command) {
    const bool to_output = command.file == k_standard_output;
    if (to_output) {
        check_standard_output(session);
    }
    const Project project = session.project();
    const CodePackage package = find_package(session.services, project, {command.flow, command.run});
    say_notes(session, package);
    if (to_output) {
        write_package(session.services, project, package,
                      [&](std::string_view bytes) { session.out.result(bytes); });
        session.out.say(package.code.hash);
        return;
    }
    const std::uint64_t size = save_package(session.services, project, package, command.file);
    if (session.common.json) {
        Object document = about(package, "amp.saved_package/1");
        document.emplace("file", to_utf8(command.file));
        document.emplace("archive_bytes", size);
        session.out.document(document);
    } else {
        session.out.result(package.code.hash + "\n");
    }
}

}  // namespace

ExitCode execute(Session& session, const PackageCommand& command) {
    if (command.action == PackageCommand::Action::list) {
        list(session, command);
    } else {
        save(session, command);
    }
    return ExitCode::ok;
}

}  // namespace amp
