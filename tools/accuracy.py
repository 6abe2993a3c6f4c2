#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Solves problems over several seeds and prints the tables of docs/accuracy.md.

    tools/accuracy.py [--seeds 3] [--threads 2] [--jobs 1] [--write docs/accuracy.md] [PROBLEM ...]

Without names: the zoo, then the problems of tests/pinn/unseen, which leave everything to the defaults, then those of
tests/pinn/families, one problem in many sizes, those of tests/pinn/brought, of kinds that people bring, and those of
tests/pinn/cases that have a reference. The name of one of
these five stands for all of its problems. Those of the zoo that end in _paper take hours; they are solved where they
are named, and not written. `lagrangian` alone: lagrangian_convection and lagrangian_burgers at many
speeds, 20 seconds each, seed 0, without [lagrangian] and with both kinds of derivatives. `second` alone: all problems
but the families, 10 seconds each, seed 0, their errors beside what the second solution says of them. A further table says of every run whether its answer was wrong (a relative
L2 error above 1e-2) and whether it was doubted. Rows that a written table already has are kept for problems not named.
Let nothing else run on the machine, jobs times threads at most its cores: limits in seconds decide how far a run gets.
"""

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = ("| problem | parameters | relative L2: mean | worst | seconds (mean) | stopped because | doubts |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n")
DOUBT_HEAD = "| problem | seed | relative L2 | doubtful |\n| --- | --- | --- | --- |\n"
LAGRANGIAN_HEAD = ("| problem | speed | without [lagrangian] | derivatives by label | by position |\n"
                   "| --- | --- | --- | --- | --- |\n")
SECOND_HEAD = ("| problem | true error | difference | accuracy | difference / true |\n"
               "| --- | --- | --- | --- | --- |\n")
SPEEDS = {"lagrangian_convection": (2, 5, 10, 20, 30, 40, 50, 60, 70), "lagrangian_burgers": (0, 1, 10)}
RIGHT = 1e-2  # an error up to this is a right answer
INPUT_IS_WRONG, DIVERGED = 2, 4


def run(command, problem, seed, threads, settings=()):
    """The object of result.json, or {"refused": why} where the command refuses the problem or gives up."""
    with tempfile.TemporaryDirectory() as out:
        call = [command, "solve", problem, "--seed", str(seed), "--threads", str(threads), "--json", "--quiet", "--out", out]
        for setting in settings:
            call += ["--set", setting]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode in (INPUT_IS_WRONG, DIVERGED):
            return {"refused": "refused" if done.returncode == INPUT_IS_WRONG else "diverged"}
        if done.returncode:
            sys.exit(f"{' '.join(call)}: {done.stderr}")
        return json.loads(done.stdout)


def error_of(result):
    """The largest relative L2 error of an unknown; infinite where it is no number."""
    return max(math.inf if e is None else e for e in result["relative_l2"].values())


def summary_row(name, runs):
    solved = [r for r in runs if "refused" not in r]
    if not solved:
        return f"| {name} | 0 | – | – | – | {runs[0]['refused']} | – |"
    errors = [error_of(r) for r in solved]
    seconds = sum(r["seconds"] for r in solved) / len(solved)
    why = sorted({r.get("stopped_because") or r["refused"] for r in runs})
    doubted = sum(bool(r.get("doubts")) for r in solved)
    doubts = f"{doubted} of {len(solved)}" if doubted else "none"
    return (f"| {name} | {solved[0]['parameters']} | {sum(errors) / len(errors):.1e} | {max(errors):.1e} "
            f"| {seconds:.0f} | {'; '.join(why)} | {doubts} |")


def doubt_rows(name, runs):
    """By (problem, seed)."""
    rows = {}
    for seed, result in enumerate(runs):
        if "refused" in result:
            rows[name, seed] = f"| {name} | {seed} | – | {result['refused']} |"
        else:
            rows[name, seed] = f"| {name} | {seed} | {error_of(result):.1e} | {'yes' if result.get('doubts') else 'no'} |"
    return rows


def totals(rows):
    """What the table of doubts amounts to: wrong answers without doubt, and right ones with."""
    answers = [re.fullmatch(r"\| \w+ \| \d+ \| (\S+) \| (yes|no) \|", row) for row in rows]
    answers = [(float(m[1]), m[2] == "yes") for m in answers if m]
    wrong = [doubted for error, doubted in answers if not error <= RIGHT]
    right = [doubted for error, doubted in answers if error <= RIGHT]
    return (f"{len(answers)} answers: {len(wrong)} wrong, of which {wrong.count(False)} not doubted; "
            f"{len(right)} right, of which {right.count(True)} doubted.\n")


def replace(text, mark, row_pattern, head, rows, foot=lambda rows: ""):
    """The table after `<!-- mark -->` with `rows` put in, sorted; `row_pattern` gives the key of a row."""
    before, after = text.split(f"<!-- {mark} -->\n", 1)
    old, rest = after.split("<!-- end -->", 1)
    every = {}
    for line in old.splitlines():
        if match := re.match(row_pattern, line):
            every[key_of(match)] = line
    every.update(rows)
    ordered = [every[key] for key in sorted(every)]
    return f"{before}<!-- {mark} -->\n{head}" + "\n".join(ordered) + f"\n{foot(ordered)}<!-- end -->{rest}"


def key_of(match):
    return (match[1], int(match[2])) if match.re.groups == 2 else match[1]


def write(path, kind, name, runs):
    text = path.read_text()
    text = replace(text, kind, r"\| (\w+) \| \d", HEAD, {name: summary_row(name, runs)})
    text = replace(text, "doubts", r"\| (\w+) \| (\d+) \|", DOUBT_HEAD, doubt_rows(name, runs),
                   lambda rows: "\n" + totals(rows))
    path.write_text(text)


def lagrangian(command, threads, target):
    """A row for each speed, written as it is known: without [lagrangian], by label, by position."""
    with tempfile.TemporaryDirectory() as folder:
        for name, speeds in SPEEDS.items():
            path = ROOT / f"problems/{name}.toml"
            plain = Path(folder) / path.name
            plain.write_text(path.read_text().replace("[lagrangian]\n", ""))
            for speed in speeds:
                settings = [f"constants.speed={speed}", "training.stop.seconds=20"]
                results = [run(command, str(plain), 0, threads, settings)]
                results += [run(command, str(path), 0, threads, [*settings, f"lagrangian.derivatives={by}"])
                            for by in ("label", "position")]
                cells = [f"{error_of(r):.1e}{', doubtful' if r['doubts'] else ''}" for r in results]
                row = f"| {name} | {speed} | {' | '.join(cells)} |"
                print(row, flush=True)
                if target:
                    target.write_text(replace(target.read_text(), "lagrangian", r"\| (\w+) \| (\d+) \|", LAGRANGIAN_HEAD,
                                              {(name, speed): row}))


def second(command, threads, target):
    """True errors beside the distances to second solutions; of several unknowns the one that is farthest off."""
    for (kind, name), problem in problems().items():
        if kind in ("families", "paper"):
            continue
        result = run(command, problem, 0, threads, ["training.stop={ seconds = 10 }"])
        if "refused" in result:
            continue
        found, true = result["second_solution"], result["relative_l2"]
        known = {u: found[u]["difference"] / true[u] for u in true if true[u] and u in found}
        if known:
            u = max(known, key=lambda u: abs(math.log(max(known[u], 1e-300))))
            row = (f"| {name} | {true[u]:.1e}{f' ({u})' if len(true) > 1 else ''} | {found[u]['difference']:.1e} "
                   f"| {found[u]['accuracy']:.0e} | {known[u]:.2f} |")
        else:
            row = f"| {name} | {error_of(result):.1e} | – | – | – |"
        print(row, flush=True)
        if target:
            target.write_text(replace(target.read_text(), "second", r"\| (\w+) \| \d", SECOND_HEAD, {name: row}, second_totals))


def second_totals(rows):
    cells = [[c.strip() for c in row.split("|")[1:-1]] for row in rows]
    sure = [float(c[4]) for c in cells if c[4] != "–" and float(c[3]) < 0.2 * float(c[2])]
    near = sum(0.5 <= ratio <= 2 for ratio in sure)
    exact = sum(0.9 <= ratio <= 1.1 for ratio in sure)
    return (f"\n{len(rows)} problems; {len(sure)} second solutions are known to a fifth of their distance: {near} of these distances are the "
            f"true error within a factor of two, {exact} within a tenth.\n")


def problems():
    """(kind, name) -> what the command is given."""
    every = {("paper" if p.stem.endswith("_paper") else "zoo", p.stem): p.stem
             for p in sorted((ROOT / "problems").glob("*.toml"))}
    for kind in ("unseen", "families", "cases", "brought"):
        for path in sorted((ROOT / "tests/pinn" / kind).glob("*.toml")):
            if "[reference]" in path.read_text():
                every[kind, path.stem] = str(path)
    return every


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default=str(ROOT / "build/run/bin/sobolev"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of each run")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--write", type=Path, help="replace the rows in this file")
    parser.add_argument("problems", nargs="*")
    options = parser.parse_args()
    if options.problems == ["lagrangian"]:
        lagrangian(options.command, options.threads, options.write)
        return
    if options.problems == ["second"]:
        second(options.command, options.threads, options.write)
        return
    every = problems()
    known = {word for key in every for word in key}
    if unknown := [name for name in options.problems if name not in known]:
        sys.exit(f"{unknown[0]}: no such problem; known are {' '.join(sorted(known))}")
    wanted = [key for key in every if set(key) & set(options.problems) or not options.problems and key[0] != "paper"]
    rows = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        started = {key: [pool.submit(run, options.command, every[key], seed, options.threads)
                         for seed in range(options.seeds)] for key in wanted}
        for kind, name in wanted:
            runs = [each.result() for each in started[kind, name]]
            print(summary_row(name, runs), flush=True)
            rows.update(doubt_rows(name, runs))
            if options.write and kind != "paper":
                write(options.write, kind, name, runs)
    print(totals(rows.values()), end="")


if __name__ == "__main__":
    main()
