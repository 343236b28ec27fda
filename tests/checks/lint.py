"""What ./dev lint checks: python3 lint.py [BASE]

Quick checks look at every file; clang-format and clang-tidy at what changed since BASE (default: where this branch left
main, or the last commit), committed or not. Ends with the names of what was not examined and `N passed, N failed, N skipped`.
"""

import py_compile
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faults
import includes
import names

ROOT = Path(__file__).resolve().parents[2]
TIDY_BUDGET_S = 420
FILE_LINES = 450  # the hard stop; a rule of thumb is 300. Functions: readability-function-size in .clang-tidy
SCRIPT_LINES = 500

# Not for a static glibc: these load the host's libraries or files. And no shells beside the user's own.
FORBIDDEN = re.compile(
    r"(?<![\w.:>])(?<!Error )(?:std::|::)?"
    r"(system|popen|getpwuid|getpwuid_r|getpwnam|getpwnam_r|getgrnam|getgrgid|getaddrinfo|getservbyname|gethostbyname"
    r"|iconv_open|dlopen|tmpnam|mktemp|strtok|setlocale)\s*\("
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout


def listed_files() -> list[str]:
    names = git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    return sorted({name for name in names if name and (ROOT / name).is_file()})


def default_base() -> str:
    head = git("rev-parse", "HEAD").strip()
    for branch in ("origin/main", "main", "origin/master", "master"):
        base = git("merge-base", "HEAD", branch).strip()
        if base and base != head:
            return base
    return git("rev-parse", "--verify", "--quiet", "HEAD~1").strip()


def changed_files(base: str) -> list[str]:
    """Without a base (a clone of one commit) every file counts as changed."""
    if not base:
        return listed_files()
    names = git("diff", "--name-only", "-z", base).split("\0") + git("ls-files", "--others", "--exclude-standard", "-z").split(
        "\0"
    )
    return sorted({name for name in names if name and (ROOT / name).is_file()})


def is_cpp(name: str) -> bool:
    return name.endswith((".cpp", ".hpp"))


def without_comments(text: str) -> str:
    """C++ with comments and string contents blanked, lines kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.DOTALL)
    return pattern.sub(lambda match: "\n" * match.group().count("\n"), text)


def check_format(changed: list[str]) -> list[str]:
    files = [name for name in changed if is_cpp(name)]
    if not files:
        return []
    result = subprocess.run(
        ["clang-format", "--dry-run", "--Werror", *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return sorted({line for line in result.stderr.splitlines() if "error:" in line})


def check_forbidden(files: list[str]) -> list[str]:
    findings = []
    for name in files:
        if not is_cpp(name):
            continue
        for number, line in enumerate(without_comments((ROOT / name).read_text()).splitlines(), 1):
            if not name.startswith("tests/") and (match := FORBIDDEN.search(line)):
                findings.append(f"{name}:{number}: {match.group(1)} is forbidden")
    return findings


def check_unfinished(files: list[str]) -> list[str]:
    own = "tests/checks/lint.py"
    suffixes = (".cpp", ".hpp", ".py", ".sh", ".toml", ".txt", ".cmake")
    return [
        f"{name}:{number}: {match.group()} is not left in files"
        for name in files
        if name != own and name.endswith(suffixes) and not name.startswith("tests/data/")
        for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), 1)
        if (match := UNFINISHED.search(line))
    ]


def check_sizes(files: list[str]) -> list[str]:
    findings = []
    for name in files:
        limit = FILE_LINES if is_cpp(name) else SCRIPT_LINES if name.endswith(".py") else None
        if limit and (lines := (ROOT / name).read_text().count("\n")) > limit:
            findings.append(f"{name}: {lines} lines; {limit} are the most")
    return findings


def is_shell(name: str) -> bool:
    if name.endswith(".sh"):
        return True
    if "." in Path(name).name:
        return False
    with (ROOT / name).open("rb") as stream:
        return re.match(rb"#!.*\b(ba)?sh\b", stream.readline(80)) is not None


def check_scripts(files: list[str]) -> list[str]:
    findings = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in files:
            if name.endswith(".py"):
                try:
                    py_compile.compile(str(ROOT / name), cfile=f"{scratch}/compiled", doraise=True)
                except py_compile.PyCompileError as error:
                    findings.append(f"{name}: {error.msg.strip()}")
                findings += [
                    f"{name}:{number}: longer than 130 columns, or with a tab or trailing blank"
                    for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
                    if len(line) > 130 or "\t" in line or line != line.rstrip()
                ]
            elif is_shell(name):
                result = subprocess.run(["bash", "-n", name], cwd=ROOT, capture_output=True, text=True, check=False)
                findings += result.stderr.splitlines()
    return findings


def translation_units(changed: list[str], files: list[str]) -> list[str]:
    """The .cpp files to examine: those that changed, and for each changed header the first file that includes it (its own)."""
    units = {name for name in changed if name.endswith(".cpp")}
    for header in (name for name in changed if name.endswith(".hpp")):
        own = header.removesuffix(".hpp") + ".cpp"
        include = f'#include "{header}"'
        users = [name for name in files if name.endswith(".cpp") and include in (ROOT / name).read_text()]
        if own in users:
            units.add(own)
        elif users and not units.intersection(users):
            units.add(users[0])
    return sorted(units)


def run_tidy(units: list[str]) -> tuple[list[str], list[str]]:
    """Findings, and the files that the budget did not reach."""
    deadline = time.monotonic() + TIDY_BUDGET_S

    def examine(name: str) -> tuple[str, str | None]:
        left = deadline - time.monotonic()
        if left <= 0:
            return name, None
        command = ["clang-tidy", "--quiet", "-p", "build", name]
        try:
            result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=left)
        except subprocess.TimeoutExpired:
            return name, None
        return name, result.stdout + result.stderr if result.returncode else ""

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(examine, units))
    missed = [name for name, output in answers if output is None]
    lines = (line for _, output in answers for line in (output or "").splitlines())
    return sorted({line for line in lines if "error:" in line}), missed


def main() -> int:
    base = sys.argv[1] if len(sys.argv) > 1 else default_base()
    files, changed = listed_files(), changed_files(base)
    checks = {
        "format": check_format(changed),
        "includes": includes.check(),
        "names of types": names.check(),
        "table of faults": faults.check(),
        "forbidden calls": check_forbidden(files),
        "unfinished": check_unfinished(files),
        "sizes": check_sizes(files),
        "scripts": check_scripts(files),
    }
    units = translation_units(changed, files)
    print(f"lint: clang-tidy on {len(units)} files changed since {base[:10] or 'ever'}", flush=True)
    checks["clang-tidy"], missed = run_tidy(units)
    for name, findings in checks.items():
        print("\n".join(findings) + "\n" if findings else "", end="")
        print(f"{name}: {len(findings)} findings" if findings else f"{name}: fine")
    for name in missed:
        print(f"skipped: clang-tidy {name}")
    failed = sum(1 for findings in checks.values() if findings)
    print(f"{len(missed)} skipped in all")
    print(f"{len(checks) - failed} passed, {failed} failed, {len(missed)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
