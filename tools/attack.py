#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks the sobolev command: damaged files, signals at random moments, full disks, closed streams.

What must hold (docs/reliability.md): no crash, no hang, a documented exit code with a message, no half file, no
temporary file left by a run that could end; a run that was ended at any moment resumes to the same bits; the run
that stood in a folder before stays until a new one has something. Every violation is printed with the arguments
that repeat it. The same seed makes the same attacks (the moment that a signal meets is the machine's).
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import attack_files as files

RESULTS = ["history.csv", "report.html", "result.json", "solution.npz"]
CHECKPOINT = "checkpoint.safetensors"
SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL]
DOCUMENTED = {0, 2, 3, 4}
FORBIDDEN = ["terminate called", "internal error", "runtime error:", "AddressSanitizer", "what():"]


class Violation(Exception):
    pass


def require(condition: object, what: str) -> None:
    if not condition:
        raise Violation(what)


class Outcome:
    def __init__(self, code: int, out: str, err: str, stopped: bool):
        self.code, self.out, self.err, self.stopped = code, out, err, stopped


class Attacker:
    def __init__(self, options: argparse.Namespace, folder: Path):
        self.command, self.limit, self.memory = str(Path(options.command).resolve()), options.time_limit, options.memory
        self.folder, self.base = folder, folder / "base"

    def child(self, file_size: int | None, closed: tuple[int, ...]):
        def prepare():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            if self.memory:
                resource.setrlimit(resource.RLIMIT_AS, (self.memory << 20, self.memory << 20))
            if file_size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            for number in closed:
                os.close(number)
        return prepare

    def start(self, where: Path, arguments: list[str], file_size=None, closed=(), stdout=None, stderr=None):
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen([self.command, *arguments], cwd=where, env=environment, stdin=subprocess.DEVNULL,
                                stdout=stdout if stdout is not None else subprocess.PIPE,
                                stderr=stderr if stderr is not None else subprocess.PIPE,
                                preexec_fn=self.child(file_size, closed))

    def finish(self, process: subprocess.Popen, soft: float | None = None) -> Outcome:
        """Waits. A training that may go on for long is asked to stop after `soft` seconds."""
        stopped = False
        if soft is not None:
            try:
                out, err = process.communicate(timeout=soft)
                return Outcome(process.returncode, text(out), text(err), False)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                stopped = True
        try:
            out, err = process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Violation(f"runs for more than {self.limit:g} s") from None
        return Outcome(process.returncode, text(out), text(err), stopped)

    def run(self, where: Path, arguments: list[str], soft: float | None = None, **more) -> Outcome:
        return self.finish(self.start(where, arguments, **more), soft)

    def prepare(self) -> None:
        """Whole inputs, and the runs that the attacked ones are compared with."""
        self.base.mkdir()
        (self.base / "p.toml").write_text(files.PROBLEM)
        (self.base / "long.toml").write_text(files.LONG_RUN)
        (self.base / "points.npy").write_bytes(files.npy((3, 2), [0.1, 0.2, 0.5, -0.3, 0.9, 0.8]))
        (self.base / "reference.npz").write_bytes(files.reference())
        single = ["--set", "training.windows=1", "--set", "training.stop.iterations=5"]
        for name, arguments in {"finished": ["p.toml"], "single": ["p.toml", *single], "long": ["long.toml"],
                                "seed3": ["long.toml", "--seed", "3", "--set", "training.stop.iterations=60"]}.items():
            run = self.run(self.base, ["solve", *arguments, "--out", name, "--quiet", "--threads", "1"])
            require(run.code == 0, f"the {name} run that everything is compared with fails: {run.err}")
        # One that is not finished: what a kill leaves in the second window.
        process = self.start(self.base, ["solve", "p.toml", "--out", "cut", "--threads", "1", "--checkpoint-every", "0.001",
                                         "--set", "training.phase=[{ optimizer = \"adam\", iterations = 2000 }]",
                                         "--set", "training.stop.iterations=4000"])
        checkpoint = self.base / "cut" / CHECKPOINT
        while process.poll() is None and not (checkpoint.exists() and b'window\\":1' in checkpoint.read_bytes()):
            time.sleep(0.002)
        process.kill()
        process.communicate()
        require(checkpoint.exists(), "the run that is to be cut leaves no checkpoint")
        self.solution = (self.base / "long/solution.npz").read_bytes()

    # What must hold of an outcome and a folder.

    def check_outcome(self, outcome: Outcome, allowed: set[int]) -> None:
        require(outcome.code >= 0, f"ended by signal {-outcome.code}: {outcome.err[-300:]}")
        require(outcome.code in allowed or outcome.stopped and outcome.code in (143, 128 + signal.SIGTERM),
                f"exit code {outcome.code}: {outcome.err[-300:]}")
        require(outcome.code == 0 or any(line.startswith("sobolev: ") for line in outcome.err.splitlines()),
                f"exit code {outcome.code} without a message")
        for word in FORBIDDEN:
            require(word not in outcome.err, f"'{word}' in the message: {outcome.err[-300:]}")

    @staticmethod
    def check_whole(path: Path) -> None:
        data = path.read_bytes()
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                require(archive.testzip() is None, f"{path.name} is damaged")
        elif path.suffix == ".json":
            json.loads(data)
        elif path.suffix == ".html":
            require(data.rstrip().endswith(b"</html>"), f"{path.name} is cut")
        elif path.suffix == ".csv":
            require(data.endswith(b"\n"), f"{path.name} is cut")
        elif path.suffix == ".safetensors":
            size = int.from_bytes(data[:8], "little")
            ends = [entry["data_offsets"][1] for key, entry in json.loads(data[8:8 + size]).items() if key != "__metadata__"]
            require(len(data) == 8 + size + max(ends), f"{path.name} is cut")

    def check_folder(self, run: Path, complete: bool, killed: bool = False) -> None:
        names = {entry.name for entry in run.iterdir()} if run.exists() else set()
        if killed:  # the next run removes these
            names = {name for name in names if not (name.startswith(".sobolev-") and (name.endswith((".tmp", "-lock"))))}
        require(names <= {*RESULTS, CHECKPOINT}, f"left over: {sorted(names - {*RESULTS, CHECKPOINT})}")
        require(not complete or names == {*RESULTS, CHECKPOINT}, f"only {sorted(names)} are there")
        for name in names:
            try:
                self.check_whole(run / name)
            except (ValueError, zipfile.BadZipFile, KeyError) as error:
                raise Violation(f"{name} is no whole file: {error}") from None

    # Attacks: each takes a folder of its own and random numbers.

    def input_problem(self, where: Path, rng: random.Random, damage) -> None:
        (where / "p.toml").write_bytes(damage(files.PROBLEM.encode(), rng))
        checked = self.run(where, ["check", "p.toml", "--json"])
        self.check_outcome(checked, DOCUMENTED)
        try:
            json.loads(checked.out)
        except ValueError:
            raise Violation(f"stdout is no JSON: {checked.out[:200]}") from None
        small = ["training.points={ sobol = 10, condition_points = 4 }", "training.stop={ iterations = 4 }", "network.width=4",
                 "training.phase=[{ optimizer = \"adam\", iterations = 2 }]", "reference={}", "network.periodic_modes=1"]
        trained = self.run(where, ["solve", "p.toml", "--out", "run", "--threads", "1",
                                   *(word for key in small for word in ("--set", key))], 10)
        self.check_outcome(trained, DOCUMENTED)
        self.check_folder(where / "run", trained.code in (0, 143))

    def input_setting(self, where: Path, rng: random.Random, damage) -> None:
        settings = ["training.stop.iterations=5", "network.features=[\"t*x\"]", "coordinates.x={ range = [-1, 1], periodic = true }",
                    "training.phase=[{ optimizer = \"adam\", iterations = 3 }]", "equations.first=\"u_t - u_xx = 0\"", "title=word"]
        setting = damage(rng.choice(settings).encode(), rng).replace(b"\0", b"").decode("utf-8", "surrogateescape")[:100000]
        checked = self.run(where, ["check", str(self.base / "p.toml"), "--set", setting])
        self.check_outcome(checked, DOCUMENTED)

    def evaluate(self, where: Path, source: list[str], points: Path) -> None:
        values = self.run(where, ["evaluate", *source, "--points", str(points), "--outputs", "u,u_x,first", "--out", "v.npz",
                                  "--threads", "1"])
        self.check_outcome(values, DOCUMENTED)
        require((where / "v.npz").exists() == (values.code == 0), f"exit code {values.code}, and v.npz is there or not")
        if values.code == 0:
            self.check_whole(where / "v.npz")

    def input_checkpoint(self, where: Path, rng: random.Random, damage) -> None:
        (where / "run").mkdir()
        source = rng.choice(["finished", "cut"])
        (where / "run" / CHECKPOINT).write_bytes(damage((self.base / source / CHECKPOINT).read_bytes(), rng))
        self.evaluate(where, ["run"], self.base / "points.npy")
        resumed = self.run(where, ["solve", "--resume", "run", "--threads", "1"], 3)
        self.check_outcome(resumed, DOCUMENTED)
        if resumed.code in (0, 143):
            self.check_folder(where / "run", True)

    def input_weights(self, where: Path, rng: random.Random, damage) -> None:
        (where / "w.safetensors").write_bytes(damage((self.base / "single" / CHECKPOINT).read_bytes(), rng))
        self.evaluate(where, ["--problem", str(self.base / "p.toml"), "--set", "training.windows=1", "--weights", "w.safetensors"],
                      self.base / "points.npy")

    def input_points(self, where: Path, rng: random.Random, damage) -> None:
        (where / "x.npy").write_bytes(damage((self.base / "points.npy").read_bytes(), rng))
        self.evaluate(where, [str(self.base / "finished")], where / "x.npy")

    def input_reference(self, where: Path, rng: random.Random, damage) -> None:
        (where / "r.npz").write_bytes(damage((self.base / "reference.npz").read_bytes(), rng))
        (where / "p.toml").write_text(files.PROBLEM + "\n[reference]\nfile = \"r.npz\"\n")
        trained = self.run(where, ["solve", "p.toml", "--out", "run", "--threads", "1", "--set", "training.stop={ iterations = 2 }"], 10)
        self.check_outcome(trained, DOCUMENTED)
        self.check_folder(where / "run", trained.code in (0, 143))

    def mutant(self, where: Path, rng: random.Random) -> str:
        kinds = {"problem": self.input_problem, "setting": self.input_setting, "checkpoint": self.input_checkpoint,
                 "weights": self.input_weights, "points": self.input_points, "reference": self.input_reference}
        kind = rng.choice(list(kinds))
        other = (self.base / rng.choice(["finished/" + CHECKPOINT, "p.toml", "reference.npz"])).read_bytes()
        ways = {"bytes": lambda data, r: files.damage(data, r, other), "cut": files.truncate}
        if kind in ("checkpoint", "weights"):
            ways |= {"header": files.damage_header, "numbers": files.damage_numbers}
        if kind == "reference":
            ways["member"] = lambda data, r: files.damage_member(data, r, other)
        way = rng.choice(list(ways))
        kinds[kind](where, rng, ways[way])
        return f"{kind}, {way}"

    def kill(self, where: Path, rng: random.Random) -> str:
        """A run that is ended by signals at random moments, perhaps over an earlier run, and resumed until it is whole."""
        over = rng.random() < 0.4
        if over:
            shutil.copytree(self.base / "seed3", where / "run")
        old = {entry.name: entry.read_bytes() for entry in (where / "run").iterdir()} if over else {}
        more = ["--threads", rng.choice(["1", "1", "2"]), "--checkpoint-every", rng.choice(["0.001", "0.01", "0.1", "5"])]
        begin = ["solve", str(self.base / "long.toml"), "--out", "run"]
        begun, ends = False, 0
        for attempt in range(8):
            process = self.start(where, [*(["solve", "--resume", "run"] if begun else begin), *more])
            number = rng.choice(SIGNALS)
            moment = rng.random() ** 2 * 1.5 if attempt < 6 else self.limit
            try:
                out, err = process.communicate(timeout=moment)
            except subprocess.TimeoutExpired:
                for _ in range(rng.choice([1, 1, 2, 5])):
                    process.send_signal(number)
                ends += 1
                outcome = self.finish(process)
            else:
                outcome = Outcome(process.returncode, text(out), text(err), False)
            clean = outcome.code == 128 + number
            # Before a training begins there is nothing to save: a signal ends the program.
            require(outcome.code == 0 or clean or outcome.code == -number, f"exit code {outcome.code}: {outcome.err[-300:]}")
            self.check_folder(where / "run", outcome.code == 0 or clean, outcome.code < 0)
            checkpoint = where / "run" / CHECKPOINT
            begun = checkpoint.exists() and checkpoint.read_bytes() != old.get(CHECKPOINT)
            require(not over or checkpoint.exists(), "the earlier run is lost")
            for name in RESULTS:
                there = (where / "run" / name).exists()
                same = there and (where / "run" / name).read_bytes() == old.get(name)
                require(not (begun and same), f"{name} of the earlier run stands beside the new checkpoint")
            if outcome.code == 0:
                break
        require(outcome.code == 0, "not finished after eight attempts")
        require((where / "run/solution.npz").read_bytes() == self.solution, "other bits than those of the whole run")
        return f"{'over an earlier run' if over else 'in a new folder'}, ended {min(ends, 3)}{'+' if ends > 3 else ''} times"

    def stream(self, where: Path, rng: random.Random) -> str:
        """Streams that are closed, full, or read by nobody: the training and its files are the same."""
        way = rng.choice(["closed", "full", "no reader"])
        broken = rng.choice([(1,), (2,), (1, 2), (0,), (0, 1, 2)])
        arguments = ["solve", str(self.base / "long.toml"), "--out", "run", "--threads", "1", "--checkpoint-every", "0.01"]
        if way == "closed":
            outcome = self.run(where, arguments, closed=broken)
        elif way == "full":
            with open("/dev/full", "w") as full:
                outcome = self.run(where, arguments, stdout=full if 1 in broken else None, stderr=full if 2 in broken else None)
        else:
            reader, writer = os.pipe()
            os.close(reader)
            outcome = self.run(where, arguments, stdout=writer if 1 in broken else None, stderr=writer if 2 in broken else None)
            os.close(writer)
        require(outcome.code == (2 if 1 in broken else 0), f"exit code {outcome.code} with {way} {broken}: {outcome.err[-300:]}")
        self.check_folder(where / "run", True)
        require((where / "run/solution.npz").read_bytes() == self.solution, "other bits than those of the whole run")
        return way

    def disk(self, where: Path, rng: random.Random) -> str:
        """Disks that are or become full, and limits on the size of files."""
        if rng.random() < 0.4:
            outcome = self.run(where, ["solve", str(self.base / "long.toml"), "--out", "run", "--threads", "1"],
                               file_size=int(10 ** rng.uniform(1, 6.5)))
            self.check_outcome(outcome, {0, 2})
            self.check_folder(where / "run", outcome.code == 0)
            return "limit on the size of files"
        disk = where / "disk"
        disk.mkdir()
        size = rng.choice([64, 512, 1400, 2000])
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", str(disk)], capture_output=True).returncode != 0:
            return "skipped: a small disk (mount is not permitted here)"
        try:
            shutil.copytree(self.base / "seed3", disk / "run") if size > 600 and rng.random() < 0.5 else None
            old = {entry.name: entry.read_bytes() for entry in (disk / "run").iterdir()} if (disk / "run").exists() else {}
            process = self.start(disk, ["solve", str(self.base / "long.toml"), "--out", "run", "--threads", "1",
                                        "--checkpoint-every", "0.01"])
            time.sleep(rng.random() * 0.5)
            filler = disk / "filler"
            try:
                filler.write_bytes(bytes(4 << 20))
            except OSError:
                pass
            if rng.random() < 0.5:
                time.sleep(rng.random() * 0.3)
                filler.unlink(missing_ok=True)
            outcome = self.finish(process)
            self.check_outcome(outcome, {0, 2})
            self.check_folder(disk / "run", outcome.code == 0)
            if outcome.code == 0:
                require((disk / "run/solution.npz").read_bytes() == self.solution, "other bits than those of the whole run")
            elif old and "not all is saved" not in outcome.err:
                now = {entry.name: entry.read_bytes() for entry in (disk / "run").iterdir()}
                require(now == old, "a refused run changed the earlier one")
            return "full disk: refused" if outcome.code else "full disk: went on"
        finally:
            subprocess.run(["umount", str(disk)], capture_output=True)

    def pair(self, where: Path, rng: random.Random) -> str:
        """Two runs in one folder: one of them is refused."""
        processes = []
        for seed in ("1", "2"):
            processes.append(self.start(where, ["solve", str(self.base / "long.toml"), "--out", "run", "--threads", "1",
                                                "--seed", seed]))
            time.sleep(rng.random() * 0.05)
        outcomes = [self.finish(process) for process in processes]
        codes = sorted(outcome.code for outcome in outcomes)
        require(codes == [0, 2], f"exit codes {codes}")
        require(any("another run" in outcome.err for outcome in outcomes), "no message about the other run")
        self.check_folder(where / "run", True)
        return "one of two refused"


def text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")


STATE: dict = {}  # of this process and those forked from it


def attack(which: tuple[str, int]) -> tuple[str, str, str]:
    """Kind, what it was, and the violation or nothing."""
    kind, number = which
    options, where = STATE["options"], STATE["root"] / f"{kind}-{number}"
    where.mkdir()
    try:
        return kind, getattr(STATE["attacker"], kind)(where, random.Random(f"{options.seed}/{kind}/{number}")), ""
    except Violation as violation:
        return kind, "violation", f"{violation}\n  again: python3 tools/attack.py --command {options.command} " \
                                  f"--seed {options.seed} --only {kind}/{number}"
    finally:
        if not options.only:
            shutil.rmtree(where, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default="build/test/bin/sobolev", help="the program to attack")
    parser.add_argument("--seed", type=int, default=1)
    for kind, count in {"mutant": 250, "kill": 12, "stream": 8, "disk": 8, "pair": 3}.items():
        parser.add_argument(f"--{kind}s", dest=kind, type=int, default=count, help=f"how many (default {count})")
    parser.add_argument("--only", metavar="KIND/N", help="one attack, as a violation names it; its folder is kept")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--time-limit", type=float, default=60, help="seconds after which a program hangs")
    parser.add_argument("--memory", type=int, default=2048, help="MiB of address space for each; 0: no limit (sanitizers)")
    options = parser.parse_args()

    root = Path(tempfile.mkdtemp(prefix="sobolev-attack-"))
    attacker = Attacker(options, root)
    begin = time.monotonic()
    attacker.prepare()
    STATE.update(attacker=attacker, options=options, root=root)
    if options.only:
        attacks = [(options.only.split("/")[0], int(options.only.split("/")[1]))]
    else:
        attacks = [(kind, i) for kind in ("kill", "stream", "disk", "pair", "mutant") for i in range(getattr(options, kind))]

    counts, violations = Counter(), []
    # Processes, not threads: what runs between fork and exec must not meet another thread's lock.
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        for kind, what, violation in pool.imap(attack, attacks):
            counts[kind, what] += 1
            if violation:
                violations.append(violation)
                print(f"VIOLATION ({kind}): {violation}", flush=True)
    for (kind, what), count in sorted(counts.items()):
        print(f"{count:7}  {kind}: {what}")
    skipped = sum(count for (_, what), count in counts.items() if what.startswith("skipped"))
    print(f"{sum(counts.values()) - skipped} attacks in {time.monotonic() - begin:.0f} s, {len(violations)} violations, "
          f"{skipped} skipped")
    if options.only:
        print(f"the files are in {root}")
    else:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
