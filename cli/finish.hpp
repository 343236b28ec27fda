#pragma once

#include <string>

#include "cli/parser.hpp"

namespace amp {

// What hangs together between options, once all are read. @throws Error(usage)

template <class Any>
void finish(Any&) {}
void finish(RunCommand& c);
void finish(ResumeCommand& c);
void finish(PlanCommand& c);
void finish(TagCommand& c);
void finish(PackageCommand& c);

// Of the ways to print that a command has, besides those of all: the option that was given, or "".

template <class Any>
std::string own_output(const Any&) {
    return "";
}
std::string own_output(const ShowCommand& c);
std::string own_output(const CompareCommand& c);

/// One document, or records, or a graph: not two of them. @param own as own_output() says
void check_outputs(const CommonOptions& common, const std::string& own);

}  // namespace amp
