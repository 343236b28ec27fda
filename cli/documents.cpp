#include "cli/documents.hpp"

#include "core/base/text.hpp"

namespace amp {
namespace {

/// `value` with null for those of `keys` that it lacks.
Object filled(Object value, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
        value.try_emplace(key);
    }
    return value;
}

}  // namespace

Value text_or_null(const std::string& text) {
    return text.empty() ? Value() : Value(to_utf8(text));
}

Value number_or_null(std::int64_t number, std::int64_t nothing) {
    Value out;
    if (number != nothing) {
        out = number;
    }
    return out;
}

Value time_or_null(const std::optional<Timestamp>& time) {
    return time ? Value(format_time(*time)) : Value();
}

Value artifact_document(const Artifact& artifact) {
    Object out = filled(to_value(artifact).as_object(), {"value"});
    out.erase("pack");
    out.erase("pack_offset");
    return out;
}

Value report_document(const TaskReport& report) {
    Object out = filled(to_value(report).as_object(), {"progress"});
    out.erase("pieces");
    Object metrics;
    for (const auto& [name, metric] : get_object(Value(out), "metrics")) {
        metrics.emplace(name, filled(metric.as_object(), {"step"}));
    }
    out.insert_or_assign("metrics", std::move(metrics));
    out.try_emplace("points", 0);
    out.try_emplace("notes", List());
    out.try_emplace("links", List());
    return out;
}

Value attempt_document(const AttemptResult& result) {
    Object artifacts;
    for (const auto& [name, artifact] : result.artifacts) {
        artifacts.emplace(name, artifact_document(artifact));
    }
    List ranks;
    for (const RankEnd& rank : result.ranks) {
        ranks.emplace_back(
            Object{{"exit", number_or_null(rank.exit, -1)}, {"signal", number_or_null(rank.signal, 0)}});
    }
    Object out = to_value(result).as_object();
    out.erase("log");
    out.insert_or_assign("exit", number_or_null(result.exit, -1));
    out.insert_or_assign("signal", number_or_null(result.signal, 0));
    out.insert_or_assign("message", text_or_null(result.message));
    out.insert_or_assign("artifacts", std::move(artifacts));
    out.insert_or_assign("log_bytes", result.log_bytes);
    out.insert_or_assign("log_dropped_bytes", result.log_dropped_bytes);
    out.insert_or_assign("report", result.report ? report_document(*result.report) : Value());
    out.insert_or_assign("ranks", std::move(ranks));
    out.insert_or_assign("failed_rank",
                         number_or_null(result.failed_rank ? std::int64_t{*result.failed_rank} : -1, -1));
    return out;
}

}  // namespace amp
