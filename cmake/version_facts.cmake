# Run at each build: cmake -D OUTPUT=… -D SOURCE=… -D VERSION=… -D COMPILER=… -D LINKAGE=… -D YAML_VERSION=…
# -D FMT_HEADERS=… -P version_facts.cmake
# Writes the .cpp behind cli/version_facts.hpp, and only when it changes: the commit, and what headers say of their
# libraries' versions.
function(commit_of source variable)
  set(${variable} "" PARENT_SCOPE)
  find_program(GIT git)
  if(NOT GIT OR NOT EXISTS ${source}/.git) # an unpacked archive may lie inside somebody else's repository
    return()
  endif()
  set(git ${GIT} --no-optional-locks -C ${source})
  execute_process(COMMAND ${git} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit RESULT_VARIABLE failed
    ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND ${git} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
  if(NOT failed)
    set(${variable} ${commit} PARENT_SCOPE)
    if(changes)
      set(${variable} ${commit}-dirty PARENT_SCOPE)
    endif()
  endif()
endfunction()

# The numbers that these macros of the header are defined as, with dots between.
function(macros_of header variable)
  set(numbers "")
  find_file(found ${header} PATHS ${FMT_HEADERS} /usr/include /usr/include/x86_64-linux-gnu NO_CACHE NO_DEFAULT_PATH)
  foreach(macro ${ARGN})
    file(STRINGS ${found} line REGEX "define[ \t]+${macro}[ \t]+\"?[0-9]" LIMIT_COUNT 1)
    string(REGEX REPLACE "^.*${macro}[ \t]+\"?([0-9._]+).*$" "\\1" number "${line}")
    list(APPEND numbers ${number})
  endforeach()
  list(JOIN numbers "." joined)
  string(REPLACE "_" "." joined "${joined}")
  set(${variable} ${joined} PARENT_SCOPE)
endfunction()

commit_of(${SOURCE} commit)
macros_of(openssl/opensslv.h openssl OPENSSL_VERSION_STR)
macros_of(zstd.h zstd ZSTD_VERSION_MAJOR ZSTD_VERSION_MINOR ZSTD_VERSION_RELEASE)
macros_of(fmt/core.h fmt_number FMT_VERSION)
math(EXPR major "${fmt_number} / 10000")
math(EXPR minor "${fmt_number} / 100 % 100")
math(EXPR patch "${fmt_number} % 100")
set(fmt ${major}.${minor}.${patch})
macros_of(toml++/impl/version.h toml TOML_LIB_MAJOR TOML_LIB_MINOR TOML_LIB_PATCH)
macros_of(boost/version.hpp boost BOOST_LIB_VERSION)
macros_of(CLI/Version.hpp cli11 CLI11_VERSION)
macros_of(features.h glibc __GLIBC__ __GLIBC_MINOR__)
string(REGEX REPLACE "^[^0-9]*([0-9]+).*" "\\1" libstdcxx "${COMPILER}")

set(libraries OpenSSL=${openssl} zstd=${zstd} yaml-cpp=${YAML_VERSION} fmt=${fmt} toml++=${toml} Boost=${boost} CLI11=${cli11}
  glibc=${glibc} libstdc++=${libstdcxx})
list(LENGTH libraries count)
set(entries "")
foreach(library ${libraries})
  string(REGEX REPLACE "^([^=]*)=(.*)$" "    {\"\\1\", \"\\2\"},\n" entry ${library})
  string(APPEND entries "${entry}")
endforeach()
string(REPLACE "=" " " line "${libraries}")
list(JOIN line ", " line)
if(commit)
  set(told ${commit})
else()
  set(told unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[
#include "cli/version_facts.hpp"

#include <array>

#include "core/base/version.hpp"

namespace amp {
namespace {

constexpr std::array<LinkedLibrary, @count@> k_libraries = {{
@entries@}};

}  // namespace

VersionFacts version_facts() {
    return {"@commit@", "@COMPILER@", "@LINKAGE@", k_libraries,
            "amp @VERSION@ (@told@)\n"
            "libraries: @line@\n"
            "compiler: @COMPILER@, @LINKAGE@\n"};
}

}  // namespace amp
]=])
