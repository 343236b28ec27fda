"""The judge of the kill tests: a ledger that the tasks wrote outside of amp, against what amp says.

A ledger line is `TOKEN STEP/INDEX ATTEMPT start` or `… end`, appended in one write by the task itself.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    token: str
    task: str
    attempt: int
    what: str


@dataclass(frozen=True)
class Snapshot:
    """What amp had recorded at a time: everything that the ledger holds beyond `ledger_length` came later."""

    ledger_length: int
    succeeded: frozenset[str]


def parse_ledger(lines: list[str]) -> list[Entry]:
    entries = []
    for line in lines:
        words = line.split()
        if len(words) != 4 or words[3] not in ("start", "end") or not words[2].isdigit():
            raise ValueError(f"no ledger line: {line!r}")
        entries.append(Entry(words[0], words[1], int(words[2]), words[3]))
    return entries


def judge(lines: list[str], snapshots: list[Snapshot], tasks: dict[str, dict[str, Any]], expected: set[str]) -> list[str]:
    """Everything that is against the promises; empty when all is well.

    @param tasks STEP/INDEX → the task as the final `amp show RUN --json` has it
    @param expected the tasks that must have succeeded
    """
    entries = parse_ledger(lines)
    return [
        *nothing_lost(entries, tasks, expected),
        *nothing_twice(entries, snapshots),
        *no_overlap(entries),
        *one_token_an_attempt(entries),
        *all_accounted_for(entries, tasks),
    ]


def nothing_lost(entries: list[Entry], tasks: dict[str, dict[str, Any]], expected: set[str]) -> list[str]:
    ended = {(entry.task, entry.attempt) for entry in entries if entry.what == "end"}
    findings = []
    for name in sorted(expected | set(tasks)):
        task = tasks.get(name)
        if task is None:
            findings.append(f"lost: amp does not know {name}")
        elif name not in expected:
            findings.append(f"invented: amp knows {name}, which is not in the flow")
        elif task["state"] != "succeeded":
            findings.append(f"lost: {name} is {task['state']}")
        elif (name, task["attempt"]) not in ended:
            findings.append(f"lost: {name} succeeded in attempt {task['attempt']}, which the ledger has no end of")
    return findings


def nothing_twice(entries: list[Entry], snapshots: list[Snapshot]) -> list[str]:
    return [
        f"twice: {entry.task} was started as attempt {entry.attempt} after amp had recorded its success"
        for snapshot in snapshots
        for entry in entries[snapshot.ledger_length :]
        if entry.what == "start" and entry.task in snapshot.succeeded
    ]


def no_overlap(entries: list[Entry]) -> list[str]:
    """An attempt that writes its end after a later one has started was alive beside it."""
    findings = []
    latest: dict[str, int] = {}
    for entry in entries:
        newest = latest.get(entry.task, 0)
        if entry.what == "start":
            if entry.attempt <= newest:
                findings.append(f"order: {entry.task} was started as attempt {entry.attempt} after attempt {newest}")
            latest[entry.task] = max(newest, entry.attempt)
        elif entry.attempt < newest:
            findings.append(f"overlap: attempt {entry.attempt} of {entry.task} ended after attempt {newest} had started")
    return findings


def one_token_an_attempt(entries: list[Entry]) -> list[str]:
    findings = []
    owner: dict[str, tuple[str, int]] = {}
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        attempt = (entry.task, entry.attempt)
        if owner.setdefault(entry.token, attempt) != attempt:
            findings.append(f"token: {entry.token} belongs to {owner[entry.token]} and to {attempt}")
        if (entry.token, entry.what) in seen:
            findings.append(f"twice: attempt {entry.attempt} of {entry.task} has a second {entry.what}")
        if entry.what == "end" and (entry.token, "start") not in seen:
            findings.append(f"order: attempt {entry.attempt} of {entry.task} ended before it started")
        seen.add((entry.token, entry.what))
    return findings


def all_accounted_for(entries: list[Entry], tasks: dict[str, dict[str, Any]]) -> list[str]:
    known = {(name, attempt["attempt"]) for name, task in tasks.items() for attempt in task["attempts"]}
    ran = {(entry.task, entry.attempt) for entry in entries}
    return [f"unaccounted: amp does not know of attempt {attempt} of {name}" for name, attempt in sorted(ran - known)]
