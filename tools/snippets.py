# SPDX-License-Identifier: Apache-2.0
"""Keeps the documentation true to the files it quotes.

In a Markdown file the comment `<!-- from PATH -->` or `<!-- from PATH#NAME -->` stands on the line before a
fenced block. The block must be the file (without its SPDX line), or its part between the lines that contain
`[NAME]` and `[/NAME]`. `--fix` writes the blocks anew. Relative links must lead to files that exist.
"""

import re
import sys
import textwrap
from pathlib import Path

BLOCK = re.compile(r"<!-- from (?P<path>[^#\s]+)(?:#(?P<name>\S+))? -->\n```(?P<language>\w*)\n(?P<code>.*?)```\n", re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def quoted(path: str, name: str | None) -> str:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    if name is None:
        body = [line for line in lines if "SPDX-License-Identifier" not in line]
    else:
        begin = next(i for i, line in enumerate(lines) if f"[{name}]" in line)
        end = next(i for i, line in enumerate(lines) if f"[/{name}]" in line)
        body = lines[begin + 1:end]
    return textwrap.dedent("\n".join(body)).strip("\n") + "\n"


def check(document: Path, fix: bool) -> list[str]:
    problems = []
    text = document.read_text(encoding="utf-8")

    def renew(match: re.Match) -> str:
        try:
            code = quoted(match["path"], match["name"])
        except (OSError, StopIteration):
            problems.append(f"{document}: nothing to quote at {match['path']}#{match['name']}")
            return match[0]
        if code == match["code"]:
            return match[0]
        if not fix:
            problems.append(f"{document}: the code from {match['path']} has changed; ./dev docs --fix renews it")
        begin, end = match.start("code") - match.start(), match.end("code") - match.start()
        return match[0][:begin] + code + match[0][end:]

    renewed = BLOCK.sub(renew, text)
    if fix and renewed != text:
        document.write_text(renewed, encoding="utf-8")
    outside_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    for target in LINK.findall(outside_code):
        if "://" not in target and not target.startswith("mailto:") and not (document.parent / target).exists():
            problems.append(f"{document}: the link to {target} leads nowhere")
    return problems


def main() -> int:
    fix = "--fix" in sys.argv[1:]
    documents = sorted([*Path(".").glob("*.md"), *Path("docs").glob("**/*.md")])
    problems = [problem for document in documents for problem in check(document, fix)]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
