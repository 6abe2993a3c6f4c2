# SPDX-License-Identifier: Apache-2.0
"""What ptxas says about the CUDA kernels of a build: registers, shared memory, stack and spills.

With --run it is a compiler launcher (CMAKE_CUDA_COMPILER_LAUNCHER): it runs the compiler and keeps what it
prints beside the object. Without, it reads those files, prints a table and fails when a hot kernel has a stack
frame or spills. --markdown FILE replaces the table between the marks <!-- ptxas --> in a file.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

SUFFIX = ".ptxas"
# Where the time of a solver goes. The general algebra reads its tables at run time and keeps its channels in
# local memory: it serves equations that have no unrolled kernel and is left out.
HOT = ("residual_kernel", "network_kernel", "jacobian_kernel", "syrk_kernel", "trailing_kernel", "adam", "axpby")
NOT_HOT = ("GeneralJet",)
MARK = "<!-- ptxas -->"


def run_compiler(command: list[str]) -> int:
    run = subprocess.run(command, capture_output=True, text=True)
    sys.stdout.write(run.stdout)
    printed = run.stderr
    if run.returncode == 0 and "-o" in command:
        lines = printed.splitlines(keepends=True)
        report = [line for line in lines if line.startswith("ptxas info") or line.startswith("    ")]
        Path(command[command.index("-o") + 1] + SUFFIX).write_text("".join(report), encoding="utf-8")
        printed = "".join(line for line in lines if line not in report)
    sys.stderr.write(printed)
    return run.returncode


def kernels(build: Path) -> list[dict]:
    found = []
    for path in sorted(build.rglob("*" + SUFFIX)):
        current = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.search(r"Compiling entry function '(\w+)' for '(\w+)'", line):
                current = {"file": path.name[: -len(".o" + SUFFIX)], "symbol": match[1], "arch": match[2]}
            elif match := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill", line):
                if current and "stack" not in current:
                    current |= {"stack": int(match[1]), "spills": int(match[2]) + int(match[3])}
            elif (match := re.search(r"Used (\d+) registers", line)) and current:
                shared = re.search(r"(\d+) bytes smem", line)
                found.append(current | {"registers": int(match[1]), "shared": int(shared[1]) if shared else 0})
                current = {}
    symbols = "\n".join(kernel["symbol"] for kernel in found)
    names = subprocess.run(["c++filt"], input=symbols, capture_output=True, text=True, check=True).stdout
    for kernel, name in zip(found, names.splitlines()):
        kernel["name"] = shorten(name)
    return sorted(found, key=lambda kernel: (kernel["file"], kernel["name"], kernel["arch"]))


def shorten(name: str) -> str:
    """The kernel and the arguments of its template, without namespaces and parameters."""
    name = re.sub(r"\(anonymous namespace\)::|sobolev::|detail::|target_cuda::|_INTERNAL_\w+::", "", name)
    name = re.sub(r"^void ", "", name)
    name = re.sub(r"\(JetShape\)(\d+)", r"\1", name)
    name = re.sub(r"\(Activation\)(\d+)", r"\1", name)
    depth = 0
    for i, c in enumerate(name):
        depth += (c == "<") - (c == ">")
        if c == "(" and depth == 0:
            return name[:i]
    return name


def hot(kernel: dict) -> bool:
    return any(word in kernel["name"] for word in HOT) and not any(word in kernel["name"] for word in NOT_HOT)


def table(found: list[dict]) -> str:
    rows = ["| kernel | registers | static shared | stack | spills |", "| --- | --- | --- | --- | --- |"]
    for kernel in found:
        name = kernel["name"] + (" (hot)" if hot(kernel) else "")
        rows.append(f"| `{name}` {kernel['arch']} | {kernel['registers']} | {kernel['shared']} | {kernel['stack']} "
                    f"| {kernel['spills']} |")
    return "\n".join(rows)


def main() -> int:
    if len(sys.argv) > 1 and sys.argv[1] == "--run":
        return run_compiler(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--markdown", type=Path, help="a file with two marks " + MARK)
    parser.add_argument("--arch", help="only this architecture, e.g. sm_90a")
    parser.add_argument("--hot", action="store_true", help="only the hot kernels in the table")
    options = parser.parse_args()
    found = [kernel for kernel in kernels(options.build) if options.arch in (None, kernel["arch"])]
    if not found:
        print(f"{options.build}: no report of ptxas; build with the preset cuda-compile-check")
        return 1
    text = table([kernel for kernel in found if hot(kernel) or not options.hot])
    if options.markdown:
        before, _, after = options.markdown.read_text(encoding="utf-8").split(MARK)
        options.markdown.write_text(f"{before}{MARK}\n{text}\n{MARK}{after}", encoding="utf-8")
    else:
        print(text)
    wrong = [kernel for kernel in found if hot(kernel) and (kernel["stack"] > 0 or kernel["spills"] > 0)]
    for kernel in wrong:
        print(f"{kernel['file']}: {kernel['name']} ({kernel['arch']}) has a stack frame of {kernel['stack']} bytes and "
              f"{kernel['spills']} bytes of spills", file=sys.stderr)
    print(f"{len(found)} kernels, {sum(map(hot, found))} of them hot, {len(wrong)} of those with stack or spills",
          file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
