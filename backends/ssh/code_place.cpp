#include "backends/ssh/code_place.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "backends/system/fd_io.hpp"
#include "core/base/error.hpp"
#include "core/package/new_folder.hpp"
#include "core/task/code.hpp"

namespace amp {

void lay_code_at(ObjectStore& store, const CodeManifest& code, const std::string& folder,
                 const std::string& hash) {
    const std::string place = folder + "/" + hash;
    if (std::filesystem::is_directory(place)) {
        return;
    }
    std::filesystem::create_directories(folder);
    NewFolder fresh(place);
    lay_code_files(store, code, fresh.path(), {}, false);
    const UniqueFd opened = open_at(AT_FDCWD, fresh.path(), O_RDONLY | O_DIRECTORY);
    if (!opened || syncfs(opened.get()) != 0) {
        throw Error::system("cannot sync", fresh.path(), errno);
    }
    fresh.move_to_place();  // somebody else's is as good
}

}  // namespace amp
