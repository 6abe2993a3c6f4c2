#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the multigrid solver alone beside PyAMG: -div(a grad u) = 1 on nodes, to a residual of 1e-10, set-up included.

    python benchmarks/peers/multigrid.py --bench build/bench/bin/sobolev_bench

PyAMG: conjugate gradients preconditioned by classical (Ruge-Stuben) and by smoothed aggregation multigrid, the faster of
them; the same five-point equations with arithmetic means on the faces."""
import argparse
import json
import subprocess
import time

import numpy as np
import pyamg
import scipy.sparse as sparse


def equations(n, patches):
    x, y = np.meshgrid(np.arange(n) / n, np.arange(n) / n, indexing="ij")
    a = np.where(np.sin(13 * x + 3 * y) + np.cos(11 * y - 5 * x * y) >= 0, 12.0, 3.0) if patches else np.ones((n, n))
    m = n - 2
    number = np.arange(m * m).reshape(m, m)
    inner = a[1:-1, 1:-1]
    diagonal = np.zeros((m, m))
    rows, columns, values = [], [], []
    for di, dj in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        t = (inner + a[1 + di:n - 1 + di, 1 + dj:n - 1 + dj]) / 2
        diagonal += t
        i, j = np.indices((m, m))
        there = (i + di >= 0) & (i + di < m) & (j + dj >= 0) & (j + dj < m)
        rows.append(number[there])
        columns.append(number[(i + di)[there], (j + dj)[there]])
        values.append(-t[there])
    rows.append(number.ravel())
    columns.append(number.ravel())
    values.append(diagonal.ravel())
    matrix = sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))))
    return matrix, np.full(m * m, 1.0 / (n - 1) ** 2)


def time_pyamg(n, patches):
    matrix, right = equations(n, patches)
    best = float("inf")
    for make in (pyamg.ruge_stuben_solver, pyamg.smoothed_aggregation_solver):
        for _ in range(2):
            start = time.perf_counter()
            solver = make(matrix)
            u = solver.solve(right, tol=1e-10, accel="cg", maxiter=100)
            spent = time.perf_counter() - start
            residual = np.linalg.norm(right - matrix @ u) / np.linalg.norm(right)
            if residual < 2e-10:
                best = min(best, spent)
    return best


def time_ours(program, name):
    out = subprocess.run([program, f"--benchmark_filter=^darcy_solver/{name}/real_time$", "--benchmark_format=json",
                          "--benchmark_repetitions=3"], capture_output=True, text=True, check=True).stdout
    runs = [b for b in json.loads(out)["benchmarks"] if b["run_type"] == "iteration"]
    return min(b["real_time"] for b in runs) / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--largest", type=int, default=2049)
    options = parser.parse_args()
    print(f"pyamg {pyamg.__version__}; seconds, set-up and solution, the best of each; ours on one thread")
    print("| equations | sobolev | pyamg | pyamg/sobolev |")
    print("| --- | --- | --- | --- |")
    for name, patches in (("poisson", False), ("patches", True)):
        for n in (421, 1025, 2049):
            if n > options.largest:
                continue
            ours = time_ours(options.bench, f"{name}/{n}")
            theirs = time_pyamg(n, patches)
            print(f"| {name}, {n} x {n} | {ours:.2f} | {theirs:.2f} | {theirs / ours:.1f} |", flush=True)


if __name__ == "__main__":
    main()
