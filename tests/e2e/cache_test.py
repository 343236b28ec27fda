"""Results taken over from other runs."""

from harness import AmpTest

FLOW = """
[flow]
name = "Cached"

[params]
n = 3
word = "plain"

[step.make]
foreach = "range(params.n)"
run = '''
echo "$AMP_TASK" >> "$LEDGER"
head -c 20000 /dev/zero | tr '\\\\0' x > "$AMP_OUT/file"
amp put value "{{ params.word }} {{ item }}"
amp put long "$(head -c 6000 /dev/zero | tr '\\\\0' y)"
'''
cache = true

[step.read]
needs = "make"
join = true
run = 'amp put all "$(cat "$AMP_IN"/make/*/value.json | tr -d "\\\\n")"'
inputs = ["make.*.value", "make.*.file", "make.*.long"]
"""


class Cache(AmpTest):
    def test_an_equal_definition_is_not_done_again(self) -> None:
        project = self.project(FLOW)
        first = self.run_ok(project, "run").out.strip()
        self.assertEqual(len(project.ledger_lines()), 3)
        self.assertEqual(project.json("plan")["steps"][0]["tasks"][0]["what"], "reuse")
        self.run_ok(project, "run", "--n", "4")
        self.assertEqual(len(project.ledger_lines()), 4)
        tasks = project.tasks()
        self.assertEqual([tasks[f"make/{i}"]["state"] for i in range(4)], ["cached"] * 3 + ["succeeded"])
        self.assertEqual(tasks["make/1"]["made_by"], f"{first}/make/1")
        self.assertIn(f"3 cached from run {first}", self.run_ok(project, "show").out)
        self.assertIn(first, self.run_ok(project, "why", "latest/make/1").out)
        self.assertEqual(self.run_ok(project, "get", "latest/make/1", "value").out, "plain 1\n")
        self.assertEqual(self.run_ok(project, "get", "latest/read", "all").out.count("plain"), 4)
        self.run_ok(project, "run", "--word", "other")
        self.assertEqual(len(project.ledger_lines()), 7)
        self.run_ok(project, "run", "--no-cache")
        self.assertEqual(len(project.ledger_lines()), 10)

    def test_what_the_task_told_is_known_of_its_result(self) -> None:
        """Metrics, notes and links of a task that was not done again: by its cache, or by a resume with a change elsewhere."""
        run = "for i in 1 2; do amp metric loss=0.$i --step $i; done; amp note warm; amp link Board http://x; amp put n 1"
        step = f"[step.make]\nrun = '{run}'\n"
        flow = '[flow]\nname = "Told"\n[params]\nword = "a"\n' + step
        read = '[step.read]\nneeds = "make"\nparams = ["word"]\nrun = "true"\n'
        for cached in (True, False):
            project = self.project(flow + ("cache = true\n" if cached else "") + read)
            self.run_ok(project, "run")
            points = self.run_ok(project, "metrics", "latest", "--csv").out
            first = project.tasks()["make/_"]["report"]
            again = ("run",) if cached else ("resume", "latest", "--word", "b")
            self.run_ok(project, *again)
            self.run_ok(project, "resume", "latest", "--word", "c")  # from a run that has it from another
            self.assertEqual(project.states()["make/_"], "cached")
            self.assertEqual(project.tasks()["make/_"]["report"], first)
            self.assertEqual(self.run_ok(project, "metrics", "latest", "--csv").out, points)
            self.assertEqual(points.count("loss"), 2)
            shown = self.run_ok(project, "show", "latest").out
            for text in ("loss 0.2 (step 2)", "Board: http://x", "warm"):
                self.assertIn(text, shown)
            runs = [run["run"] for run in project.runs()]
            for compared in project.json("compare", *runs)["runs"]:
                self.assertEqual(compared["values"]["make.loss"], 0.2)
            self.assertEqual(project.json("diff", runs[0], runs[-1])["metrics"], [])

    def test_results_outlive_their_run_and_a_collection(self) -> None:
        project = self.project(FLOW)
        first = self.run_ok(project, "run").out.strip()
        self.assert_no_orphans(project)
        self.run_ok(project, "rm", first)
        self.run_ok(project, "gc", "--grace", "0")
        self.run_ok(project, "gc", "--grace", "0")
        self.run_ok(project, "fsck")
        self.run_ok(project, "run")
        self.assertEqual(len(project.ledger_lines()), 3)
        self.assertEqual(set(project.states().values()), {"cached", "succeeded"})

    def test_a_result_whose_object_is_gone_is_made_again(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run", "--n", "1")
        for path in (project.folder / ".amp" / "objects").glob("*/*"):
            path.chmod(0o600)
            path.unlink()
        self.run_ok(project, "run", "--n", "1")
        self.assertEqual(len(project.ledger_lines()), 2)
        self.run_ok(project, "run", "--n", "1")
        self.assertEqual(len(project.ledger_lines()), 2)

    def test_the_cache_can_be_deleted(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run", "--n", "1")
        for path in sorted((project.folder / ".amp" / "cache").rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        self.run_ok(project, "run", "--n", "1")
        self.assertEqual(len(project.ledger_lines()), 2)
