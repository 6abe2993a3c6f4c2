# SPDX-License-Identifier: Apache-2.0
"""The checks of `./dev lint`: SPDX lines, formatting, the tree law, symbols of the kernels, clang-tidy."""

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE_SUFFIXES = {".cpp", ".hpp", ".cu", ".py", ".cmake", ".toml"}
ALSO_SOURCES = {"CMakeLists.txt", "dev", "run", ".clang-format", ".clang-tidy"}
FORMATTED = {".cpp", ".hpp", ".cu"}
# Families, lowest first: each uses those of lower lines and itself.
FAMILIES = [{"core"}, {"io", "linalg", "expression"}, {"jet", "spectral", "multigrid"}, {"network"}, {"optim"},
            {"problem"}, {"data"}, {"training"}, {"pinn", "operators"}]
FAMILY_ROOTS = {"kernels", "src", "tests", "benchmarks"}  # and include/sobolev
LONGEST_FILE = 500


def tracked_files() -> list[Path]:
    """Files of the repository, those not yet added included, those that git ignores left out."""
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True, check=True).stdout
    return sorted(Path(name) for name in set(out.split("\0")) if name and Path(name).is_file())


def changed_files() -> set[Path]:
    """Files that differ from where this branch left main."""
    base = subprocess.run(["git", "merge-base", "HEAD", "main"], capture_output=True, text=True, check=True).stdout.strip()
    out = subprocess.run(["git", "diff", "-z", "--name-only", base], capture_output=True, text=True, check=True).stdout
    return {Path(name) for name in out.split("\0") if name}


def is_source(path: Path) -> bool:
    return path.suffix in SOURCE_SUFFIXES or path.name in ALSO_SOURCES


def check_spdx(files: list[Path]) -> list[str]:
    problems = []
    for path in filter(is_source, files):
        head = path.read_text(encoding="utf-8").split("\n", 2)[:2]
        first = head[1] if head[0].startswith("#!") and len(head) > 1 else head[0]
        if not re.fullmatch(r"(//|#) SPDX-License-Identifier: Apache-2\.0", first):
            problems.append(f"{path}:1: the first line must be the SPDX-License-Identifier line")
    return problems


def check_length(files: list[Path]) -> list[str]:
    problems = []
    for path in files:
        if path.suffix in FORMATTED:
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines > LONGEST_FILE:
                problems.append(f"{path}: {lines} lines; split it ({LONGEST_FILE} at most)")
    return problems


def check_tree(files: list[Path]) -> list[str]:
    """kernels/<family>/<op>.cpp has a twin in .cu, a contract, a test and a benchmark of the same name;
    <op>_cublas.cu and <op>_cusolver.cu, what a library does of it, have those of <op>."""
    problems = []
    known = set(files)
    for path in files:
        parts = path.parts
        if len(parts) != 3 or parts[0] != "kernels" or path.suffix not in (".cpp", ".cu"):
            continue
        family, op = parts[1], re.sub("_(cublas|cusolver)$", "", path.stem)
        if family in ("common", "simulated") or op.endswith(("_detail", "_math")):
            continue
        roles = [] if path.suffix == ".cu" else [f"kernels/{family}/{op}.cu"]
        for role in (*roles, f"include/sobolev/{family}/{op}.hpp", f"tests/{family}/{op}_test.cpp",
                     f"benchmarks/{family}/{op}_bench.cpp"):
            if Path(role) not in known:
                problems.append(f"{path}: {role} is missing")
    return problems


def family_of(path: str) -> str | None:
    parts = Path(path.removeprefix("include/")).parts
    known = len(parts) > 2 and (parts[0] in FAMILY_ROOTS or parts[0] == "sobolev")
    return parts[1] if known and any(parts[1] in line for line in FAMILIES) else None


def check_families(files: list[Path]) -> list[str]:
    """A file of a family includes only files of its own and of lower families."""
    level = {family: i for i, line in enumerate(FAMILIES) for family in line}
    problems = []
    for path in files:
        own = family_of(str(path))
        if own is None or path.suffix not in FORMATTED:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            included = re.match(r'#include "([^"]+)"', line)
            other = family_of(included[1]) if included else None
            if other not in (None, own) and level[other] >= level[own]:
                problems.append(f"{path}:{number}: {own} must not include {included[1]}: {other} is not below it")
    return problems


def check_format(files: list[Path], fix: bool) -> list[str]:
    sources = [str(path) for path in files if path.suffix in FORMATTED]
    if fix:
        subprocess.run(["clang-format", "-i", *sources], check=True)
        return []
    out = subprocess.run(["clang-format", "--dry-run", *sources], capture_output=True, text=True).stderr
    wrong = sorted({line.split(":", 1)[0] for line in out.splitlines() if "clang-format-violations" in line})
    return [f"{path}: not formatted; ./dev lint --fix does it" for path in wrong]


def check_symbols(build: Path) -> list[str]:
    """A weak symbol outside the target namespace could be merged with the one that runs on every processor."""
    problems = []
    for target in ("avx2", "avx512"):
        for path in sorted((build / "CMakeFiles" / f"sobolev_kernels_{target}.dir").rglob("*.o")):
            out = subprocess.run(["nm", "-C", str(path)], capture_output=True, text=True, check=True).stdout
            for line in out.splitlines():
                match = re.match(r"[0-9a-f ]{16} ([WVu]) (.*)", line)
                if match and f"target_{target}" not in match[2] and not match[2].startswith("DW.ref."):
                    problems.append(f"{path.name} ({target}): weak symbol {match[2]}")
    return problems


def check_tidy(files: list[Path], build: Path, jobs: int) -> list[str]:
    sources = [path for path in files if path.suffix == ".cpp" and path.parts[0] in ("src", "apps")]

    def tidy(path: Path) -> list[str]:
        run = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), str(path)], capture_output=True, text=True)
        found = [line for line in run.stdout.splitlines() if re.search(r": (warning|error): ", line)]
        return found if found or run.returncode == 0 else [f"{path}: clang-tidy failed: {run.stderr[-500:]}"]

    with ThreadPoolExecutor(jobs) as pool:
        return sorted({line for found in pool.map(tidy, sources) for line in found})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="a configured build with the kernels' objects")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fix", action="store_true", help="format the files")
    parser.add_argument("--changed", action="store_true", help="clang-tidy for files that differ from main only")
    parser.add_argument("--no-tidy", action="store_true", help="leave clang-tidy out")
    options = parser.parse_args()

    files = tracked_files()
    checks = [("SPDX lines", lambda: check_spdx(files)), ("file lengths", lambda: check_length(files)),
              ("tree law", lambda: check_tree(files)), ("families", lambda: check_families(files)),
              ("format", lambda: check_format(files, options.fix)),
              ("kernel symbols", lambda: check_symbols(options.build)),
              ("documentation", lambda: subprocess.run([sys.executable, "tools/snippets.py"],
                                                       capture_output=True, text=True).stdout.splitlines())]
    if not options.no_tidy:
        changed = changed_files() if options.changed else set()
        tidied = [path for path in files if path in changed] if options.changed else files
        checks.append(("clang-tidy", lambda: check_tidy(tidied, options.build, options.jobs)))
    failed = False
    for name, check in checks:
        problems = check()
        print(f"{name}: {'ok' if not problems else f'{len(problems)} problems'}", flush=True)
        for problem in problems:
            print("  " + problem)
        failed = failed or bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
