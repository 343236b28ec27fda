#pragma once

#include <span>

#include "core/flow/catalogue.hpp"

namespace amp::catalogue_parts {

// The groups of codes, each in a file of its own, sorted by code.
std::span<const CatalogueEntry> form();
std::span<const CatalogueEntry> expressions();
std::span<const CatalogueEntry> interpolation();
std::span<const CatalogueEntry> graph();
std::span<const CatalogueEntry> references();
std::span<const CatalogueEntry> artifacts();
std::span<const CatalogueEntry> parameters();
std::span<const CatalogueEntry> requests();
std::span<const CatalogueEntry> subflows();
std::span<const CatalogueEntry> settings();
std::span<const CatalogueEntry> python();
std::span<const CatalogueEntry> python_flow();

}  // namespace amp::catalogue_parts
