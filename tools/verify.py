#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares estimated errors (sobolev verify) with true ones and writes the table of docs/accuracy.md.

    tools/verify.py [--seconds 10] [--verify-seconds 10] [--threads 1] [--write docs/accuracy.md] [PROBLEM ...]

Each problem is solved for so many seconds, seed 0, and its error estimated for as many without its reference; the
true error is that against the reference. Without names: the problems that accuracy.py solves, but those of
tests/pinn/families. A row shows the unknown whose estimate is farthest off. Rows of problems not named are kept.
"""

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from accuracy import DIVERGED, INPUT_IS_WRONG, ROOT, problems, replace

HEAD = ("| problem | true error | estimate | estimate / true | residual left | overlooked | sound |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n")


def called(call):
    done = subprocess.run([str(word) for word in call], capture_output=True, text=True, check=False)
    if done.returncode in (INPUT_IS_WRONG, DIVERGED):
        print(done.stderr.strip())
        return None
    if done.returncode:
        sys.exit(f"{call}: {done.stderr}")
    return json.loads(done.stdout)


def row_of(name, path, options):
    with tempfile.TemporaryDirectory() as out:
        common = ["--threads", options.threads, "--json", "--quiet"]
        solved = called([options.command, "solve", path, "--out", out, *common,
                         "--set", f"training.stop={{ seconds = {options.seconds} }}"])
        if solved is None:
            return None
        estimate = called([options.command, "verify", out, "--seconds", options.verify_seconds, *common])
    if estimate is None:
        return None
    true, found = solved["relative_l2"], estimate["relative_l2"]
    ratios = {u: found[u] / true[u] for u in true if u in found and true[u]}
    if not ratios:
        return f"| {name} | – | – | – | – | – | no |"
    worst = max(ratios, key=lambda u: abs(math.log(ratios[u])))
    unknown = f" ({worst})" if len(true) > 1 else ""
    return (f"| {name} | {true[worst]:.1e}{unknown} | {found[worst]:.1e} | {ratios[worst]:.2f} "
            f"| {100 * estimate['residual_left']:.2g} % | {100 * estimate['overlooked']:.2g} % "
            f"| {'yes' if estimate['sound'] else 'no'} |")


def totals(rows):
    """How many estimates are near the true errors: of all, and of the sound ones."""
    cells = [[c.strip() for c in row.split("|")[1:-1]] for row in rows]
    known = [(float(c[3]), c[6] == "yes") for c in cells if c[3] != "–"]

    def within(factor, some):
        return sum(1 / factor <= ratio <= factor for ratio, _ in some)
    sound = [k for k in known if k[1]]
    return (f"\n{len(cells)} problems: {within(10, known)} estimates within a factor of ten, {within(2, known)} within two; "
            f"of the {len(sound)} sound ones {within(10, sound)} and {within(2, sound)}.\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default=str(ROOT / "build/run/bin/sobolev"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--verify-seconds", type=float, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", type=Path, help="replace the rows in this file")
    parser.add_argument("problems", nargs="*")
    options = parser.parse_args()
    every = {key: path for key, path in problems().items() if key[0] not in ("paper", "families")}
    known = {word for key in every for word in key}
    if unknown := [name for name in options.problems if name not in known]:
        sys.exit(f"{unknown[0]}: no such problem; known are {' '.join(sorted(known))}")
    rows = {}
    for (kind, name), path in every.items():
        if options.problems and not {kind, name} & set(options.problems):
            continue
        row = row_of(name, path, options)
        if row is None:
            print(f"{name}: refused or diverged", flush=True)
            continue
        print(row, flush=True)
        rows[name] = row
        if options.write:
            options.write.write_text(replace(options.write.read_text(), "verify", r"\| (\w+) \| [\d–]", HEAD, {name: row}, totals))
    if not options.write:
        print(totals(list(rows.values())), end="")


if __name__ == "__main__":
    main()
