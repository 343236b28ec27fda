# Helpers of CMakeLists.txt: one static library a folder of the house, the executable, and a test program a folder.

function(amp_settings target)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
    -Wimplicit-fallthrough -Werror -fstack-protector-strong -ffunction-sections -fdata-sections)
  if(AMP_STATIC)
    # Hardened, and the same bytes from whatever folder it is built in (packaging/README.md).
    # ccache makes the paths relative to the folder of the build: these get the same names.
    file(RELATIVE_PATH source ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
    file(RELATIVE_PATH deps ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/build/deps)
    target_compile_options(${target} PRIVATE -D_FORTIFY_SOURCE=3 -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
      -ffile-prefix-map=${source}/= -ffile-prefix-map=${deps}/=build/deps/)
  endif()
  if(AMP_STATIC OR AMP_SANITIZE)
    # When it inlines much, or instruments, GCC 12 takes the other members of a std::variant for uninitialised.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
  endif()
  if(AMP_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${AMP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${AMP_SANITIZE})
  endif()
endfunction()

# amp_box(FOLDER [USES other boxes...] [LIBS libraries...] [SMALL])
# SMALL: what waits for people rather than for the processor is compiled for size where it is released.
function(amp_box folder)
  cmake_parse_arguments(BOX "SMALL" "" "USES;LIBS" ${ARGN})
  string(REPLACE "/" "_" target ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  list(TRANSFORM BOX_USES REPLACE "/" "_")
  set_property(GLOBAL APPEND PROPERTY AMP_BOXES ${folder})
  if(NOT sources)
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${BOX_USES} ${BOX_LIBS})
    return()
  endif()
  add_library(${target} STATIC ${sources})
  amp_settings(${target})
  if(BOX_SMALL AND AMP_STATIC)
    target_compile_options(${target} PRIVATE -Os)
  endif()
  target_link_libraries(${target} PUBLIC ${BOX_USES} ${BOX_LIBS})
endfunction()

# The Python package of tasks as constants of the program: what python_package() gives (backends/local).
function(amp_python_package target folder)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_SOURCE_DIR}/${folder}/*.py)
  set(entries "")
  foreach(name ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/${name})
    file(READ ${CMAKE_SOURCE_DIR}/${folder}/${name} text)
    string(APPEND entries "    {\"${name}\", R\"amp_py(${text})amp_py\"},\n")
  endforeach()
  list(LENGTH files count)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/python_package.cpp @ONLY CONTENT [=[
#include "backends/local/python_package.hpp"

#include <array>

namespace amp {
namespace {

constexpr std::array<PackageFile, @count@> k_files = {{
@entries@}};

}  // namespace

std::span<const PackageFile> python_package() {
    return k_files;
}

}  // namespace amp
]=])
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/python_package.cpp)
endfunction()

# What `amp --version` says, looked up at each build, and written when it changed.
function(amp_version_facts target)
  set(output ${CMAKE_BINARY_DIR}/version_facts.cpp)
  find_package(yaml-cpp CONFIG QUIET) # its headers do not say their version
  set(linkage shared)
  if(AMP_STATIC)
    set(linkage static)
  endif()
  string(REPLACE "GNU" "GCC" compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
  add_custom_target(version_facts BYPRODUCTS ${output} VERBATIM COMMENT "" COMMAND ${CMAKE_COMMAND}
    -D OUTPUT=${output} -D SOURCE=${CMAKE_SOURCE_DIR} -D VERSION=${PROJECT_VERSION} -D COMPILER=${compiler}
    -D LINKAGE=${linkage} -D YAML_VERSION=${yaml-cpp_VERSION} -D FMT_HEADERS=$<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>
    -P ${CMAKE_SOURCE_DIR}/cmake/version_facts.cmake)
  target_sources(${target} PRIVATE ${output})
  set_source_files_properties(${output} PROPERTIES GENERATED TRUE)
  add_dependencies(${target} version_facts)
endfunction()

function(amp_executable)
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/cli/main.cpp)
    return()
  endif()
  add_executable(amp ${CMAKE_SOURCE_DIR}/cli/main.cpp)
  amp_settings(amp)
  target_link_libraries(amp PRIVATE cli backends_routed backends_ssh backends_local backends_agent backends_system)
  if(AMP_STATIC)
    # lld alone packs relative relocations (0.6 MB of them); the map tells packaging/ what is linked in.
    target_link_options(amp PRIVATE -static-pie -fuse-ld=lld -s
      -Wl,--gc-sections,-O2,--pack-dyn-relocs=relr,-z,relro,-z,now,-z,noexecstack,-Map=amp.map)
    set_property(TARGET amp APPEND PROPERTY ADDITIONAL_CLEAN_FILES amp.map)
    add_custom_command(TARGET amp POST_BUILD VERBATIM COMMAND sh -c
      "! readelf -lW \"$1\" | grep -q INTERP && ! readelf -dW \"$1\" | grep -q NEEDED" sh $<TARGET_FILE:amp>)
  endif()
endfunction()

# One program for the tests of each folder, so that a change links one small program; tests/support is shared.
function(amp_unit_tests)
  file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cpp)
  add_library(test_support STATIC ${support})
  amp_settings(test_support)
  target_link_libraries(test_support PUBLIC core_run core_task core_store core_engine core_python core_flow core_ports core_base)
  get_property(boxes GLOBAL PROPERTY AMP_BOXES)
  foreach(folder ${boxes})
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${folder}/*_test.cpp)
    if(tests)
      string(REPLACE "/" "_" target ${folder})
      add_executable(unit_${target} ${tests})
      amp_settings(unit_${target})
      target_link_libraries(unit_${target} PRIVATE test_support ${target})
      target_compile_definitions(unit_${target} PRIVATE AMP_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
      add_test(NAME unit_${target} COMMAND unit_${target})
    endif()
  endforeach()
  # Its other end is the program itself.
  target_sources(unit_backends_ssh PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/backends/local/local_harness_test.cpp)
  target_compile_definitions(unit_backends_ssh PRIVATE AMP_BINARY="$<TARGET_FILE:amp>")
  add_dependencies(unit_backends_ssh amp)
endfunction()

# Programs that measure a part alone, for tests/bench; built when asked for.
function(amp_benchmarks)
  add_executable(bench_plan_memory EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/bench/plan_memory.cpp)
  amp_settings(bench_plan_memory)
  target_link_libraries(bench_plan_memory PRIVATE core_engine core_flow)
endfunction()

# What the tests of the built binary need beside it.
function(amp_e2e_tools)
  add_executable(kill_at ${CMAKE_SOURCE_DIR}/tests/e2e/kill_at.cpp)
  amp_settings(kill_at)
  add_executable(python_tree ${CMAKE_SOURCE_DIR}/tests/e2e/python_tree.cpp)
  amp_settings(python_tree)
  target_link_libraries(python_tree PRIVATE test_support core_python)
endfunction()
