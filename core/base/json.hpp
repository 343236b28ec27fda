#pragma once

#include <string>
#include <string_view>

#include "core/base/value.hpp"

namespace amp::json {

/// Parses one JSON document. Depth is limited to 128; duplicate keys keep the last; integers that do not fit
/// 64 bits become floats; invalid UTF-8 is refused.
/// @param what names the source in the error ("run.json of 261120-…")
/// Users' data: no object in it is anything but an object. amp's own records are read by parse_record.
/// @throws Error(mismatch) with the place when `text` is no JSON
Value parse(std::string_view text, std::string_view what = "JSON");

/// Canonical form, for hashes, signatures and results: sorted keys, no spaces, shortest round-trip numbers,
/// UTF-8; NaN and infinities as the strings "nan", "inf", "-inf". Invalid UTF-8 becomes U+FFFD. A FileRef
/// becomes
/// {"$file": {path, sha256, size_bytes, is_folder}}.
std::string dump(const Value& value);
void dump_to(std::string& out, const Value& value);

/// amp's own records (journals, run.json, messages): as dump and parse, but that a FileRef comes back as one,
/// and an object of the user's that looks like one as an object: its key "$file" is written "$$file".
std::string dump_record(const Value& value);
void dump_record_to(std::string& out, const Value& value);
Value parse_record(std::string_view text, std::string_view what = "a record");

/// Indented by two spaces, for people.
std::string dump_pretty(const Value& value);

/// `text` as a JSON string, with its quotes.
std::string quote(std::string_view text);

}  // namespace amp::json
