"""CPython's tree of a file, in the text that python_tree (python_tree.cpp) prints of amp's: python_trees.py FILE...

Run by whichever Python is to be compared with: it is no part of the tests themselves.
"""

import ast
import struct
import sys

ESCAPES = {i: f"\\x{i:02x}" for i in (*range(0x20), 0x22, 0x5C, *range(0x7F, 0x100))}
# In the order of amp's dump; of all other nodes their own.
FIELDS = {
    "FunctionDef": ("name", "args", "body", "decorator_list", "returns", "type_params"),
    "AsyncFunctionDef": ("name", "args", "body", "decorator_list", "returns", "type_params"),
    "ClassDef": ("name", "bases", "keywords", "body", "decorator_list", "type_params"),
    "Assign": ("targets", "value"),
    "For": ("target", "iter", "body", "orelse"),
    "AsyncFor": ("target", "iter", "body", "orelse"),
    "With": ("items", "body"),
    "AsyncWith": ("items", "body"),
    "arg": ("arg", "annotation"),
    "TypeVar": ("name", "bound", "default_value"),
    "ParamSpec": ("name", "default_value"),
    "TypeVarTuple": ("name", "default_value"),
}


def quoted(letter: str, raw: bytes) -> str:
    return f'{letter}"{raw.decode("latin1").translate(ESCAPES)}"'


def constant(value: object) -> str:
    if isinstance(value, str):
        return quoted("s", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes):
        return quoted("b", value)
    if value is None or value is ... or isinstance(value, bool):
        return "..." if value is ... else str(value)
    if isinstance(value, int):
        return f"i{value}" if value < 2**63 else "i#"
    kind, number = ("j", value.imag) if isinstance(value, complex) else ("f", value)
    return f"{kind}{struct.unpack('<Q', struct.pack('<d', number))[0]:016x}"


def element(value: object) -> str:
    return dump(value) if isinstance(value, ast.AST) else "-" if value is None else str(value)


def field(node: ast.AST, name: str) -> str:
    value = getattr(node, name, [] if name == "type_params" else None)
    if isinstance(value, list):
        return "[" + "".join(element(one) + ";" for one in value) + "]"
    if isinstance(value, ast.AST) or value is None:
        return element(value)
    return str(value)


class Dump:
    places = True


def place(node: ast.AST) -> str:
    if not Dump.places or not hasattr(node, "lineno"):
        return ""
    return f"@{node.lineno}:{node.col_offset}-{node.end_lineno}:{node.end_col_offset}"


def dump(node: ast.AST) -> str:
    kind = type(node).__name__
    if not node._fields and not hasattr(node, "lineno"):  # an operator
        return kind
    begin = kind + place(node) + "("
    if kind == "Constant":
        return f"{begin},{constant(node.value)})"
    if kind == "MatchSingleton":
        return f"{begin},{node.value})"
    if kind == "TypeAlias":
        return f"{begin},{node.name.id},{field(node, 'type_params')},{field(node, 'value')})"
    before = Dump.places
    Dump.places = before and kind != "JoinedStr"
    if kind == "Module":
        return field(node, "body")
    names = FIELDS.get(kind) or [name for name in node._fields if name not in ("ctx", "kind", "type_comment")]
    text = begin + "".join("," + field(node, name) for name in names) + ")"
    Dump.places = before
    return text


def tree_of(path: str) -> str:
    Dump.places = True
    try:
        with open(path, "rb") as file:
            return dump(ast.parse(file.read()))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"!{getattr(error, 'lineno', 0)}:{getattr(error, 'offset', 0)}: {getattr(error, 'msg', None) or error!r}"


if __name__ == "__main__":
    sys.setrecursionlimit(20_000)
    import warnings

    warnings.simplefilter("ignore")
    for argument in sys.argv[1:]:
        print(tree_of(argument))
