"""amp package: what of a project is its code, as a list and as an archive; pointers of git-lfs, weight, code of an image."""

import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from harness import AMP, AmpTest, Project, Result

FLOW = '[flow]\nname = "Packed"\n[step.one]\nrun = "true"\n'
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "1" * 64 + "\nsize 123456789\n"
LONG = "d" * 120 + "/" + "f" * 200
FILES = {
    "flow.toml": FLOW,
    "train.py": "print(1)\n",
    "src/util.py": "x = 1\n" * 1000,
    "src/größe.txt": "utf-8\n",
    LONG: "a long name\n",
    "empty.txt": "",
}


def git(folder: Path, *arguments: str, **options) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@localhost", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout.strip()


def unpacked(archive: Path, folder: Path) -> Path:
    """By the tools that everybody has."""
    folder.mkdir()
    plain = subprocess.run(["zstd", "-d", "-q", "-c", str(archive)], check=True, capture_output=True).stdout
    result = subprocess.run(["tar", "-x", "-C", str(folder)], input=plain, check=True, capture_output=True)
    if result.stderr:
        raise AssertionError(result.stderr.decode())
    return folder


def tree(folder: Path) -> dict[str, object]:
    """Path → content, target or None of an empty folder; with x where it is executable."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = (bool(path.stat().st_mode & 0o100), path.read_bytes())
        elif not any(path.iterdir()):
            found[name] = None
    return found


class PackageTest(AmpTest):
    def repository(self, files: dict[str, str | bytes] | None = None) -> Project:
        project = self.project(files or FILES)
        project.write("bin/run.sh", "#!/bin/sh\n").chmod(0o755)
        (project.folder / "link").symlink_to("src/util.py")
        git(project.folder, "init", "-q")
        project.write(".gitignore", "*.log\n")
        git(project.folder, "add", ".")
        git(project.folder, "commit", "-qm", "first")
        project.write("ignored.log", "x")
        project.write("new.py", "not committed\n")
        return project

    def save(self, project: Project, *arguments: str, **options) -> tuple[Path, str]:
        """The archive, and the hash that was printed."""
        file = project.top / f"code{len(list(project.top.glob('code*')))}.tar.zst"
        result = self.run_ok(project, "package", "save", str(file), *arguments, **options)
        self.assertRegex(result.out, r"^[0-9a-f]{64}\n$")
        return file, result.out.strip()


class List(PackageTest):
    def test_what_would_be_shipped(self) -> None:
        project = self.repository()
        document = project.json("package", "list")
        paths = [entry["path"] for entry in document["entries"]]
        self.assertEqual(paths, sorted([*FILES, "bin/run.sh", "link", ".gitignore", "new.py"], key=str.encode))
        self.assertEqual(document["files"], len(paths))
        self.assertEqual(document["size_bytes"], sum(entry["size_bytes"] for entry in document["entries"]))
        self.assertEqual((document["code"], document["run"], document["flow"]), ("files", None, "Packed"))
        by_path = {entry["path"]: entry for entry in document["entries"]}
        self.assertTrue(by_path["bin/run.sh"]["executable"])
        self.assertEqual((by_path["link"]["kind"], by_path["link"]["link"]), ("link", "src/util.py"))
        text = self.run_ok(project, "package", "list").out
        self.assertIn(document["hash"], text.splitlines()[-1])
        self.assertIn(f"{len(paths)} files", text.splitlines()[-1])

    def test_the_heavy_first_and_a_record_a_line(self) -> None:
        project = self.repository()
        lines = [line.split("\t") for line in self.run_ok(project, "package", "list", "--plain").out.splitlines()]
        self.assertEqual({len(line) for line in lines}, {4})
        self.assertEqual(lines[0][:3], [".gitignore", "file", "6"])
        heavy = project.json("package", "list", "--sort", "size", "--limit", "2")["entries"]
        self.assertEqual([entry["path"] for entry in heavy], ["src/util.py", "flow.toml"])
        first = self.run_ok(project, "package", "list", "--sort", "size", "--limit", "1").out.splitlines()[1]
        self.assertEqual(first.split(), ["5.9", "KiB", "src/util.py"])

    def test_what_the_flow_says(self) -> None:
        project = self.repository()
        project.write("other.toml", FLOW.replace("[step", 'code = { include = ["src"], exclude = ["*.txt"] }\n[step'))
        paths = [entry["path"] for entry in project.json("package", "list", "other.toml")["entries"]]
        self.assertEqual(paths, ["src/util.py"])
        project.write(".ampignore", "src\n")
        paths = [entry["path"] for entry in project.json("package", "list")["entries"]]
        self.assertIn("train.py", paths)
        self.assertFalse([path for path in paths if path.startswith("src")])

    def test_usage(self) -> None:
        project = self.repository()
        for arguments in (
            ("list", "flow.toml", "train.py"),
            ("save",),
            ("save", "a", "flow.toml", "x"),
            ("list", "flow.toml", "--run", "latest"),
            ("show",),
            (),
        ):
            self.assert_code(2, project.amp("package", *arguments))
        self.assert_code(7, project.amp("package", "list", "nothing.toml"))
        self.assert_code(7, project.amp("package", "list", "--run", "latest"))
        project.write("wrong.toml", FLOW.replace("run =", "runs ="))
        self.assert_code(3, project.amp("package", "list", "wrong.toml"))


class Save(PackageTest):
    def test_two_clones_are_the_same_bytes(self) -> None:
        """Whatever umask, times, time zone and store they have."""
        project = self.repository()
        (project.folder / "new.py").unlink()
        one, hash_one = self.save(project)
        other = self.project({})
        other.folder.rmdir()
        git(project.top, "clone", "-q", str(project.folder), str(other.folder), umask=0o077)
        for path in other.folder.rglob("*"):
            if ".git" not in path.parts and not path.is_symlink():
                os.utime(path, (86400, 86400))
        two, hash_two = self.save(other, env={"TZ": "Asia/Tokyo", "LC_ALL": "C"})
        self.assertEqual(hash_one, hash_two)
        self.assertEqual(one.read_bytes(), two.read_bytes())
        again, _ = self.save(project)
        self.assertEqual(one.read_bytes(), again.read_bytes())

    def test_everybody_s_tools_read_it(self) -> None:
        project = self.repository()
        file, _ = self.save(project)
        there = tree(unpacked(file, project.top / "there"))
        expected = {name: content for name, content in tree(project.folder).items() if not name.startswith((".git/", ".amp/"))}
        del expected["ignored.log"]
        self.assertEqual(there, expected)
        plain = subprocess.run(["zstd", "-d", "-q", "-c", str(file)], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
            members = archive.getmembers()
        self.assertEqual([member.name for member in members], sorted(there, key=str.encode))
        self.assertEqual({(member.mtime, member.uid, member.gid, member.uname) for member in members}, {(0, 0, 0, "")})
        self.assertEqual({member.mode for member in members if member.isfile()}, {0o644, 0o755})

    def test_to_standard_output(self) -> None:
        project = self.repository()
        file, digest = self.save(project)
        command = f'"$0" package save - > {project.top}/piped'
        result = self.shell(project, command)
        self.assertEqual((result.code, result.out), (0, ""))
        self.assertIn(digest, result.err)
        self.assertEqual((project.top / "piped").read_bytes(), file.read_bytes())
        refused = project.amp("package", "save", "-", env={"AMP_FORCE_TTY": "80"})
        self.assert_code(2, refused)
        self.assertEqual(refused.out, "")
        self.assert_code(2, project.amp("package", "save", "-", "--json"))

    def shell(self, project: Project, command: str) -> Result:
        done = subprocess.run(
            ["sh", "-c", command, str(AMP)], cwd=project.folder, env=project.environment, capture_output=True, check=False
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def test_places_that_are_refused(self) -> None:
        project = self.repository()
        taken = project.write("taken", "mine")
        self.assert_code(2, project.amp("package", "save", "taken"))
        self.assertEqual(taken.read_text(), "mine")
        self.assertNotEqual(project.amp("package", "save", "no/such/folder").code, 0)
        document = project.json("package", "save", str(project.top / "x"))
        self.assertEqual(document["archive_bytes"], (project.top / "x").stat().st_size)
        self.assertEqual(document["hash"], project.json("package", "list")["hash"])

    def test_what_no_other_machine_can_have(self) -> None:
        project = self.repository()
        (project.folder / "data").symlink_to("/mnt/data")
        result = project.amp("package", "save", str(project.top / "x"))
        self.assert_code(3, result)
        self.assertIn("'data' is a link to '/mnt/data', which leads out of the project", result.err)
        self.assertEqual(list(project.top.glob("*x*")), [])
        self.assertIn("cannot be shipped", self.run_ok(project, "package", "list").err)
        project.write(".ampignore", "data\n")
        self.save(project)

    def test_a_file_that_is_too_large_is_never_left_out_silently(self) -> None:
        project = self.repository()
        with (project.folder / "model.bin").open("wb") as file:
            file.truncate((100 << 20) + 1)
        result = project.amp("package", "save", str(project.top / "x"))
        self.assert_code(3, result)
        self.assertIn("'model.bin' is too large or cannot be read (100.0 MiB)", result.err)
        self.assertIn("[code] max_file", result.err)

    def test_a_project_says_how_large_a_file_may_be(self) -> None:
        project = self.repository({**FILES, "amp.toml": '[code]\nmax_file = "101Mi"\n'})
        with (project.folder / "model.bin").open("wb") as file:
            file.truncate((100 << 20) + 1)
        run = self.run_ok(project, "run")
        self.assertIn("the code weighs 100.0 MiB", run.err)
        self.assertNotIn("changed", run.err)
        file, digest = self.save(project)
        self.assertEqual(self.save(project, "--run", "latest")[1], digest)
        there = unpacked(file, project.top / "there")
        self.assertEqual((there / "model.bin").stat().st_size, (100 << 20) + 1)
        for limit in ("1K", "200Mi"):
            with self.subTest(limit):
                run = self.run_ok(project, "run", "--set", f"code.max_file={limit}")
                self.assertNotIn("changed", run.err)


class OfRuns(PackageTest):
    def test_a_run_s_code_is_what_checkout_lays(self) -> None:
        project = self.repository()
        self.run_ok(project, "run")
        before = project.json("package", "list")["hash"]
        project.write("train.py", "print(2)\n")
        (project.folder / "src/util.py").unlink()
        file, digest = self.save(project, "--run", "latest")
        self.assertEqual(digest, before)
        self.run_ok(project, "checkout", "latest", str(project.top / "then"))
        shutil.rmtree(project.top / "then" / ".amp-run")
        self.assertEqual(tree(unpacked(file, project.top / "there")), tree(project.top / "then"))
        listed = project.json("package", "list", "--run", "latest")
        self.assertEqual(listed["run"], project.runs()[0]["run"])
        self.assertEqual(listed["hash"], digest)
        self.assertIn("src/util.py", [entry["path"] for entry in listed["entries"]])

    def test_a_content_that_the_store_has_lost(self) -> None:
        project = self.repository()
        self.run_ok(project, "run")
        for objects in (project.folder / ".amp/objects").glob("*"):
            shutil.rmtree(objects)
        result = project.amp("package", "save", str(project.top / "x"), "--run", "latest")
        self.assert_code(7, result)
        self.assertFalse((project.top / "x").exists())


class Notes(PackageTest):
    def test_pointers_of_git_lfs(self) -> None:
        project = self.repository({**FILES, "model.bin": POINTER, "data/set.bin": POINTER})
        text = "data/set.bin, model.bin each hold a pointer of git-lfs instead of their content: `git lfs pull` brings them"
        for command in (("run",), ("package", "list"), ("package", "list"), ("package", "save", str(project.top / "x"))):
            self.assertEqual(self.run_ok(project, *command).err.count(text), 1, command)
        self.assertEqual(project.json("package", "list")["lfs_pointers"], ["data/set.bin", "model.bin"])
        project.write("model.bin", b"the content")
        self.assertIn("data/set.bin holds a pointer", self.run_ok(project, "run").err)
        project.write("data/set.bin", b"the content")
        self.assertNotIn("lfs", self.run_ok(project, "run").err)

    def test_code_that_weighs_as_data_does(self) -> None:
        project = self.repository()
        for name in ("a", "b", "c"):
            (project.folder / "data").mkdir(exist_ok=True)
            with (project.folder / "data" / name).open("wb") as file:
                file.truncate(40_000_000)
        for command in (("run",), ("package", "list")):
            result = self.run_ok(project, *command)
            self.assertEqual(result.err.count("the code weighs 114.4 MiB, most of it data/ (114.4 MiB, 3 files);"), 1)
            self.assertIn(".ampignore", result.err)
        project.write(".ampignore", "data\n")
        self.assertNotIn("weighs", self.run_ok(project, "run").err)
        self.assertNotIn("weighs", self.run_ok(project, "package", "list").err)


class Images(PackageTest):
    def flow(self, project: Project, mode: str) -> None:
        project.write("flow.toml", FLOW.replace("[step", f'code = "{mode}"\n[step'))

    def record(self, project: Project) -> dict:
        run = project.runs()[0]["run"]
        return json.loads((project.folder / ".amp/runs" / run / "run.json").read_text())

    def test_the_image_has_it(self) -> None:
        project = self.repository()
        self.flow(project, "image")
        commit = git(project.folder, "rev-parse", "HEAD")
        result = self.run_ok(project, "run")
        self.assertIn(f'code = "image": images are to hold commit {commit[:12]}; what is not committed', result.err)
        self.assertNotIn("not acted upon", result.err)
        code = self.record(project)["code"]
        self.assertEqual((code["from"], code["base"], code["entries"]), ("image", commit, []))
        self.assertIn(f"code     {commit[:12]} (dirty), image\n", self.run_ok(project, "show").out)
        document = project.json("package", "list")
        self.assertEqual((document["code"], document["commit"], document["files"]), ("image", commit, 0))
        git(project.folder, "add", ".")
        git(project.folder, "commit", "-qm", "second")
        resumed = self.run_ok(project, "resume")
        self.assertRegex(resumed.err, f"code has changed: commit {commit[:12]} → [0-9a-f]{{12}}")
        self.assertNotIn("not committed", self.run_ok(project, "run").err)
        checkout = self.run_ok(project, "checkout", "latest", str(project.top / "then"))
        self.assertIn("git worktree add DIR", checkout.err)
        self.assert_code(2, project.amp("replay", "latest/one"))

    def test_and_what_is_not_committed(self) -> None:
        project = self.repository()
        self.flow(project, "image+diff")
        (project.folder / "train.py").unlink()
        project.write("src/util.py", "x = 2\n")
        document = project.json("package", "list")
        self.assertEqual([entry["path"] for entry in document["entries"]], ["flow.toml", "new.py", "src/util.py"])
        self.assertEqual(document["deleted"], ["train.py"])
        self.assertIn("deleted: train.py", self.run_ok(project, "package", "list").out)
        self.run_ok(project, "run")
        code = self.record(project)["code"]
        self.assertEqual((code["from"], code["deleted"], code["hash"]), ("image+diff", ["train.py"], document["hash"]))
        self.assertIn("run latest", self.run_ok(project, "resume").err.replace(project.runs()[0]["run"], "latest"))
        file, _ = self.save(project, "--run", "latest")
        self.assertEqual(set(tree(unpacked(file, project.top / "there"))), {"flow.toml", "new.py", "src/util.py"})
        self.assert_code(2, project.amp("replay", "latest/one"))

    def test_outside_git(self) -> None:
        project = self.project({**FILES})
        self.flow(project, "image+diff")
        result = project.amp("run")
        self.assert_code(3, result)
        self.assertIn("there is no commit here", result.err)
        self.flow(project, "image")
        self.assertIn("git knows no commit", self.run_ok(project, "run").err)
