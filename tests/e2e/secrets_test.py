"""Secrets: where they come from, that tasks have them, and that their values are found nowhere else."""

import base64
import json
import os
import re
import signal
import subprocess
import unittest
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from harness import AmpTest, Project, kill_quietly, wait_until

# Each with characters that are escaped somewhere.
ENV = "canary-env/7f3a+Q==\"x' y"
FILE = "canary-file-91c2&%é$z"
COMMAND = "canary-cmd-55ee\\t;<>"
PARAM = "canary-param-0b1d?{}~"
PEM = "-----BEGIN CANARY-----\nMIIcanaryAAAA11112222\ncanaryBBBB33334444==\n-----END CANARY-----"
ALL = {"FROM_ENV": ENV, "FROM_FILE": FILE, "FROM_CMD": COMMAND, "token": PARAM, "PEM": PEM}

SHOW = r"""
import base64, json, os, shlex, sys, time, urllib.parse
for name in ("FROM_ENV", "FROM_FILE", "FROM_CMD", "AMP_PARAM_TOKEN", "PEM"):
    value = os.environ[name]
    raw = value.encode()
    print(name, "plain", value, flush=True)
    for n in range(3):
        print(name, "base64", base64.b64encode(b"x" * n + raw + b"tail").decode())
        print(name, "base64url", base64.urlsafe_b64encode(b"y" * n + raw).decode())
    print(name, "url", urllib.parse.quote(value, safe=""), urllib.parse.quote(value), urllib.parse.quote_plus(value))
    print(name, "json", json.dumps(value), json.dumps(value, ensure_ascii=False), json.dumps({"k": value}))
    print(name, "shell", shlex.quote(value), flush=True)
    for c in raw:  # one write a byte
        os.write(1, bytes([c]))
    os.write(2, b"\n" + b"z" * 70000 + raw + b"\n")
print("shown")
"""

FLOW = """
[flow]
name = "Canary"

[params]
token = { type = "secret" }

[step.show]
run = "python3 show.py"
params = ["token"]
secrets = { FROM_ENV = "env:CANARY_SOURCE", FROM_FILE = "file:../canary", FROM_CMD = "cmd:cat ../command", PEM = "file:../pem" }

[step.use]
needs = "show"
run = '''
echo "length ${#FROM_ENV} ${#FROM_FILE} ${#FROM_CMD}"
printf '%s' {{ params.token }} | wc -c
amp note "note of $FROM_ENV" ; amp link "here" "https://example.org/?t=$FROM_FILE" ; amp metric loss=1
printf '%s' "$FROM_CMD" > $AMP_OUT/mine
'''
secrets = { FROM_ENV = "env:CANARY_SOURCE", FROM_FILE = "file:../canary", FROM_CMD = "cmd:cat ../command" }

[step.fails]
needs = "use"
retry = 1
run = '''
ulimit -c unlimited
echo "$FROM_ENV" >&2
[ -e "$LEDGER.go" ] || { echo "$AMP_ATTEMPT" >> $LEDGER; [ "$AMP_ATTEMPT" = 1 ] && exit 3; sleep 100; }
'''
secrets = { FROM_ENV = "env:CANARY_SOURCE" }
"""


def forms(value: str) -> set[bytes]:
    raw = value.encode()
    out = {raw, json.dumps(value)[1:-1].encode(), urllib.parse.quote(value, safe="").encode(), raw.hex().encode()}
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * before + raw)
            out.add(text[[0, 2, 3][before] : (before + len(raw)) * 8 // 6])
    return out | {line.encode() for line in value.split("\n") if len(line) >= 12}


CANARIES = {form: name for name, value in ALL.items() for form in forms(value)}


def contents(store: Path, amp: Path) -> dict[str, bytes]:
    """Each file of a folder; packs as amp shows them are looked at by `amp logs`."""
    return {str(path): path.read_bytes() for path in store.rglob("*") if path.is_file() and not path.is_symlink()}


def unpacked(data: bytes) -> bytes:
    """zstd frames within, as far as the tool is there."""
    out = b""
    for found in re.finditer(re.escape(b"\x28\xb5\x2f\xfd"), data):
        done = subprocess.run(["zstd", "-dcq"], input=data[found.start() :], capture_output=True, check=False)
        out += done.stdout
    return out


def files_below(folder: Path) -> Iterator[Path]:
    """Folders may go meanwhile: a keeper clears away its own when its run has ended."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


class Secrets(AmpTest):
    def canary_project(self) -> Project:
        project = self.project({"flow.toml": FLOW, "show.py": SHOW})
        (project.top / "canary").write_text(FILE + "\n")
        (project.top / "command").write_text(COMMAND)
        (project.top / "pem").write_text(PEM + "\n")
        (project.top / "parameter").write_text(PARAM + "\n")
        return project

    def assert_clean(self, where: str, data: bytes) -> None:
        for canary, name in CANARIES.items():
            at = data.find(canary)
            if at >= 0:
                self.fail(f"{where} holds {name} as {canary!r}: …{data[max(0, at - 80) : at + 40]!r}")

    def assert_clean_everywhere(self, project: Project, allowed: bytes = b"") -> None:
        given = {str(project.top / name) for name in ("canary", "command", "pem", "parameter", "project/keys/k", "project/token")}
        temporary = [Path("/tmp") / f"amp-{os.getuid()}", Path("/run/user") / str(os.getuid())]
        for folder in [project.top, *temporary]:
            for path in files_below(folder):
                if path.is_symlink() or str(path) in given:
                    continue
                try:
                    if not path.is_file():
                        continue
                    data = path.read_bytes()
                except OSError:
                    continue  # of another run, and gone
                if data != allowed:
                    self.assert_clean(str(path), data)
                    if unpacked(data) != allowed:
                        self.assert_clean(f"{path} (unpacked)", unpacked(data))
        for pid, arguments in project.processes().items():
            self.assert_clean(f"the arguments of {pid}", "\0".join(arguments).encode())

    def assert_clean_commands(self, project: Project) -> None:
        commands = [["show", "latest"], ["show", "latest", "--json"], ["logs", "latest"], ["show", "latest/fails"],
                    ["runs", "--json"],
                    ["why", "latest"], ["validate"], ["config"], ["metrics", "latest"]]
        for command in commands:
            result = project.amp(*command)
            self.assert_clean(" ".join(command), (result.out + result.err).encode())

    def test_no_value_is_found_anywhere(self) -> None:
        project = self.canary_project()
        env = {"CANARY_SOURCE": ENV}
        amp = project.start("run", "-p", "token=@../parameter", "--events", "ndjson", env=env)
        try:
            wait_until(lambda: project.ledger_lines()[-1:] == ["2"], 20, "the second attempt")
        except AssertionError:
            self.fail(project.output() + project.amp("logs", "latest").out)
        self.assert_clean_everywhere(project, COMMAND.encode())
        for keeper in project.keepers():
            self.assertIn("Max core file size        0 ", Path(f"/proc/{keeper}/limits").read_text())
            for secret in (FILE, COMMAND, PARAM):
                self.assertNotIn(secret.encode(), Path(f"/proc/{keeper}/environ").read_bytes())
        kill_quietly(amp.pid)
        amp.wait()
        (project.top / "ledger.go").touch()
        lacking = project.amp("resume", "latest", env=env)
        self.assertNotEqual(lacking.code, 0)
        self.assertIn("AMP_PARAM_TOKEN", lacking.err)
        for keeper in project.keepers():
            kill_quietly(keeper, signal.SIGTERM)
        wait_until(lambda: not project.keepers(), 30, "the keeper's end")
        resumed = self.run_ok(project, "resume", "latest", env={**env, "AMP_PARAM_TOKEN": PARAM})
        self.assert_clean("resume", (resumed.out + resumed.err).encode())
        self.assert_clean("what run printed", project.output().encode())
        self.assert_clean_everywhere(project, COMMAND.encode())
        with self.assertRaisesRegex(AssertionError, "FROM_CMD"):  # the artifact is the user's: it is found
            self.assert_clean_everywhere(project)
        self.assert_clean_commands(project)
        log = project.amp("logs", "latest/show").out
        self.assertEqual(log.count("***FROM_ENV***"), log.count("***FROM_FILE***"))
        self.assertIn("FROM_CMD plain ***FROM_CMD***\n", log)
        self.assertIn("AMP_PARAM_TOKEN plain ***token***\n", log)
        self.assertIn("shown", log)
        use = project.amp("logs", "latest/use").out
        self.assertIn(f"length {len(ENV)} {len(FILE)} {len(COMMAND)}", use)
        self.assertIn(str(len(PARAM)), use)

    def test_what_is_missing_is_told_before_anything_runs(self) -> None:
        project = self.project(
            "[flow]\nname = 'M'\n[step.a]\nrun = 'echo $A'\n"
            "secrets = { A = 'env:NOT_SET', B = 'file:gone', C = 'cmd:echo oops >&2; exit 4' }\n"
        )
        told = project.amp("validate")
        self.assertIn("NOT_SET", told.out + told.err)
        self.assertIn("gone", told.out + told.err)
        result = project.amp("run")
        self.assertEqual(result.code, 3)
        for text in ("NOT_SET", "gone", "exit 4", "oops"):
            self.assertIn(text, result.err)
        self.assertFalse((project.folder / ".amp" / "store" / "runs").exists() and project.runs())

    def test_no_program_runs_before_the_flow_does(self) -> None:
        project = self.project(
            "[flow]\nname = 'M'\n[step.a]\nrun = 'true'\nsecrets = { A = 'cmd:touch $LEDGER.ran; echo value' }\n"
        )
        for command in (["validate"], ["show"], ["plan"], ["config"]):
            project.amp(*command)
        self.assertFalse((project.top / "ledger.ran").exists())
        self.run_ok(project, "run")
        self.assertTrue((project.top / "ledger.ran").exists())

    def test_a_value_that_becomes_an_artifact_of_the_records_fails_the_task(self) -> None:
        project = self.project("[flow]\nname = 'V'\n[step.a]\nrun = 'amp put v \"x $A\"'\nsecrets = ['A']\n")
        result = project.amp("run", env={"A": ENV})
        self.assertEqual(result.code, 1)
        self.assertIn("holds the value of a secret", result.err + result.out)
        self.assert_clean_everywhere(project)

    def test_a_value_that_is_too_large_to_stand_in_a_record_fails_as_well(self) -> None:
        for size in (5_000, 100_000):
            program = f"import json, os\nvalue = ['p' * {size}, os.environ['A']]\n"
            program += "with open(os.environ['AMP_OUT'] + '/v.json', 'w') as file:\n    json.dump(value, file)\n"
            flow = "[flow]\nname = 'V'\n[step.a]\nrun = 'python3 make.py'\nsecrets = ['A']\n"
            project = self.project({"flow.toml": flow, "make.py": program})
            result = project.amp("run", env={"A": ENV})
            self.assertEqual(result.code, 1)
            self.assertIn("holds the value of a secret", result.err + result.out)
            self.assert_clean_everywhere(project)

    def test_a_value_that_a_spawned_run_would_be_recorded_with_is_refused(self) -> None:
        child = "[flow]\nname = 'C'\n[params]\nu = 'x'\n[step.c]\nrun = 'true'\n"
        flow = "[flow]\nname = 'V'\n[step.a]\nrun = 'amp spawn c.toml -p \"u=$A\" --wait'\nsecrets = ['A']\n"
        project = self.project({"flow.toml": flow, "c.toml": child})
        self.assertEqual(project.amp("run", env={"A": ENV}).code, 1)
        self.assertIn("holds the value of a secret", project.amp("logs", "latest").out)
        self.assertEqual(len(project.runs("--all")), 1)
        self.assert_clean_everywhere(project)

    def test_a_run_that_another_starts_has_its_secrets(self) -> None:
        child = "[flow]\nname = 'C'\n[params]\ntoken = { type = 'secret' }\n[step.c]\n"
        child += "run = 'echo {{ params.token }} is ${#AMP_PARAM_TOKEN}'\nparams = ['token']\n"
        parent = "[flow]\nname = 'P'\n[params]\ntoken = { type = 'secret' }\n"
        parent += "[step.named]\nflow = 'c.toml'\n[step.spawned]\nrun = 'amp spawn c.toml --wait'\n"
        project = self.project({"flow.toml": parent, "c.toml": child})
        self.assert_code(0, project.amp("run", "-p", "token=-", stdin=b"hunter2hunter2\n"))
        children = [run["run"] for run in project.runs("--all") if run["flow"] == "C"]
        self.assertEqual(len(children), 2)
        for run in children:
            self.assertIn("***token*** is 14", project.amp("logs", run).out)

    def test_a_secret_that_nobody_has_is_told_to_who_spawns(self) -> None:
        child = "[flow]\nname = 'C'\n[params]\ntoken = { type = 'secret' }\n[step.c]\nrun = 'true'\n"
        parent = "[flow]\nname = 'P'\n[step.a]\nrun = 'amp spawn c.toml --wait'\n"
        project = self.project({"flow.toml": parent, "c.toml": child})
        self.assert_code(1, project.amp("run"))
        self.assertIn("$AMP_PARAM_TOKEN", project.amp("logs", "latest").out)
        self.assertEqual(len(project.runs("--all")), 1)
        self.assert_code(0, project.amp("resume", env={"AMP_PARAM_TOKEN": ENV}))

    def test_who_spawns_gives_no_secret(self) -> None:
        child = "[flow]\nname = 'C'\n[params]\ntoken = { type = 'secret' }\n[step.c]\nrun = 'true'\n"
        parent = "[flow]\nname = 'P'\n[step.a]\nrun = 'amp spawn c.toml -p token=hunter2hunter2 --wait'\n"
        project = self.project({"flow.toml": parent, "c.toml": child})
        self.assert_code(1, project.amp("run"))
        self.assertIn("leave it out", project.amp("logs", "latest").out)
        self.assertEqual(len(project.runs("--all")), 1)

    def test_a_file_that_holds_one_is_no_code(self) -> None:
        flow = "[flow]\nname = 'F'\n[params]\nt = { type = 'secret' }\n"
        flow += "[step.a]\nrun = 'echo {{ params.t }} $K'\nsecrets = { K = 'file:keys/k' }\n"
        project = self.project({"flow.toml": flow, "keys/k": FILE, "token": PARAM})
        refused = project.amp("run", "-p", "t=@token")
        self.assertEqual(refused.code, 3)
        self.assertIn("keys/k, token hold a secret", refused.err)
        self.assert_clean_everywhere(project)
        project.write(".ampignore", "keys/\ntoken\n")
        self.assert_code(0, project.amp("run", "-p", "t=@token"))
        self.assert_clean_everywhere(project)

    def test_nor_is_it_when_changed_code_is_resumed(self) -> None:
        flow = "[flow]\nname = 'F'\n[step.a]\nrun = 'test \"$K\" = x'\nsecrets = { K = 'file:keys/k' }\n"
        project = self.project({"flow.toml": flow, ".ampignore": "keys/\n", "keys/k": FILE})
        self.assert_code(1, project.amp("run"))
        project.write(".ampignore", "")
        refused = project.amp("resume")
        self.assertEqual(refused.code, 3)
        self.assertIn("keys/k holds a secret", refused.err)
        self.assertEqual(len(project.runs()), 1)
        self.assert_clean_everywhere(project)
        project.write(".ampignore", "keys\n")
        self.assert_code(1, project.amp("resume"))
        self.assertEqual(len(project.runs()), 2)
        self.assert_clean_everywhere(project)

    def test_nor_is_one_behind_a_link_or_at_home(self) -> None:
        flow = "[flow]\nname = 'F'\n[step.a]\nrun = 'echo $K'\nsecrets = { K = 'file:KEY' }\n"
        project = self.project({"flow.toml": flow, "token": FILE})
        (project.folder / "keys").mkdir()
        (project.folder / "keys" / "k").symlink_to("../token")
        for path in ("keys/k", "~/keys/k", "~/token"):
            project.write("flow.toml", flow.replace("KEY", path))
            refused = project.amp("run", env={"HOME": str(project.folder)})
            self.assertEqual(refused.code, 3, path)
            self.assertIn("token holds a secret", refused.err)
            self.assert_clean_everywhere(project)

    def test_the_variable_of_a_secret_is_no_expression(self) -> None:
        flow = "[flow]\nname = 'E'\n[step.a]\nrun = 'echo {{ env.TOK }}'\n"
        flow += "[step.b]\nrun = 'true'\nsecrets = { T = 'env:TOK' }\n"
        project = self.project(flow)
        refused = project.amp("run", env={"TOK": ENV})
        self.assertEqual(refused.code, 3)
        self.assertIn("AMP1424", refused.err)

    def test_parameters_on_the_command_line(self) -> None:
        flow = "[flow]\nname = 'P'\n[params]\ntoken = { type = 'secret' }\n[step.a]\n"
        flow += "run = 'echo {{ params.token }} is ${#AMP_PARAM_TOKEN}'\nparams = ['token']\n"
        project = self.project(flow)
        refused = project.amp("run", "-p", "token=hunter2hunter2")
        self.assertEqual(refused.code, 3)
        self.assertIn("@FILE", refused.err)
        self.assertNotIn("hunter2", refused.err)
        self.assert_code(0, project.amp("run", "-p", "token=-", stdin=b"hunter2hunter2\n"))
        self.assertIn("***token*** is 14", project.amp("logs", "latest").out)

    def test_a_prompt_is_not_held_back(self) -> None:
        run = 'printf "Name? s"; while [ ! -e $LEDGER.go ]; do sleep 0.05; done'
        project = self.project(f"[flow]\nname = 'P'\n[step.a]\nrun = '{run}'\nsecrets = ['A']\n")
        amp = project.start("run", env={"A": "secret-of-a-task"})
        wait_until(lambda: "Name? s" in project.amp("logs", "latest").out, 20, "the prompt")
        (project.top / "ledger.go").touch()
        self.assertEqual(amp.wait(), 0)


if __name__ == "__main__":
    unittest.main()
