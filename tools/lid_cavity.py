#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reference of gaussian_cavity.toml: the steady flow at Re = 100 in the unit square under a lid with u = 1.

Of the stream function, u = psi_y, v = -psi_x, the flow of Stokes in the two upper corners, r f(angle), is taken out in
closed form: it jumps there and its vorticity is infinite. What is left is a polynomial through Chebyshev points, found
by Newton's method on (u q_x + v q_y)/nu = lap q, q = lap psi. The extrema on the centre lines are published by Ghia, Ghia & Shin
1982 and Botella & Peyret 1998 ("Benchmark spectral results on the lid-driven cavity flow", Computers & Fluids 27).

    tools/lid_cavity.py problems/gaussian_cavity.npz    # a minute; prints how the degrees agree
"""
import sys

import numpy as np

REYNOLDS = 100
KEPT = 64  # cells of the grid that is written
DEGREES = 32, 40, 48


def corner(x, s):
    """psi of Stokes' flow beside a corner whose lid moves away along x, s = 1 - y; then psi_x, psi_y and q = lap psi
    with its gradient. psi = r (B sin a + C a cos a + D a sin a), the angle a from the lid to the wall."""
    c = 1 / (1 - np.pi ** 2 / 4)
    d, b = c * np.pi / 2, -c * np.pi ** 2 / 4
    r2 = x * x + s * s
    a = np.arctan2(s, x)
    value = b * s + a * (c * x + d * s)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_x = c * a - s / r2 * (c * x + d * s)
        by_s = b + d * a + x / r2 * (c * x + d * s)
        q = 2 * (d * x - c * s) / r2
        q_x = 2 * d / r2 - 2 * x * q / r2
        q_s = -2 * c / r2 - 2 * s * q / r2
    return [value, by_x, by_s, q, q_x, q_s]


def corners(x, y):
    """Both of them: psi, psi_x, psi_y, q_x, q_y. The lid leaves one corner and comes to the other: psi is even. It
    falls below the lid, where u = psi_y = 1."""
    left, right = corner(x, 1 - y), corner(1 - x, 1 - y)
    psi, by_x, by_s, _, q_x, q_s = (l + sign * r for l, r, sign in zip(left, right, (1, -1, 1, 1, -1, 1)))
    return [-psi, -by_x, by_s, -q_x, q_s]


def differentiation(n):
    """Chebyshev points of [0, 1] and the matrix that differentiates polynomials through them."""
    z = np.cos(np.pi * np.arange(n + 1) / n)
    c = np.r_[2, np.ones(n - 1), 2] * (-1.0) ** np.arange(n + 1)
    with np.errstate(divide="ignore"):
        d = np.outer(c, 1 / c) / (z[:, None] - z[None, :] + np.eye(n + 1))
    d -= np.diag(d.sum(axis=1))
    return (1 + z) / 2, 2 * d


def interpolation(n, at):
    z, x = np.cos(np.pi * np.arange(n + 1) / n), 2 * np.asarray(at) - 1
    t = lambda w: np.cos(np.arange(n + 1) * np.arccos(np.clip(w, -1, 1))[:, None])
    return t(x) @ np.linalg.inv(t(z))


def solve(n):
    """The polynomial's values on the points."""
    points, d = differentiation(n)
    size = n + 1
    one = np.eye(size)
    at = lambda i, j: i * size + j
    d2 = d @ d
    dx, dy = np.kron(d, one), np.kron(one, d)
    lap = np.kron(d2, one) + np.kron(one, d2)
    lap_lap = np.kron(d2 @ d2, one) + 2 * np.kron(d2, d2) + np.kron(one, d2 @ d2)
    lap_x, lap_y = dx @ lap, dy @ lap
    x, y = (a.ravel() for a in np.meshgrid(points, points, indexing="ij"))
    psi_s, x_s, y_s, qx_s, qy_s = corners(x, y)
    inner = [at(i, j) for i in range(2, n - 1) for j in range(2, n - 1)]
    wall = [at(i, j) for i in range(size) for j in range(size) if i in (0, n) or j in (0, n)]
    # Normal derivatives, one for each point of the ring next to the walls; those of two walls hold at its corners.
    sides = [(dx, at(i, j), 0.0) for i in (0, n) for j in range(1, n)]
    sides += [(dy, at(i, j), 1.0 if j == 0 else 0.0) for j in (0, n) for i in range(2, n - 1)]
    linear = np.vstack([one_row[None] for one_row in np.eye(size * size)[wall]] + [m[k][None] for m, k, _ in sides])
    right = np.r_[-psi_s[wall], [value - (x_s if m is dx else y_s)[k] for m, k, value in sides]]
    phi = np.zeros(size * size)
    for step in range(20):
        u, v = (y_s + dy @ phi)[inner], -(x_s + dx @ phi)[inner]
        q_x, q_y = (qx_s + lap_x @ phi)[inner], (qy_s + lap_y @ phi)[inner]
        f = np.r_[(lap_lap @ phi)[inner] - REYNOLDS * (u * q_x + v * q_y), linear @ phi - right]
        matrix = np.vstack([lap_lap[inner] - REYNOLDS * (u[:, None] * lap_x[inner] + q_x[:, None] * dy[inner]
                                                         + v[:, None] * lap_y[inner] - q_y[:, None] * dx[inner]),
                            linear])
        change = np.linalg.solve(matrix, -f)
        phi += change
        if np.abs(change).max() < 1e-10:
            return phi.reshape(size, size), d
    raise SystemExit("Newton's method does not converge at degree %d" % n)


def flow(phi, d, x, y):
    """psi, u and v on the grid of x and y, which has no corner of the lid."""
    n = len(phi) - 1
    tx, ty = interpolation(n, x), interpolation(n, y)
    psi_s, x_s, y_s, _, _ = corners(*np.meshgrid(x, y, indexing="ij"))
    return psi_s + tx @ phi @ ty.T, y_s + tx @ phi @ (ty @ d).T, -(x_s + (tx @ d) @ phi @ ty.T)


def main():
    axis = np.linspace(0, 1, KEPT + 1)
    fine = np.linspace(0.05, 0.95, 9001)
    error = lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(b)
    before = None
    for n in DEGREES:
        phi, d = solve(n)
        u, v = flow(phi, d, [0.5], fine)[1][0], flow(phi, d, fine, [0.5])[2][:, 0]
        print("degree %d: u %.7f at y = %.4f; v %.7f at x = %.4f, %.7f at x = %.4f" % (
            n, u.min(), fine[u.argmin()], v.max(), fine[v.argmax()], v.min(), fine[v.argmin()]))
        psi = flow(phi, d, axis, axis)[0]
        if before is not None:
            print("  psi differs from that of the degree before by %.1e" % error(before, psi))
        before = psi
    psi[[0, -1]] = psi[:, [0, -1]] = 0
    np.savez_compressed(sys.argv[1], x=axis, y=axis, psi=psi.astype(np.float32))


main()
