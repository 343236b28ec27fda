"""JSON Schema 2020-12 as far as docs/schemas uses it. A keyword that is not known here is an error, as is one misplaced."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

TYPES = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}
WORDS = {"$schema", "$id", "$defs", "title", "description"}  # they check nothing
DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Schemas:
    """The schemas of a folder, which refer to each other by the names of their files."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, Any] = {path.name: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}

    def errors(self, name: str, value: Any) -> list[str]:
        """What is wrong with `value` by the schema in that file."""
        return list(self._check(value, self.files[name], name, "$"))

    def _check(self, value: Any, schema: dict[str, Any], file: str, at: str):
        for keyword, rule in schema.items():
            if keyword in WORDS:
                continue
            check = getattr(self, "_" + keyword.lstrip("$"), None)
            if check is None:
                raise ValueError(f"{file}: unknown keyword '{keyword}'")
            yield from check(value, rule, schema, file, at)

    def _ref(self, value, rule, schema, file, at):
        other, _, pointer = rule.partition("#")
        target = self.files[other or file]
        for part in pointer.strip("/").split("/") if pointer else ():
            target = target[part]
        yield from self._check(value, target, other or file, at)

    def _type(self, value, rule, schema, file, at):
        names = [rule] if isinstance(rule, str) else rule
        if not any(TYPES[name](value) for name in names):
            yield f"{at}: {value!r} is no {' or '.join(names)}"

    def _const(self, value, rule, schema, file, at):
        if value != rule or type(value) is not type(rule):
            yield f"{at}: {value!r} is not {rule!r}"

    def _enum(self, value, rule, schema, file, at):
        if not any(value == one and type(value) is type(one) for one in rule):
            yield f"{at}: {value!r} is none of {rule}"

    def _pattern(self, value, rule, schema, file, at):
        if isinstance(value, str) and not re.search(rule, value):
            yield f"{at}: {value!r} does not match {rule}"

    def _format(self, value, rule, schema, file, at):
        if rule != "date-time":
            raise ValueError(f"{file}: unknown format '{rule}'")
        try:
            datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else None
        except ValueError:
            yield f"{at}: {value!r} is no time"

    def _minLength(self, value, rule, schema, file, at):
        if isinstance(value, str) and len(value) < rule:
            yield f"{at}: {value!r} is too short"

    def _minimum(self, value, rule, schema, file, at):
        if TYPES["number"](value) and value < rule:
            yield f"{at}: {value!r} is below {rule}"

    def _items(self, value, rule, schema, file, at):
        for n, item in enumerate(value if isinstance(value, list) else ()):
            yield from self._check(item, rule, file, f"{at}[{n}]")

    def _properties(self, value, rule, schema, file, at):
        for name, inner in rule.items() if isinstance(value, dict) else ():
            if name in value:
                yield from self._check(value[name], inner, file, f"{at}.{name}")

    def _required(self, value, rule, schema, file, at):
        for name in rule if isinstance(value, dict) else ():
            if name not in value:
                yield f"{at}: '{name}' is missing"

    def _additionalProperties(self, value, rule, schema, file, at):
        known = schema.get("properties", {})
        for name in value if isinstance(value, dict) else ():
            if name in known:
                continue
            if rule is False:
                yield f"{at}: '{name}' is not in the schema"
            elif rule is not True:
                yield from self._check(value[name], rule, file, f"{at}.{name}")

    def _anyOf(self, value, rule, schema, file, at):
        found = [list(self._check(value, one, file, at)) for one in rule]
        if all(found):
            yield f"{at}: none of {len(rule)} fits: {'; '.join(map(str, min(found, key=len)))}"

    def _oneOf(self, value, rule, schema, file, at):
        found = [list(self._check(value, one, file, at)) for one in rule]
        if sum(not errors for errors in found) != 1:
            yield f"{at}: {sum(not errors for errors in found)} of {len(rule)} fit: {'; '.join(map(str, min(found, key=len)))}"


def walk(schema: Any):
    """Every schema in it."""
    if isinstance(schema, dict):
        yield schema
        for keyword, inner in schema.items():
            if keyword in ("properties", "$defs"):
                for one in inner.values():
                    yield from walk(one)
            elif keyword in ("items", "additionalProperties"):
                yield from walk(inner)
            elif keyword in ("anyOf", "oneOf"):
                for one in inner:
                    yield from walk(one)
