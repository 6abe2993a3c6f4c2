# SPDX-License-Identifier: Apache-2.0
"""What ptxas says about the CUDA kernels of a build: registers, shared memory, stack and spills.

With --run it is a compiler launcher (CMAKE_CUDA_COMPILER_LAUNCHER): it runs the compiler and keeps what it
prints beside the object. Without, it reads those files, prints a table and fails when a hot kernel has a stack
frame, spills or more registers than its budget, or when there are more heavy kernels than compile in reasonable
time. --markdown FILE replaces the table between the marks <!-- ptxas --> in a file by one of a line for each
kernel.
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
# Registers of a thread, where not given otherwise: two blocks of 256 threads on a multiprocessor. One block may
# have 255.
BUDGET = 128
ONE_BLOCK = re.compile(r"MmaShape<.*>, float,|jacobian_kernel<\w+<UnrolledTables<ChannelTables<1>")
# What contains a network or a panel of a matrix takes seconds each to compile.
HEAVY = ("residual_kernel", "network_kernel", "jacobian_kernel", "syrk_kernel", "trailing_kernel")
MOST_HEAVY = 90  # for an architecture
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


def budget(kernel: dict) -> int:
    return 255 if ONE_BLOCK.search(kernel["name"]) else BUDGET


def summary(found: list[dict]) -> str:
    """A line for each kernel and shape, over all algebras."""
    groups = {}
    for kernel in filter(hot, found):
        shape = re.search(r"(Fma|Mma)Shape<.*?, (float|double)", kernel["name"])
        name = kernel["name"].split("<")[0] + (f" {shape[1]}Shape {shape[2]}" if shape else "")
        groups.setdefault(name, []).append(kernel)
    rows = ["| kernel | compiled | registers | budget |", "| --- | --- | --- | --- |"]
    for name, group in sorted(groups.items()):
        registers = [kernel["registers"] for kernel in group]
        rows.append(f"| `{name}` | {len(group)} | {min(registers)} – {max(registers)} | {max(map(budget, group))} |")
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
        options.markdown.write_text(f"{before}{MARK}\n{summary(found)}\n{MARK}{after}", encoding="utf-8")
    else:
        print(text)
    wrong = [kernel for kernel in found if hot(kernel)
             and (kernel["stack"] > 0 or kernel["spills"] > 0 or kernel["registers"] > budget(kernel))]
    for kernel in wrong:
        print(f"{kernel['file']}: {kernel['name']} ({kernel['arch']}) has a stack frame of {kernel['stack']} bytes, "
              f"{kernel['spills']} bytes of spills and {kernel['registers']} registers of {budget(kernel)}",
              file=sys.stderr)
    heavy = max(sum(kernel["arch"] == arch and kernel["name"].startswith(HEAVY) for kernel in found)
                for arch in {kernel["arch"] for kernel in found})
    if heavy > MOST_HEAVY:
        print(f"{heavy} heavy kernels; at most {MOST_HEAVY}: fewer shapes, or a branch at run time", file=sys.stderr)
    print(f"{len(found)} kernels, {sum(map(hot, found))} of them hot, {len(wrong)} of those with stack, spills or too "
          f"many registers; {heavy} heavy ones for an architecture", file=sys.stderr)
    return 1 if wrong or heavy > MOST_HEAVY else 0


if __name__ == "__main__":
    sys.exit(main())
