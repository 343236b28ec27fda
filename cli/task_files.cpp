#include "cli/task_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "core/task/outputs.hpp"

namespace fs = std::filesystem;

namespace amp {
namespace {

constexpr std::size_t k_longest_name = 128;
constexpr std::size_t k_piece_bytes = std::size_t{1} << 18;

void check_artifact_name(const std::string& name) {
    if (!is_artifact_name(name) || name.size() > k_longest_name) {
        throw Error(ExitCode::usage, fmt::format("'{}' is no name of an artifact", printable(name)), "",
                    "letters, digits and _, at most 128, not beginning with a digit");
    }
}

/// A path beside the artifacts that no artifact can have; what is left there when this object dies is
/// removed.
class TemporaryPath {
  public:
    explicit TemporaryPath(const fs::path& folder)
        : path_(folder / fmt::format(".amp-put-{:016x}", random_bits())) {}
    ~TemporaryPath() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryPath(const TemporaryPath&) = delete;
    TemporaryPath& operator=(const TemporaryPath&) = delete;
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

[[noreturn]] void throw_system(const std::string& action, const fs::path& path,
                               const std::error_code& error) {
    throw Error::system(action, path.string(), error.value());
}

/// rename(2), also over a folder that is not empty.
void replace(const fs::path& folder, const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (!error) {
        return;
    }
    const TemporaryPath old(folder);
    fs::rename(to, old.path(), error);
    fs::rename(from, to, error);
    if (error) {
        throw_system("write", to, error);
    }
}

void write_file(const fs::path& path, std::string_view bytes) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file) {
        throw Error::system("create", path.string(), errno);
    }
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            throw Error::system("write", path.string(), errno);
        }
        bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
}

/// An artifact is either a value or a file: the other form of the same name goes.
void remove_other_form(const fs::path& path) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

std::vector<std::string> input_names(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
         it.increment(error)) {
        const fs::path name = it->path().filename();
        names.push_back(name.extension() == ".json" ? name.stem().string() : name.string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

Error no_input(const std::string& folder, const std::string& name) {
    const fs::path path(name);
    const std::vector<std::string> names = input_names(fs::path(folder) / path.parent_path());
    std::string hint =
        "this task has no inputs there: name them in `inputs` of the step, or use them in `run`";
    if (const auto near = did_you_mean(path.filename().string(), names)) {
        hint = fmt::format("did you mean '{}'?", printable((path.parent_path() / *near).string()));
    } else if (!names.empty()) {
        hint = "there are: " + printable(join(names, ", "));
    }
    return {ExitCode::not_found, fmt::format("this task has no input '{}'", printable(name)), folder, hint};
}

/// "train[0][1].model" as "train/0.1/model"; what is no such expression stays as it is.
std::string as_path(const std::string& name) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos || name.find('/') != std::string::npos) {
        return name;
    }
    const std::string tail = name.substr(dot + 1);
    std::string head = name.substr(0, dot);
    std::string index;
    if (const std::size_t bracket = head.find('['); bracket != std::string::npos) {
        for (std::size_t i = bracket; i < head.size();) {
            const std::size_t end = head.find(']', i);
            if (head[i] != '[' || end == std::string::npos) {
                return name;
            }
            index += (index.empty() ? "" : ".") + head.substr(i + 1, end - i - 1);
            i = end + 1;
        }
        head.resize(bracket);
    }
    return head + "/" + (index.empty() ? "" : index + "/") + tail;
}

bool leads_elsewhere(const std::string& name) {
    for (const std::string_view part : split(name, '/')) {
        if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

void put_value(const std::string& folder, const std::string& name, const Value& value) {
    check_artifact_name(name);
    const TemporaryPath temporary(folder);
    write_file(temporary.path(), json::dump(value));
    replace(folder, temporary.path(), fs::path(folder) / (name + ".json"));
    remove_other_form(fs::path(folder) / name);
}

void put_copy(const std::string& folder, const std::string& name, const std::string& source) {
    check_artifact_name(name);
    std::error_code error;
    if (!fs::exists(source, error)) {
        throw Error(ExitCode::not_found, fmt::format("there is no '{}'", printable(source)));
    }
    const TemporaryPath temporary(folder);
    fs::copy(source, temporary.path(), fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
    if (error) {
        throw_system("copy", source, error);
    }
    replace(folder, temporary.path(), fs::path(folder) / name);
    remove_other_form(fs::path(folder) / (name + ".json"));
}

Value parse_put_value(const std::string& text) {
    try {
        return json::parse(text);
    } catch (const Error&) {
        return text;  // no JSON: it is what it is
    }
}

TaskInputFile find_input(const std::string& folder, const std::string& asked) {
    const std::string name = as_path(asked);
    if (leads_elsewhere(name)) {
        throw Error(ExitCode::usage, fmt::format("'{}' is no name of an input", printable(name)), "",
                    "NAME, STEP/NAME, or in a join STEP/INDEX/NAME");
    }
    const fs::path path = fs::path(folder) / name;
    const fs::path json_path = path.string() + ".json";
    std::error_code error;
    if (fs::is_regular_file(json_path, error)) {
        std::ifstream file(json_path, std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        return {true, json::parse(text, json_path.string()), ""};
    }
    if (!fs::exists(path, error)) {
        throw no_input(folder, name);
    }
    return {false, {}, path.string()};
}

void print_input(const TaskInputFile& input, const std::function<void(std::string_view)>& print) {
    if (input.is_value) {
        print(json::dump(input.value) + "\n");
        return;
    }
    std::error_code unknown;
    if (fs::is_directory(input.path, unknown)) {
        throw Error(ExitCode::invalid, "the input is a folder, which is no text", input.path);
    }
    std::ifstream file(input.path, std::ios::binary);
    std::string buffer(k_piece_bytes, '\0');
    while (file) {
        file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        print(std::string_view(buffer.data(), static_cast<std::size_t>(file.gcount())));
    }
    if (!file.eof()) {
        throw Error::system("cannot read", input.path, errno);
    }
}

std::string value_line(const Value& value) {
    return (value.is_string() ? value.as_string() : json::dump(value)) + "\n";
}

}  // namespace amp
