# SPDX-License-Identifier: Apache-2.0
"""Runs Sobolev, PyTorch and JAX on the same steps with the same numbers, one after the other, and prints the ratios.

`./dev peers` runs it. Losses and norms of the results are compared too: equal work, or the row says so. Let nothing
else run on the machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import common

HERE = Path(__file__).parent


def write_data(folder, kind, width, depth, points):
    """The peers' weights and points in the library's layout: every weight [in, out] but the last, [out, in]."""
    import numpy as np

    case = argparse.Namespace(width=width, depth=depth, points=points)
    if kind == "gaussian":
        flat = [part.reshape(-1) for channel in common.gaussians(case, "float64") for part in channel]
        np.save(folder / "parameters.npy", np.concatenate(flat))
        np.save(folder / "points.npy", common.plane(case, "float64"))
        return
    flat = [part.reshape(-1) for layer in common.network(case, "float64") for part in layer]
    np.save(folder / "parameters.npy", np.concatenate(flat))
    np.save(folder / "points.npy", np.stack(common.collocation(case, "float64"), 1))


def run_ours(bench, device, kind, dtype, width, depth, points, threads, seconds):
    with tempfile.TemporaryDirectory() as name:
        write_data(Path(name), kind, width, depth, points)
        where = "" if device == "cpu" else f"{device}/"
        pattern = f"^peers/{kind}/{where}{dtype}/width:{width}/depth:{depth}/points:{points}/process_time/real_time$"
        command = [bench, f"--benchmark_filter={pattern}", "--benchmark_format=json",
                   "--benchmark_min_time=0.001", f"--benchmark_repetitions={max(3, int(5 * seconds))}"]
        out = subprocess.run(limit(threads) + command, capture_output=True, text=True, check=False,
                             env=os.environ | {"SOBOLEV_PEERS_DATA": name, "OMP_NUM_THREADS": str(threads),
                                               "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "1000")})
    rows = [] if out.returncode else [row for row in json.loads(out.stdout)["benchmarks"]
                                      if row["run_type"] == "iteration" and "error_message" not in row]
    if not rows:
        sys.exit(f"{bench} gave no result for {pattern}: {out.stderr[-1000:]}")
    best = min(rows, key=lambda row: row["real_time"])
    return {"tool": "sobolev", "variant": "fused", "dtype": dtype, "threads": threads, "width": width, "depth": depth,
            "points": points, "seconds": best["real_time"] * 1e-3,
            "cpu_seconds": min(row["cpu_time"] for row in rows) * 1e-3, "gflops": best["gflops"], "loss": best["loss"],
            "norm": best["norm"], **{key: best[key] for key in ("percent_of_peak", "percent_of_exp") if key in best}}


def limit(threads):
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return ["taskset", "-c", ",".join(map(str, cores))]


def run_peer(script, variants, device, dtype, width, depth, points, threads, seconds):
    out = subprocess.run([sys.executable, HERE / script, f"--device={device}", f"--dtype={dtype}", f"--width={width}", f"--depth={depth}",
                          f"--points={points}", f"--threads={threads}", f"--seconds={seconds}", f"--variants={variants}"],
                         capture_output=True, text=True, check=False)
    if out.returncode:
        print(f"{script} failed: {out.stderr[-500:]}", file=sys.stderr)
    return [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]


def table(title, ours, peers):
    print(f"\n{title}")
    print(f"{'tool':10} {'variant':16} {'ms':>9} {'GFLOP/s':>9} {'ours is':>9} {'by CPU time':>12}")
    print(f"{ours['tool']:10} {ours['variant']:16} {ours['seconds'] * 1e3:9.2f} {ours['gflops']:9.1f}"
          + (f"   {ours['percent_of_peak']:.0f} % of the FMA peak, {ours['percent_of_exp']:.0f} % of the limit by "
             "exponentials" if "percent_of_peak" in ours else ""))
    for row in peers:
        if "error" in row:
            print(f"{row['tool']:10} {row['variant']:16} cannot: {row['error']}")
            continue
        slack = 1e-3 if row["dtype"] == "float32" else 1e-6
        equal = all(abs(row[key] - ours[key]) <= slack * abs(ours[key]) for key in ("loss", "norm"))
        print(f"{row['tool']:10} {row['variant']:16} {row['seconds'] * 1e3:9.2f} {row['gflops']:9.1f} "
              f"{row['seconds'] / ours['seconds']:8.2f}x {row['cpu_seconds'] / ours['cpu_seconds']:11.2f}x{'' if equal else '  (another result: not the same work)'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True, help="the program sobolev_bench")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=3.0, help="of timing, per variant")
    parser.add_argument("--widths", type=int, nargs="*", default=[32, 64, 128, 256])
    parser.add_argument("--points", type=int, nargs="*", default=[4096, 25600])
    parser.add_argument("--dtypes", nargs="*", default=["float32", "float64"])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--no-lm", action="store_true", help="leave the Levenberg–Marquardt step out")
    parser.add_argument("--no-step", action="store_true", help="leave the steps of the tanh network out")
    parser.add_argument("--gaussians", type=int, nargs="*", default=[800, 4000],
                        help="of each of four channels; none: leave them out (on the CPU only)")
    parser.add_argument("--variants", default="", help="of the peers, comma separated; default: all")
    parser.add_argument("--json", type=Path, help="also write all rows to this file")
    options = parser.parse_args()

    cases = [("step", dtype, width, 4, points) for dtype in options.dtypes for width in options.widths
             for points in options.points if not options.no_step]
    if not options.no_lm:
        cases.append(("lm", "float64", 30, 3, 10000))
    if options.device == "cpu":
        cases += [("gaussian", dtype, count, 4, 10000) for dtype in options.dtypes for count in options.gaussians]
    everything = []
    for kind, dtype, width, depth, points in cases:
        case = (dtype, width, depth, points, options.threads, options.seconds)
        ours = run_ours(options.bench, options.device, kind, *case)
        peers = [row for script in (f"{kind}_pytorch.py", f"{kind}_jax.py") 
                 for row in run_peer(script, options.variants, options.device, *case)]
        table(f"{kind}: {depth} x {width}, {points} points, {dtype}, "
              f"{options.device if options.device != 'cpu' else f'{options.threads} threads'}", ours, peers)
        everything += [row | {"kind": kind} for row in [ours, *peers]]
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
