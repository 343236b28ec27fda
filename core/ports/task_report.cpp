#include "core/ports/task_report.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace amp {
namespace {

Value whole(std::uint64_t n) {
    return {n};
}

std::uint64_t get_whole(const Value& value, std::string_view key) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, get_int(value, key)));
}

double get_number(const Value& value, std::string_view key) {
    const Value* found = value.find(key);
    return found == nullptr ? 0 : number_from(*found).value_or(0);
}

Timestamp get_time(const Value& value, std::string_view key) {
    return parse_time(get_string(value, key)).value_or(Timestamp{});
}

Value metric_value(const MetricSummary& metric) {
    Object out{
        {"count", whole(metric.count)}, {"last", metric.last}, {"min", metric.min}, {"max", metric.max}};
    if (metric.step) {
        out["step"] = *metric.step;
    }
    return out;
}

MetricSummary metric_from(const Value& value) {
    MetricSummary metric{get_whole(value, "count"), get_number(value, "last"), std::nullopt,
                         get_number(value, "min"), get_number(value, "max")};
    if (const Value* step = value.find("step"); step != nullptr && step->is_int()) {
        metric.step = step->as_int();
    }
    return metric;
}

}  // namespace

void MetricSummary::add(double value, std::optional<std::int64_t> at_step) {
    min = count == 0 || std::isnan(min) || value < min ? value : min;
    max = count == 0 || std::isnan(max) || value > max ? value : max;
    last = value;
    step = at_step;
    ++count;
}

std::optional<double> number_from(const Value& value) {
    if (value.is_number()) {
        return value.as_float();
    }
    if (!value.is_string()) {
        return std::nullopt;
    }
    const std::string& text = value.as_string();
    if (text == "NaN" || text == "nan") {
        return std::numeric_limits<double>::quiet_NaN();
    }
    if (text == "Infinity" || text == "inf") {
        return std::numeric_limits<double>::infinity();
    }
    if (text == "-Infinity" || text == "-inf") {
        return -std::numeric_limits<double>::infinity();
    }
    return std::nullopt;
}

Value to_value(const TaskReport& report) {
    Object out;
    Object metrics;
    for (const auto& [name, metric] : report.metrics) {
        metrics.emplace(name, metric_value(metric));
    }
    List notes;
    for (const TaskNote& note : report.notes) {
        notes.emplace_back(Object{{"text", note.text}, {"at", format_time(note.at)}});
    }
    List links;
    for (const TaskLink& link : report.links) {
        links.emplace_back(Object{{"title", link.title}, {"url", link.url}});
    }
    if (!metrics.empty()) {
        out["metrics"] = std::move(metrics);
        out["points"] = whole(report.points);
    }
    if (!notes.empty()) {
        out["notes"] = std::move(notes);
    }
    if (!links.empty()) {
        out["links"] = std::move(links);
    }
    if (report.progress) {
        out["progress"] = Object{{"done", report.progress->done},
                                 {"text", report.progress->text},
                                 {"at", format_time(report.progress->at)}};
    }
    if (!report.pieces.empty()) {
        out["pieces"] = to_value(report.pieces);
    }
    return out;
}

TaskReport task_report_from(const Value& value) {
    TaskReport report;
    for (const auto& [name, metric] : get_object(value, "metrics")) {
        report.metrics.emplace(name, metric_from(metric));
    }
    for (const Value& note : get_list(value, "notes")) {
        report.notes.push_back({get_string(note, "text"), get_time(note, "at")});
    }
    for (const Value& link : get_list(value, "links")) {
        report.links.push_back({get_string(link, "title"), get_string(link, "url")});
    }
    if (const Value* progress = value.find("progress")) {
        report.progress = TaskProgress{get_number(*progress, "done"), get_string(*progress, "text"),
                                       get_time(*progress, "at")};
    }
    report.points = get_whole(value, "points");
    report.pieces = log_pieces_from(get_list(value, "pieces"));
    return report;
}

Value to_value(const std::vector<LogPiece>& pieces) {
    List list;
    list.reserve(pieces.size());
    for (const LogPiece& piece : pieces) {
        Object out{{"pack", piece.pack}, {"offset", whole(piece.offset)}, {"length", whole(piece.length)}};
        if (!piece.sha256.empty()) {
            out["sha256"] = piece.sha256;
        }
        if (piece.is_range()) {
            out["frames"] = whole(piece.frames);
            out["last_pack"] = piece.last_pack;
            out["last_offset"] = whole(piece.last_offset);
        }
        if (piece.rank) {
            out["rank"] = std::int64_t{*piece.rank};
        }
        list.emplace_back(std::move(out));
    }
    return list;
}

std::vector<LogPiece> log_pieces_from(const List& list) {
    std::vector<LogPiece> pieces;
    for (const Value& piece : list) {
        LogPiece read{get_string(piece, "pack"), get_whole(piece, "offset"), get_whole(piece, "length"),
                      get_string(piece, "sha256")};
        if (const std::uint64_t frames = get_whole(piece, "frames"); frames > 1) {
            read.frames = frames;
            read.last_pack = get_string(piece, "last_pack");
            read.last_offset = get_whole(piece, "last_offset");
        }
        if (piece.find("rank") != nullptr) {
            read.rank = static_cast<std::uint32_t>(get_whole(piece, "rank"));
        }
        pieces.push_back(std::move(read));
    }
    return pieces;
}

}  // namespace amp
