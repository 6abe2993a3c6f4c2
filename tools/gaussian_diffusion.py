#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reference of gaussian_diffusion.toml: u_t = 0.05 (|grad u|^2 + u lap u) = 0.025 lap(u^2) on [-1, 1]^2, u = 0 on
the boundary. Five-point differences of u^2, classical Runge-Kutta in time, two grids extrapolated.

    tools/gaussian_diffusion.py problems/gaussian_diffusion.npz    # 3 minutes; prints how the grids agree
"""
import sys

import numpy as np

KEPT = 50  # cells of the grid that is written


def bumps(x, y):
    return (0.25 * np.exp(-((x - 0.3) ** 2 + (y - 0.2) ** 2) / 0.1)
            + 0.4 * np.exp(-15 * ((x + 0.5) ** 2 + (y + 0.1) ** 2))
            + 0.3 * np.exp(-20 * (x ** 2 + (y + 0.5) ** 2)))


def solve(cells, times):
    h = 2 / cells
    axis = np.linspace(-1, 1, cells + 1)
    u = bumps(*np.meshgrid(axis, axis, indexing="ij"))
    u[0] = u[-1] = u[:, 0] = u[:, -1] = 0
    rate = np.zeros_like(u)

    def f(u):
        w = u * u
        rate[1:-1, 1:-1] = (w[2:, 1:-1] + w[:-2, 1:-1] + w[1:-1, 2:] + w[1:-1, :-2]
                            - 4 * w[1:-1, 1:-1]) * 0.025 / h ** 2
        return rate.copy()

    every = cells // KEPT
    out = [u[::every, ::every].copy()]
    for start, end in zip(times[:-1], times[1:]):
        steps = int(np.ceil((end - start) * 8 * 0.05 * u.max() / (2.5 * h ** 2)))
        dt = (end - start) / steps
        for _ in range(steps):
            a = f(u)
            b = f(u + dt / 2 * a)
            c = f(u + dt / 2 * b)
            u = u + dt / 6 * (a + 2 * b + 2 * c + f(u + dt * c))
        out.append(u[::every, ::every].copy())
    return np.array(out)


def main():
    times = np.linspace(0, 1, 11)
    error = lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(b)
    u = {cells: solve(cells, times) for cells in (100, 200, 400)}
    best = (4 * u[400] - u[200]) / 3
    print("change from 100 to 200 cells %.1e, from 200 to 400 %.1e" % (error(u[100], u[200]), error(u[200], u[400])))
    print("extrapolations of the two pairs differ by %.1e" % error((4 * u[200] - u[100]) / 3, best))
    axis = np.linspace(-1, 1, KEPT + 1)
    np.savez_compressed(sys.argv[1], t=times, x=axis, y=axis, u=best.astype(np.float32))


main()
