# SPDX-License-Identifier: Apache-2.0
"""Keeps the tables of docs/problem-files.md and docs/operators.md true to the tables of keys that read the files.

`sobolev keys --markdown`, with `--models` for the second page, prints them, each between `<!-- keys: NAME -->` and
`<!-- end -->`; the page has the same lines at the places of the tables. `--fix` writes what is between them anew. A
test compares as well.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"<!-- keys: (?P<name>[^\n]*) -->\n.*?<!-- end -->\n", re.S)


PAGES = {Path("docs/problem-files.md"): [], Path("docs/operators.md"): ["--models"]}


def check(page: Path, command: str, more: list[str], fix: bool) -> list[str]:
    out = subprocess.run([command, "keys", "--markdown", *more], capture_output=True, text=True, check=True).stdout
    tables = {block["name"]: block[0] for block in BLOCK.finditer(out)}
    text = page.read_text(encoding="utf-8")
    places = [block["name"] for block in BLOCK.finditer(text)]
    problems = [f"{page}: no place for the table {name}: add <!-- keys: {name} --> and <!-- end -->"
                for name in tables if name not in places]
    problems += [f"{page}: there are no keys of {name}" for name in places if name not in tables]
    renewed = BLOCK.sub(lambda block: tables.get(block["name"], block[0]), text)
    if renewed != text and fix:
        page.write_text(renewed, encoding="utf-8")
    elif renewed != text:
        problems.append(f"{page}: a table differs from the table of keys; ./dev keys --fix renews it")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", required=True, help="the program sobolev")
    parser.add_argument("--fix", action="store_true", help="write the tables anew")
    options = parser.parse_args()
    problems = [problem for page, more in PAGES.items()
                for problem in check(page, options.command, more, options.fix)]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
