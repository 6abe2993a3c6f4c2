# SPDX-License-Identifier: Apache-2.0
"""Keeps the tables of docs/problem-files.md true to the table of keys in src/problem/problem_keys.cpp.

`sobolev keys --markdown` prints them, each between `<!-- keys: NAME -->` and `<!-- end -->`; the page has the same
lines at the places of the tables. `--fix` writes what is between them anew. A test compares as well.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"<!-- keys: (?P<name>[^\n]*) -->\n.*?<!-- end -->\n", re.S)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", required=True, help="the program sobolev")
    parser.add_argument("--page", type=Path, default=Path("docs/problem-files.md"))
    parser.add_argument("--fix", action="store_true", help="write the tables anew")
    options = parser.parse_args()

    out = subprocess.run([options.command, "keys", "--markdown"], capture_output=True, text=True, check=True).stdout
    tables = {block["name"]: block[0] for block in BLOCK.finditer(out)}
    text = options.page.read_text(encoding="utf-8")
    places = [block["name"] for block in BLOCK.finditer(text)]
    problems = [f"{options.page}: no place for the table {name}: add <!-- keys: {name} --> and <!-- end -->"
                for name in tables if name not in places]
    problems += [f"{options.page}: there are no keys of {name}" for name in places if name not in tables]
    renewed = BLOCK.sub(lambda block: tables.get(block["name"], block[0]), text)
    if renewed != text and options.fix:
        options.page.write_text(renewed, encoding="utf-8")
    elif renewed != text:
        problems.append(f"{options.page}: a table differs from the table of keys; ./dev keys --fix renews it")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
