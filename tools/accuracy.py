#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Solves problems over several seeds and prints the table of docs/accuracy.md.

    tools/accuracy.py --command build/release/bin/sobolev [--seeds 3] [--write docs/accuracy.md] [PROBLEM ...]

Without names: the zoo, then the problems of tests/pinn/unseen, which leave everything to the defaults. Rows that a
written table already has are kept for problems not named. Let nothing else run on the machine: limits in seconds
decide how far a run gets.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "| problem | parameters | relative L2: mean | worst | seconds (mean) | stopped because |\n| --- | --- | --- | --- | --- | --- |\n"


def run(command, problem, seed, threads):
    with tempfile.TemporaryDirectory() as out:
        call = [command, "solve", problem, "--seed", str(seed), "--threads", str(threads), "--json", "--quiet", "--out", out]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(call)}: {done.stderr}")
        return json.loads(done.stdout)


def row(command, name, problem, seeds, threads):
    runs = [run(command, problem, seed, threads) for seed in range(seeds)]
    errors = [max(r["relative_l2"].values()) for r in runs]
    seconds = sum(r["seconds"] for r in runs) / len(runs)
    why = sorted({r["stopped_because"] for r in runs})
    return f"| {name} | {runs[0]['parameters']} | {sum(errors) / len(errors):.1e} | {max(errors):.1e} | {seconds:.0f} | {'; '.join(why)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default=str(ROOT / "build/release/bin/sobolev"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=Path, help="replace the rows in this file")
    parser.add_argument("problems", nargs="*")
    options = parser.parse_args()
    unseen = {p.stem: str(p) for p in sorted((ROOT / "tests/pinn/unseen").glob("*.toml"))}
    zoo = {p.stem: p.stem for p in sorted((ROOT / "problems").glob("*.toml"))}
    every = zoo | unseen
    for name in options.problems or every:
        if name not in every:
            sys.exit(f"{name}: no such problem; known are {' '.join(every)}")
        line = row(options.command, name, every[name], options.seeds, options.threads)
        print(line, flush=True)
        if options.write:
            text = options.write.read_text()
            mark = f"<!-- {'zoo' if name in zoo else 'unseen'} -->\n"
            before, after = text.split(mark)
            old, rest = after.split("<!-- end -->", 1)
            rows = {re.match(r"\| (\w+)", r).group(1): r for r in old.splitlines() if re.match(r"\| \w+ \| \d", r)}
            rows[name] = line
            body = "\n".join(rows[key] for key in sorted(rows))
            options.write.write_text(f"{before}{mark}{HEAD}{body}\n<!-- end -->{rest}")


if __name__ == "__main__":
    main()
