#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a training costs besides its arithmetic; the table of docs/performance.md, "Overheads".

    benchmarks/overheads.py [--command build/run/bin/sobolev] [--before OTHER_SOBOLEV]

Iterations of heat alone and beside one busy process, in turns, and of a system (three unknowns, 1,883 parameters,
8,000 rows); a small network on one and on two threads; the set-up at a million points; the time of windows over their number. With --before the same for another build, in the same turns.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TURNS = 3


def solve(command, *settings, threads=2, problem="problems/heat.toml"):
    with tempfile.TemporaryDirectory() as out:
        call = [command, "solve", str(ROOT / problem), "--threads", str(threads), "--quiet", "--json", "--out", out]
        for setting in settings:
            call += ["--set", setting]
        return json.loads(subprocess.run(call, capture_output=True, text=True, check=True).stdout)


def per_iteration(command, *settings, **options):
    """Milliseconds."""
    result = solve(command, *settings, **options)
    return 1e3 * result["seconds"] / result["iterations"]


def set_up(command):
    """Seconds before the first iteration at a million points: drawing them, features, scales of the residuals."""
    with tempfile.TemporaryDirectory() as out:
        call = [command, "solve", str(ROOT / "problems/heat.toml"), "--threads", "2", "--quiet", "--profile", "--out", out,
                "--set", "training.points.sobol=1000000", "--set", "training.stop={ iterations = 1 }"]
        lines = subprocess.run(call, capture_output=True, text=True, check=True).stderr.splitlines()
    return sum(float(line.split()[-2]) for line in lines if line.startswith(("points ", "residuals: set points", "residuals: row norms")))


@contextmanager
def busy_process():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def show(name, commands, measure):
    """The median of TURNS for each build, measured in turns."""
    values = {label: [] for label in commands}
    for _ in range(TURNS):
        for label, command in commands.items():
            values[label].append(measure(command))
    print(f"{name:<44}" + "".join(f"  {label} {sorted(v)[TURNS // 2]:9.2f}" for label, v in values.items()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default=str(ROOT / "build/run/bin/sobolev"))
    parser.add_argument("--before")
    options = parser.parse_args()
    commands = {"now": options.command} | ({"before": options.before} if options.before else {})
    some = "training.stop={ iterations = 60 }"
    show("heat, ms an iteration, alone", commands, lambda c: per_iteration(c, some))

    def beside(command):
        with busy_process():
            return per_iteration(command, some)

    show("  beside one busy process", commands, beside)
    show("a system, P = 1883, ms an iteration", commands, lambda c: per_iteration(c, problem="benchmarks/pinn/kovasznay.toml"))
    small = ("network.width=11", "training.stop={ iterations = 200 }")
    for threads in (1, 2):
        show(f"P = 177, ms an iteration, {threads} thread(s)", commands, lambda c: per_iteration(c, *small, threads=threads))
    show("10^6 points, s of set-up", commands, set_up)
    for windows in (100, 200, 400):
        show(f"{windows} windows of one iteration, s", commands, lambda c: solve(
            c, f"training.windows={windows}", "training.points={ sobol = 200, condition_points = 40 }", "network.width=8",
            "training.stop={ seconds = 1000 }", 'training.phase=[{ optimizer = "levenberg_marquardt", iterations = 1 }]')["seconds"])


if __name__ == "__main__":
    main()
