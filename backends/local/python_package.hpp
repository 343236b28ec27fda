#pragma once

#include <span>
#include <string_view>

namespace amp {

/// A file of the Python package that tasks import as `amp` (the repository's folder python/amp).
struct PackageFile {
    std::string_view name;
    std::string_view text;
};

std::span<const PackageFile> python_package();

}  // namespace amp
