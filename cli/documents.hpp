#pragma once

#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/base/value.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

// Parts of JSON documents that several have. In a document every key of its schema is there, and null says
// that there is nothing (docs/schemas/README.md); what records of the store hold is another thing.

Value text_or_null(const std::string& text);
/// The number; null for `nothing`.
Value number_or_null(std::int64_t number, std::int64_t nothing);
Value time_or_null(const std::optional<Timestamp>& time);
/// Where its bytes lie in the store is nobody's business.
Value artifact_document(const Artifact& artifact);
Value report_document(const TaskReport& report);
Value attempt_document(const AttemptResult& result);

}  // namespace amp
