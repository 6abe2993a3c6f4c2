# SPDX-License-Identifier: Apache-2.0
"""Checks a build on a machine with a GPU and writes gpu-report.md and gpu-report.json.

In this order, what is worth most first: the tests of the CUDA kernels on the device; the benchmarks of the training
step, of Levenberg–Marquardt and of kernels against libraries, with the device's limit measured in the same run;
compute-sanitizer (memcheck, racecheck) on the small tests; PyTorch and JAX on the same step where they are installed;
allen_cahn from end to end; copies. --list says what would run and how long it is expected to take; no
stage begins that the --budget has no time left for. `./dev gpu` builds and runs it; in a bundle (`./dev gpu-bundle`) it
is ./check and needs neither compiler nor network.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ON_DEVICE = "*Cuda*:Elementary*:MachinePeak*"
SMALL = {"test_core": "CudaDevice*", "test_linalg": "Syrk/Cuda*:Vectors/Cuda*:Cholesky/Cuda*.Refuses*",
         "test_optim": "*Cuda*.Follows*:*Cuda*.Counts*:Damping/Cuda*", "test_jet": "*Cuda*",
         "test_expression": "*Cuda*", "test_network": "*Cuda*", "test_pinn": "Step*/Cuda*"}


def run(command, seconds, environment=None):
    begin = time.perf_counter()
    try:
        out = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=seconds,
                             env=os.environ | (environment or {}))
        code, text, errors = out.returncode, out.stdout, out.stderr
    except subprocess.TimeoutExpired as late:
        code, text, errors = 124, (late.stdout or b"").decode(), f"stopped after {seconds} s"
    except OSError as error:
        code, text, errors = 127, "", str(error)
    return {"exit_code": code, "seconds": round(time.perf_counter() - begin, 1), "out": text, "err": errors}


def count(pattern, text):
    return sum(int(found) for found in re.findall(pattern, text))


def tests(programs, seconds):
    rows, end = [], time.monotonic() + seconds
    for program in programs:
        result = run([program, f"--gtest_filter={ON_DEVICE}"], max(1, end - time.monotonic()))
        failed = re.findall(r"^\[  FAILED  \] ([\w/.]+)", result["out"], re.M)
        rows.append({"program": program.name, "passed": count(r"\[  PASSED  \] (\d+)", result["out"]),
                     "failed": sorted(set(failed)), "exit_code": result["exit_code"], "seconds": result["seconds"],
                     "end": "" if result["exit_code"] == 0 else (result["out"] + result["err"])[-2000:]})
    return rows


def sanitize(programs, seconds):
    end = time.monotonic() + seconds
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not Path(tool).exists():
        return None
    rows = []
    for check in ("memcheck", "racecheck"):
        for program in programs:
            if program.name not in SMALL:
                continue
            result = run([tool, "--tool", check, "--error-exitcode", "99", program,
                          f"--gtest_filter={SMALL[program.name]}"], max(1, end - time.monotonic()))
            summary = re.findall(r"=========.*SUMMARY: (.*)", result["out"] + result["err"])
            rows.append({"tool": check, "program": program.name, "exit_code": result["exit_code"],
                         "seconds": result["seconds"], "summary": summary[-1] if summary else "",
                         "end": "" if result["exit_code"] == 0 else (result["out"] + result["err"])[-2000:]})
    return rows


def benchmarks(program, which, seconds):
    result = run([program, f"--benchmark_filter={which}", "--benchmark_min_time=0.2", "--benchmark_format=json"], seconds)
    try:
        rows = json.loads(result["out"])["benchmarks"]
    except (ValueError, KeyError):
        return [{"name": "sobolev_bench", "error_message": (result["out"] + result["err"])[-1000:]}]
    keep = ("name", "real_time", "time_unit", "gflops", "percent_of_peak", "ms_per_step", "bytes_per_second", "trials",
            "error_message")
    return [{key: row[key] for key in keep if key in row} for row in rows]


def peers(program, seconds):
    available = [name for name in ("torch", "jax")
                 if run([sys.executable, "-c", f"import {name}"], 120)["exit_code"] == 0]
    if not available:
        return None
    result = run([sys.executable, ROOT / "benchmarks/peers/compare.py", "--bench", program, "--device", "cuda",
                  "--widths", "32", "128", "--points", "25600", "--seconds", "2"], seconds)
    return {"installed": available, "table": result["out"], "errors": result["err"][-1000:] if result["exit_code"] else ""}


def solve(command, seconds):
    rows = []
    for name, more in (("allen_cahn", []),
                       ("allen_cahn_plain with Adam, 4 x 128, float32",
                        ["--set", "network.depth=4", "--set", "network.width=128", "--set", "training.precision=float32",
                         "--set", "training.phase=[{optimizer=\"adam\", iterations=20000}]",
                         "--set", "training.points={ sobol = 25600 }"])):
        problem = ROOT / "problems" / (name.split()[0] + ".toml")
        result = run([command, "solve", problem, "--device", "cuda", "--json", "--quiet", "--out", "runs/" + name.split()[0],
                      "--set", f"training.stop.seconds={seconds}", *more], seconds + 300)
        try:
            rows.append({"name": name} | json.loads(result["out"]))
        except ValueError:
            rows.append({"name": name, "error": (result["out"] + result["err"])[-1000:]})
    return rows


def markdown(report):
    lines = [f"# GPU check: {report['device']}", "", f"Driver and device: {report['nvidia_smi']}", "", "## Tests", "",
             "| program | passed | failed | seconds |", "| --- | --- | --- | --- |"]
    for row in report["tests"]:
        failed = ", ".join(row["failed"]) or ("exit code " + str(row["exit_code"]) if row["exit_code"] else "0")
        lines.append(f"| {row['program']} | {row['passed']} | {failed} | {row['seconds']} |")
    lines += ["", "## compute-sanitizer", ""]
    if report["sanitizer"] is None:
        lines.append("Left out." if "sanitizer" in report["left_out"] else "Not installed.")
    else:
        lines += ["| tool | program | result | seconds |", "| --- | --- | --- | --- |"]
        for row in report["sanitizer"]:
            lines.append(f"| {row['tool']} | {row['program']} | {row['summary'] or row['exit_code']} | {row['seconds']} |")
    lines += ["", "## Benchmarks", "", "| benchmark | time | GFLOP/s | per cent of the measured peak |",
              "| --- | --- | --- | --- |"]
    for row in report["benchmarks"]:
        if "error_message" in row:
            lines.append(f"| {row['name']} | {row['error_message']} | | |")
            continue
        shown = f"{row['ms_per_step']:.4f} ms per step" if "ms_per_step" in row else f"{row['real_time']:.4g} {row['time_unit']}"
        lines.append(f"| {row['name']} | {shown} | {row.get('gflops', 0):.0f} | {row.get('percent_of_peak', 0):.1f} |")
    lines += ["", "## PyTorch and JAX", ""]
    without = "Left out." if "peers" in report["left_out"] else "Not installed."
    lines += [without] if report["peers"] is None else ["```", report["peers"]["table"].strip(), "```"]
    lines += ["", "## From end to end", "", "| problem | relative L2 | iterations | seconds | points/s |",
              "| --- | --- | --- | --- | --- |"]
    for row in report["solve"]:
        if "error" in row:
            lines.append(f"| {row['name']} | {row['error']} | | | |")
        else:
            lines.append(f"| {row['name']} | {max(row['relative_l2'].values(), default=0):.2e} | {row['iterations']} | "
                         f"{row['seconds']:.1f} | {row['points_per_second']:.3g} |")
    return "\n".join(lines) + "\n"


class Stage(NamedTuple):
    name: str
    part: str  # of the report
    expected: int  # seconds: a guess until a GPU was at hand
    what: str
    run: Callable  # (options, seconds left) -> what the report gets


def test_programs(options):
    return sorted(options.bin.glob("test_*"))


def benchmark_stage(name, expected, which):
    return Stage(name, "benchmarks", expected, f"sobolev_bench --benchmark_filter='{which}'",
                 lambda options, left: benchmarks(options.bin / "sobolev_bench", which, left))


STAGES = [
    Stage("tests", "tests", 60, f"the test programs with --gtest_filter='{ON_DEVICE}'",
          lambda options, left: tests(test_programs(options), left)),
    benchmark_stage("steps", 50, "^step_cuda"),
    benchmark_stage("levenberg-marquardt", 10, "^lm_.*/cuda"),
    benchmark_stage("engines", 40, "^(gemm|syrk|cholesky)_cuda"),
    Stage("sanitizer", "sanitizer", 80, "compute-sanitizer --tool memcheck and racecheck on " + ", ".join(SMALL),
          lambda options, left: sanitize(test_programs(options), min(left, 120))),
    Stage("peers", "peers", 60, "benchmarks/peers/compare.py --device cuda",
          lambda options, left: peers(options.bin / "sobolev_bench", min(left, 120))),
    Stage("solve", "solve", 70, "sobolev solve allen_cahn, and with Adam in float32, --device cuda",
          lambda options, left: solve(options.bin / "sobolev", options.seconds)),
    benchmark_stage("copies", 5, "^device_"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "bin", help="folder of the programs")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of the report")
    parser.add_argument("--seconds", type=int, default=25, help="of each problem solved")
    parser.add_argument("--budget", type=float, default=400, help="seconds for all stages")
    parser.add_argument("--skip", nargs="*", default=[], choices=[stage.name for stage in STAGES])
    parser.add_argument("--list", action="store_true", help="say what would run, and run nothing")
    options = parser.parse_args()
    if options.list:
        for stage in STAGES:
            print(f"{stage.expected:4} s  {stage.name}: {stage.what}")
        print(f"{sum(stage.expected for stage in STAGES):4} s  in all, where nothing was measured yet; "
              f"the budget is {options.budget:g} s")
        return 0
    info = run([options.bin / "sobolev", "info", "--json"], 60)
    devices = json.loads(info["out"]).get("cuda", "off") if info["exit_code"] == 0 else "off"
    if devices in ("off", []):
        sys.exit(f"gpu_check: {options.bin / 'sobolev'} sees no CUDA device")
    options.out.mkdir(parents=True, exist_ok=True)
    smi = run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader"], 60)
    report = {"left_out": list(options.skip), "device": devices[0], "nvidia_smi": smi["out"].strip(), "seconds": {},
              "tests": [], "sanitizer": None, "benchmarks": [], "peers": None, "solve": []}
    begin = time.monotonic()
    for stage in STAGES:
        left = options.budget - (time.monotonic() - begin)
        if stage.name in options.skip:
            continue
        if left < stage.expected / 2:
            report["left_out"].append(stage.name)
            print(f"gpu_check: {stage.name} left out: {left:.0f} s are left", file=sys.stderr, flush=True)
            continue
        print(f"gpu_check: {stage.name}, about {stage.expected} s", file=sys.stderr, flush=True)
        stage_begin = time.monotonic()
        result = stage.run(options, left)
        if isinstance(report[stage.part], list):
            report[stage.part] += result
        else:
            report[stage.part] = result
        report["seconds"][stage.name] = round(time.monotonic() - stage_begin, 1)
        # After every stage: a machine may be taken away before the last.
        (options.out / "gpu-report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        (options.out / "gpu-report.md").write_text(markdown(report), encoding="utf-8")
    print(f"gpu_check: {options.out / 'gpu-report.md'}", file=sys.stderr)
    bad = [row for row in report["tests"] + (report["sanitizer"] or []) if row["exit_code"] != 0]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
