#include <algorithm>

#include "core/python/parser_state.hpp"
#include "core/python/string_literal.hpp"

namespace amp::python {
namespace {

StringForm fstring_form(std::string_view start) {
    return {
        .raw = start.find_first_of("rR") != std::string_view::npos, .bytes = false, .doubled_braces = true};
}

}  // namespace

/// Text of a joined string that is not yet a node: neighbours are one.
struct Parser::Piece {
    std::string text;
    bool undecided = false;
    bool any = false;
    std::uint32_t begin = 0;
};

/// One or more literals side by side.
NodeId Parser::strings() {
    const std::uint32_t from = begin();
    bool joined = false;
    for (std::size_t i = 0; kind(i) == TokenKind::string || kind(i) == TokenKind::fstring_start; ++i) {
        if (kind(i) == TokenKind::fstring_start) {
            joined = true;
            break;
        }
    }
    return joined ? joined_strings(from) : plain_strings(from);
}

NodeId Parser::plain_strings(std::uint32_t from) {
    std::string value;
    bool undecided = false;
    bool bytes = false;
    for (bool first = true; at(TokenKind::string); first = false) {
        const StringParts parts = split_string(text());
        if (!first && parts.form.bytes != bytes) {
            fail_at(from, peek().end, "cannot mix bytes and nonbytes literals");
        }
        bytes = parts.form.bytes;
        DecodedString decoded = decode_string(parts.body, parts.form);
        if (decoded.problem) {
            const std::uint32_t where = begin() + parts.body_offset + decoded.problem->at;
            fail_at(where, where + 1, decoded.problem->message);
        }
        undecided = undecided || decoded.undecided;
        value.append(decoded.text);
        ++position_;
    }
    // What is written without escapes lies in the file itself.
    const std::string_view whole = source_.slice(from, last_end());
    const std::size_t found = value.size() + 16 > whole.size() ? whole.find(value) : std::string_view::npos;
    const std::string_view kept =
        found != std::string_view::npos ? whole.substr(found, value.size()) : tree_.keep(std::move(value));
    return add(bytes ? Kind::bytes : Kind::string, from, {}, {.text = kept, .flag = undecided});
}

NodeId Parser::joined_strings(std::uint32_t from) {
    NodeIds parts;
    Piece piece;
    while (at(TokenKind::string) || at(TokenKind::fstring_start)) {
        if (at(TokenKind::fstring_start)) {
            fstring(parts, piece);
            continue;
        }
        const StringParts literal = split_string(text());
        if (literal.form.bytes) {
            fail_at(from, peek().end, "cannot mix bytes and nonbytes literals");
        }
        const DecodedString decoded = decode_string(literal.body, literal.form);
        if (decoded.problem) {
            const std::uint32_t where = begin() + literal.body_offset + decoded.problem->at;
            fail_at(where, where + 1, decoded.problem->message);
        }
        piece.begin = piece.any ? piece.begin : begin();
        piece.any = true;
        piece.undecided = piece.undecided || decoded.undecided;
        piece.text.append(decoded.text);
        ++position_;
    }
    flush(parts, piece);
    return add(Kind::joined_string, from, parts);
}

void Parser::flush(NodeIds& parts, Piece& piece) {
    if (piece.any && !piece.text.empty()) {
        parts.push_back(add(Kind::string, piece.begin, {},
                            {.text = tree_.keep(std::move(piece.text)), .flag = piece.undecided}));
    }
    piece = {};
}

void Parser::append_middle(Piece& piece, bool raw, bool doubled_braces) {
    const DecodedString decoded =
        decode_string(text(), {.raw = raw, .bytes = false, .doubled_braces = doubled_braces});
    if (decoded.problem) {
        fail_at(begin() + decoded.problem->at, begin() + decoded.problem->at + 1, decoded.problem->message);
    }
    piece.begin = piece.any ? piece.begin : begin();
    piece.any = true;
    piece.undecided = piece.undecided || decoded.undecided;
    piece.text.append(decoded.text);
    ++position_;
}

void Parser::fstring(NodeIds& parts, Piece& piece) {
    const StringForm form = fstring_form(text());
    ++position_;
    while (!accept(TokenKind::fstring_end)) {
        if (at(TokenKind::fstring_middle)) {
            append_middle(piece, form.raw, true);
        } else if (at(TokenKind::left_brace)) {
            fstring_field(parts, piece, form.raw);
        } else {
            fail_syntax();
        }
    }
}

/// `{value}`, `{value=}`, `{value!r}`, `{value:format}`.
void Parser::fstring_field(NodeIds& parts, Piece& piece, bool raw) {
    const Deeper deeper(*this);
    const std::uint32_t from = begin();
    ++position_;
    if (at(TokenKind::right_brace) || at(TokenKind::exclamation) || at(TokenKind::colon)) {
        fail("f-string: valid expression required before '" + std::string(text()) + "'");
    }
    const NodeId value = yield_or_star_expressions();
    const bool shows = accept(TokenKind::assign);
    const std::uint32_t shown_end = begin();
    std::uint32_t conversion = 0;
    if (accept(TokenKind::exclamation)) {
        const std::string_view name = text();
        if (!at(TokenKind::name) || (name != "r" && name != "s" && name != "a")) {
            fail("f-string: invalid conversion character '" + std::string(name) +
                 "': expected 's', 'r', or 'a'");
        }
        conversion = static_cast<unsigned char>(name.front());
        ++position_;
    }
    NodeId format = k_no_node;
    if (accept(TokenKind::colon)) {
        format = format_spec(raw);
    }
    if (!accept(TokenKind::right_brace)) {
        if (at(TokenKind::error)) {
            fail_syntax();
        }
        fail("f-string: expecting '}'");
    }
    if (shows) {  // the text of the expression itself comes first
        const std::string_view shown = source_.slice(from + 1, shown_end);
        piece.begin = piece.any ? piece.begin : from + 1;
        piece.any = true;
        piece.text.append(shown);
        if (conversion == 0 && format == k_no_node) {
            conversion = 'r';
        }
    }
    flush(parts, piece);
    parts.push_back(add(Kind::formatted, from, {value, format}, {.number = conversion}));
}

NodeId Parser::format_spec(bool raw) {
    const std::uint32_t from = begin();
    NodeIds parts;
    Piece piece;
    while (at(TokenKind::fstring_middle) || at(TokenKind::left_brace)) {
        if (at(TokenKind::fstring_middle)) {
            append_middle(piece, raw, false);
        } else {
            fstring_field(parts, piece, raw);
        }
    }
    flush(parts, piece);
    return add(Kind::joined_string, from, parts);
}

}  // namespace amp::python
