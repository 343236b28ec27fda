"""Every JSON document that amp prints, in real situations, against its schema in docs/schemas."""

import json
import re
import time
from typing import Any

from harness import ROOT, AmpTest, Project, Result, wait_until
from json_schema import DRAFT, Schemas, walk

FOLDER = ROOT / "docs" / "schemas"
TYPES = "amp.types.1.json"
# Commands that have no document: they print nothing, a page or a script.
WITHOUT = {"help", "put", "metric", "note", "link", "progress", "completion", "complete", "manual", "task", "shell"}

RICH = """
[flow]
name = "Rich"
description = "all that can be told"
tags = ["nightly"]

[params]
sizes = { type = "list", default = [1, 2], help = "of what" }
lr = 0.1
must = { type = "string", default = "x" }

[step.prepare]
cache = true
run = '''
mkdir -p "$AMP_OUT/folder" && echo x > "$AMP_OUT/folder/x" && echo file > "$AMP_OUT/text"
amp put data '{"a": [1, null]}'
'''

[step.train]
needs = "prepare"
foreach = "params.sizes"
retry = { times = 1, delay = "0s" }
run = '''
echo {{ prepare.data }} {{ prepare.text }}
amp get data --json > "$LEDGER.value"; amp get text --json > "$LEDGER.path"
amp metric loss=0.5 acc=nan --step 3; amp note "remark"; amp link page http://x; amp progress 0.5 half
test "$AMP_ATTEMPT" -gt 1
'''

[step.caught]
needs = "train"
join = true
catch = "problem"
run = "exit 3"

[step.skipped]
needs = "prepare"
when = "params.lr > 1"
run = "true"

[step.again]
needs = "prepare"
repeat = { until = "again.done == true", max = 3 }
run = '''
amp put done "$(test "$AMP_INDEX" = _@2 && echo true || echo false)"
'''

[step.starts]
needs = "prepare"
checkpoint = true
run = '''
amp checkpoint --json > "$LEDGER.checkpoint"
amp spawn child.toml --json > "$LEDGER.spawn"; amp spawn child.toml --key 2 --wait --json > "$LEDGER.spawned"
'''

[step.below]
needs = "prepare"
flow = "child.toml"

[step.gang]
needs = "prepare"
nodes = 2
resources = { cpu = 0.1 }
run = "true"

[step.at_end]
when = "always()"
run = "true"
"""
CHILD = '[flow]\nname = "Child"\n[step.one]\nrun = "amp put x 1"\n'
FAILS = '[flow]\nname = "Fails"\n[step.one]\nrun = "kill -9 $$"\n[step.two]\nneeds = "one"\nrun = "true"\n'
WRONG = '[flow]\nnmae = "W"\n[step.one]\nneeds = "oen"\nrun = "echo {{ params.x }}"\n'
LATER = '[flow]\nname = "L"\nschedule = "@daily"\n[step.one]\nrun = "true"\n'
ASKS = '[flow]\nname = "Asks"\n[step.wide]\nresources = { cpu = 1 }\nforeach = "[1,2,3]"\nrun = "sleep 0.3"\n' + (
    '[step.publish]\nneeds = "wide"\njoin = true\nwait = "approval"\nrun = "true"\n'
)
QUEUES = '[flow]\nname = "Queues"\nconcurrency = "queue"\n[step.one]\nrun = "while ! test -e $LEDGER.go; do sleep 0.05; done"\n'


class Documents(AmpTest):
    seen: list[tuple[str, Any]]
    commands: set[str]
    schemas: Schemas

    @classmethod
    def setUpClass(cls) -> None:
        cls.seen, cls.commands, cls.schemas = [], set(), Schemas(FOLDER)
        cls.project_ = Project(
            {"flow.toml": RICH, "child.toml": CHILD, "fails.toml": FAILS, "wrong.toml": WRONG, "later.toml": LATER}
            | {"asks.toml": ASKS, "queues.toml": QUEUES, "amp.toml": '[profile.local]\nbackend = "local"\n'}
        )
        cls.addClassCleanup(cls.project_.remove)
        for story in (cls.nothing, cls.rich, cls.failed, cls.waiting, cls.queued, cls.maintenance):
            story()

    # What happens.

    @classmethod
    def tell(cls, *command: str, code: int | None = 0, project: Project | None = None) -> list[Any]:
        """Runs amp with --json and keeps what it prints."""
        result = (project or cls.project_).amp(*command, "--json")
        cls.keep(" ".join(command), result, code)
        cls.commands.add(command[0])
        return [json.loads(line) for line in result.out.splitlines()]

    @classmethod
    def keep(cls, story: str, result: Result, code: int | None = 0) -> None:
        if code is not None and result.code != code:
            raise AssertionError(f"amp {story}: {str(result)[-2000:]}")
        cls.seen += [(story, json.loads(line)) for line in result.out.splitlines()]

    @classmethod
    def nothing(cls) -> None:
        empty = Project({})
        try:
            for command in (["runs"], ["gc"], ["config"], ["version"], ["explain"], ["explain", "AMP1203"], ["compare"]):
                cls.tell(*command, project=empty, code=None)
            cls.tell("doctor", project=empty, code=None)
            for command in (
                ["validate"],
                ["run"],
                ["show"],
                ["config", "nothing"],
                ["explain", "AMP0"],
                ["tag", "list"],
                ["rm", "x"],
            ):
                cls.tell(*command, project=empty, code=7)
            for command in (["show", "../x"], ["show", "--nonsense"], ["nonsense"], ["show", "--select"]):
                cls.tell(*command, project=empty, code=2)
        finally:
            empty.remove()
        for flow, code in (("flow.toml", 0), ("wrong.toml", 3), ("later.toml", 0)):
            cls.tell("validate", flow, code=code)
        for flow, code in (("flow.toml", 0), ("wrong.toml", 3), ("asks.toml", 0)):
            cls.tell("show", flow, code=code)
        cls.tell("run", "wrong.toml", code=3)
        wrong = cls.project_.amp("run", "wrong.toml", "--events=ndjson")
        cls.keep("run wrong.toml --events", wrong, 3)
        cls.keep("attach nothing --events", cls.project_.amp("attach", "nothing", "--events=ndjson"), 7)
        if json.loads(wrong.out)["error"]["exit_code"] != 3:
            raise AssertionError(str(wrong))
        cls.tell("plan")
        cls.tell("plan", "wrong.toml", code=3)

    @classmethod
    def rich(cls) -> None:
        cls.keep("run --events", cls.project_.amp("run", "--events=ndjson", "--tag", "good"))
        for name in ("value", "path", "checkpoint", "spawn", "spawned"):
            text = (cls.project_.top / f"ledger.{name}").read_text()
            cls.seen += [(f"in a task: {name}", json.loads(text))]
        cls.commands |= {"spawn", "checkpoint"}
        cls.tell("run", "-p", "lr=2")
        for command in (
            ["show"],
            ["show", "Rich/latest/train"],
            ["artifacts"],
            ["logs"],
            ["metrics"],
            ["runs", "--all"],
            ["tag", "list", "@good"],
        ):
            cls.tell(*command)
        cls.tell("get", "latest/prepare", "data")
        cls.tell("get", "latest/prepare", "nothing", code=7)
        cls.tell("tag", "add", "latest", "b")
        cls.tell("diff", "@good", "latest")
        cls.tell("diff", "--patch", "latest", "latest")
        cls.tell("compare")
        cls.tell("why", "latest/skipped")
        cls.tell("why", "latest/train/0")
        cls.tell("plan", "--resume", "latest", "--from", "train")
        cls.tell("replay", "latest/prepare")
        cls.tell("checkout", "latest", str(cls.project_.top / "there"))
        cls.tell("package", "list")
        cls.tell("package", "list", "fails.toml", "--sort", "size", "--limit", "1")
        cls.tell("package", "save", str(cls.project_.top / "code.tar.zst"), "--run", "latest")
        cls.keep("resume --events", cls.project_.amp("resume", "--events=ndjson", "--from", "train"))
        cls.tell("resume")

    @classmethod
    def failed(cls) -> None:
        cls.tell("run", "fails.toml", code=1)
        for command in (
            ["show"],
            ["runs", "--state", "failed"],
            ["why", "latest/two"],
            ["logs"],
            ["artifacts"],
            ["metrics"],
            ["plan", "--resume", "latest"],
        ):
            cls.tell(*command)
        cls.tell("replay", "latest/one", code=None)
        cls.tell("resume", code=1)
        cls.tell("resume", "--detach", code=None)
        cls.tell("cancel")

    @classmethod
    def waiting(cls) -> None:
        run = cls.tell("run", "--detach", "asks.toml", "--max-workers", "1")[0]["run"]
        cls.tell("show")
        wait_until(lambda: "waits_for" in cls.project_.amp("show", run, "--json").out, 20, "the run is there")
        with cls.project_.start("attach", run, "--events=ndjson") as attached:
            wait_until(lambda: cls.project_.json("show", run)["tasks"][-1]["waits_since"], 30, "a task waits")
            cls.tell("show")
            cls.tell("runs")
            cls.tell("attach", run, "--nonsense", code=2)
            cls.tell("rm", run, code=75)
            cls.tell("approve", f"{run}/publish", "--comment", "fine")
            attached.wait(30)
        cls.keep("attach --events", Result(0, cls.project_.output(), ""))
        cls.tell("attach", run)
        (cls.project_.top / "output").unlink(missing_ok=True)
        with cls.project_.start("run", "asks.toml", "--events=ndjson") as driver:
            wait_until(lambda: "task_waits" in cls.project_.output(), 30, "a task waits")
            cls.tell("approve", "Asks/latest/publish", "--reject")
            driver.wait(30)
        cls.keep("run --events", Result(0, cls.project_.output(), ""))

    @classmethod
    def queued(cls) -> None:
        first = cls.tell("run", "--detach", "queues.toml")[0]["run"]
        second = cls.tell("run", "--detach", "queues.toml")[0]["run"]
        cls.tell("show", second)
        cls.tell("run", "queues.toml", "--concurrency", "skip")
        (cls.project_.top / "output").unlink(missing_ok=True)
        with cls.project_.start("run", "queues.toml", "--events=ndjson", "--max-workers", "1") as third:
            time.sleep(0.5)
            (cls.project_.top / "ledger.go").touch()
            third.wait(30)
        cls.keep("run --events, queued", Result(0, cls.project_.output(), ""))
        for run in (first, second):
            cls.project_.amp("attach", run)

    @classmethod
    def maintenance(cls) -> None:
        cls.tell("gc", "--dry-run", "--keep-last", "1")
        cls.tell("gc", "--keep-last", "4", "--grace", "1d")
        cls.tell("fsck")
        run = cls.tell("rm", "latest")[0]["removed_runs"][0]
        cls.tell("show", run, code=7)
        run = cls.project_.runs()[0]["run"]
        (cls.project_.folder / ".amp" / "runs" / run / "run.json").write_text("damage")
        cls.tell("runs")
        cls.tell("show", run, code=6)
        cls.tell("fsck", code=6)
        cls.tell("config")
        cls.tell("config", "profile")

    # What must hold.

    def test_each_document_fits_its_schema(self) -> None:
        wrong = []
        for story, document in self.seen:
            name = document.get("schema", "none")
            file = name.replace("/", ".") + ".json"
            if file not in self.schemas.files:
                wrong.append(f"amp {story}: there is no schema {file}")
            else:
                wrong += [f"amp {story}: {name}: {error}" for error in self.schemas.errors(file, document)]
        self.assertEqual(wrong[:20], [])

    def test_each_schema_was_seen(self) -> None:
        seen = {document["schema"].replace("/", ".") + ".json" for _, document in self.seen}
        self.assertEqual(seen, set(self.schemas.files) - {TYPES})
        events = {document["event"] for _, document in self.seen if "event" in document}
        known = {one["properties"]["event"]["const"] for one in self.schemas.files["amp.event.1.json"]["oneOf"]}
        # The backend of this version starts what it is given: nothing queues there.
        self.assertEqual(known - events, {"task_queued"}, "no such event was told")

    def test_each_command_was_asked(self) -> None:
        listed = set(re.findall(r"^  ([a-z]+) ", self.project_.amp("help").out, re.MULTILINE))
        commands = {name for name in listed if "--json" in self.project_.amp(name, "-h").out}
        self.assertGreater(len(commands), 25)
        self.assertEqual(commands - WITHOUT - self.commands, set(), "no test asks these for JSON")

    def test_schemas_are_strict_and_explained(self) -> None:
        readme = (FOLDER / "README.md").read_text()
        for name, schema in self.schemas.files.items():
            with self.subTest(name):
                self.assertEqual((schema["$schema"], schema["$id"]), (DRAFT, name))
                self.assertTrue(schema["title"])
                self.assertIn(f"]({name})", readme)
                for one in walk(schema):
                    unknown = [word for word in one if not word.startswith("$") and not hasattr(self.schemas, "_" + word)]
                    self.assertEqual(set(unknown) - {"title", "description"}, set())
                    if "properties" in one:
                        self.assertEqual(sorted(one["required"]), sorted(one["properties"]))
                        self.assertIs(one["additionalProperties"], False)
                    if "$ref" in one:
                        list(self.schemas._ref(None, one["$ref"], one, name, "$"))  # it is there

    def test_the_checker_finds_what_is_wrong(self) -> None:
        run = "261120-081530-k3fx"
        good = {"schema": "amp.cancel/1", "run": run, "was_open": True}
        self.assertEqual(self.schemas.errors("amp.cancel.1.json", good), [])
        for change in ({"was_open": 1}, {"run": "x"}, {"run": None}, {"more": 1}, {"schema": "amp.cancel/2"}):
            self.assertTrue(self.schemas.errors("amp.cancel.1.json", {**good, **change}), change)
        self.assertTrue(self.schemas.errors("amp.cancel.1.json", {"schema": "amp.cancel/1", "run": run}))
        for at in ("2026-11-20T08:15:30Z", "2026-13-20T08:15:30.123Z", 5):
            event = {"schema": "amp.event/1", "event": "note", "run": run, "at": at, "text": "x"}
            self.assertTrue(self.schemas.errors("amp.event.1.json", event), at)
        with self.assertRaises(ValueError):
            list(self.schemas._check(1, {"multipleOf": 2}, "x", "$"))
