#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the coefficient tables:

    python3 tools/minimax.py | clang-format > kernels/common/vector_math_tables.hpp

Each table holds the c_i that minimise max |w(x) (target(x) - sum_i c_i basis_i(x))| over an interval
(Remez exchange on a fine grid, in 60 digits). The target is divided by powers of the argument so that
the leading terms, which the kernels hold exactly, stay out of the fit, and w turns the error into the
relative error of the function. Needs python3-mpmath.
"""
from mpmath import asin, atan, cos, erf, erfc, exp, log, lu_solve, matrix, mp, mpf, pi, sin, sinh, sqrt, tan, tanh

mp.dps = 60


def fit(target, basis, weight, low, high, grid=1500):
    """Coefficients and the error reached."""
    low, high = mpf(low), mpf(high)
    n = len(basis)
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / grid) for i in range(grid + 1)]
    f = [target(x) for x in points]
    rows = [[b(x) for b in basis] for x in points]
    w = [weight(x) for x in points]
    nodes = [round(grid * i / n) for i in range(n + 1)]
    for _ in range(60):
        system = matrix(n + 1, n + 1)
        right = matrix(n + 1, 1)
        for r, i in enumerate(nodes):
            for c in range(n):
                system[r, c] = rows[i][c]
            system[r, n] = (-1) ** r / w[i]
            right[r] = f[i]
        solution = lu_solve(system, right)
        coefficients = [solution[i] for i in range(n)]
        error = [w[i] * (f[i] - sum(c * v for c, v in zip(coefficients, rows[i]))) for i in range(grid + 1)]
        # One extremum per run of equal sign; keep the n + 1 neighbours with the largest least.
        extrema = []
        for i, e in enumerate(error):
            if extrema and (error[extrema[-1]] < 0) == (e < 0):
                if abs(e) > abs(error[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        while len(extrema) > n + 1:
            extrema.pop(0 if abs(error[extrema[0]]) < abs(error[extrema[-1]]) else -1)
        if len(extrema) < n + 1 or extrema == nodes:
            break
        nodes = extrema
    return coefficients, max(abs(e) for e in error)


def table(kind, name, values, note=""):
    digits = 10 if kind == "float" else 18
    suffix = "f" if kind == "float" else ""
    texts = [mp.nstr(v, digits, min_fixed=0, max_fixed=0) + suffix for v in values]
    lines, line = [], "     "
    for i, text in enumerate(texts):
        piece = " " + text + ("," if i + 1 < len(texts) else "};")
        if len(line) + len(piece) > 100:
            lines.append(line)
            line = "     "
        line += piece
    if note:
        print(f"  // {note}")
    print(f"  static constexpr {kind} {name}[] = {{")
    print("\n".join(lines + [line]))


def show(name, kind, coefficients, error):
    table(kind, name, coefficients, f"Error {mp.nstr(error, 2)}.")


def parts(value, bits):
    """value as a sum of floating-point numbers with so many bits each, the last one rounded."""
    found = []
    for i, n in enumerate(bits):
        shift = mpf(2) ** (n - 1 - int(mp.floor(log(abs(value), 2))))
        part = (mp.floor if i + 1 < len(bits) else mp.nint)(value * shift) / shift
        found.append(part)
        value -= part
    return found


def powers(n, of=lambda x: x):
    return [lambda x, i=i: of(x) ** i for i in range(n)]


def near(s):
    """The square root that keeps quotients by powers of the argument defined at 0."""
    return sqrt(s) if s > mpf(10) ** -30 else mpf(10) ** -15


def tanh_table(kind, degree):
    """tanh z = z (1 + s P) / (1 + s Q), s = z^2, |z| <= ln(2)/4; P, then Q."""
    g = lambda s: tanh(near(s)) / near(s)
    basis = [lambda s, i=i: s**i for i in range(1, degree + 1)]
    basis += [lambda s, i=i: -g(s) * s**i for i in range(1, degree + 1)]
    q = [mpf(0)] * degree
    for _ in range(6):
        denominator = lambda s, q=q: 1 + sum(c * s ** (i + 1) for i, c in enumerate(q))
        c, error = fit(lambda s: g(s) - 1, basis, lambda s: 1 / (g(s) * denominator(s)), 0,
                       (log(2) / 4 * mpf("1.001")) ** 2, 300)
        q = c[degree:]
    show("tanh_numerator", kind, c[:degree], error)
    show("tanh_denominator", kind, q, error)


def exp_table(kind, terms):
    """exp r = 1 + r + r^2 P(r), |r| <= ln(2)/2."""
    def tail(r):
        return (exp(r) - 1 - r) / r**2 if abs(r) > mpf(10) ** -15 else mpf(1) / 2 + r / 6
    half = log(2) / 2 * mpf("1.001")
    show("exp", kind, *fit(tail, powers(terms), lambda r: r**2 / exp(r) + mpf(10) ** -25, -half, half))


def cos_table(kind, terms, high):
    """cos r = 1 - r^2/2 + r^4 P(r^2)."""
    tail = lambda s: (cos(near(s)) - 1 + s / 2) / s**2 if s > mpf(10) ** -12 else mpf(1) / 24 - s / 720
    show("cos_quarter", kind, *fit(tail, powers(terms), lambda s: s**2 / cos(near(s)) + mpf(10) ** -25, 0, high**2))


def log_table(kind, terms):
    """log((1 + s)/(1 - s)) = 2 s + s^3 P(s^2), |s| <= (sqrt 2 - 1)/(sqrt 2 + 1)."""
    f = lambda t: log((1 + near(t)) / (1 - near(t)))
    high = ((sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1) * mpf("1.001")) ** 2
    show("log", kind, *fit(lambda t: (f(t) - 2 * near(t)) / near(t) ** 3, powers(terms),
                           lambda t: near(t) ** 3 / f(t), 0, high))


def odd_table(name, kind, terms, f, high):
    """f(x) = x + x^3 P(x^2), |x| <= high."""
    tail = lambda s: (f(near(s)) - near(s)) / near(s) ** 3
    show(name, kind, *fit(tail, powers(terms), lambda s: near(s) ** 3 / f(near(s)), 0, mpf(high) ** 2))


def erf_table(kind, terms, high):
    """erf x = x + x P(x^2), |x| <= high."""
    f = lambda s: erf(near(s)) / near(s)
    show("erf", kind, *fit(lambda s: f(s) - 1, powers(terms), lambda s: 1 / f(s), 0, mpf(high) ** 2))


def erfc_table(kind, terms, center, high):
    """erfc x = exp(-x^2) / (1 + 2 x) P(u), u = (x - center)/(x + center), 0 <= x <= high (Shepherd
    and Laframboise 1981)."""
    center = mpf(center)
    x = lambda u: center * (1 + u) / (1 - u)
    f = lambda u: (1 + 2 * x(u)) * exp(x(u) ** 2) * erfc(x(u))
    show("erfc", kind, *fit(f, powers(terms), lambda u: 1 / f(u), -1, (high - center) / (high + center), 600))


HEADER = """// SPDX-License-Identifier: Apache-2.0
#pragma once
// Written by tools/minimax.py, which says what each table is: do not edit.

namespace sobolev::SOBOLEV_TARGET {

template <class T>
struct MathTables;
"""

if __name__ == "__main__":
    print(HEADER)
    for kind in ("float", "double"):
        def terms(few, many):
            return few if kind == "float" else many

        slack = mpf("1.005")  # the rounding of the reduced argument, with FMA and without
        print(f"template <>\nstruct MathTables<{kind}> {{")
        tanh_table(kind, terms(1, 2))
        exp_table(kind, terms(5, 10))
        # In float a third of a unit in the last place more at pi/2, so that cos 0 rounds to 1.
        lift = terms(mpf("2.2e-8"), 0)
        odd_table("sin_half", kind, terms(4, 8), lambda x: sin(x) + lift * (2 * x / pi) ** 9, pi / 2 * slack)
        odd_table("sin_quarter", kind, terms(3, 6), sin, pi / 4 * slack)
        cos_table(kind, terms(3, 6), pi / 4 * slack)
        log_table(kind, terms(3, 7))
        odd_table("sinh", kind, terms(4, 7), sinh, 1)
        odd_table("atan", kind, terms(5, 11), atan, tan(pi / 8) * slack)
        odd_table("asin", kind, terms(5, 13), asin, slack / 2)
        erf_table(kind, terms(7, 13), 1)
        center, high = (2, 11) if kind == "float" else (mpf("3.75"), 28)
        erfc_table(kind, terms(10, 24), center, mpf(high))
        print(f"  static constexpr {kind} erfc_center = {mp.nstr(mpf(center), 4)}, erfc_end = {high};")
        # ln 2 with room for a product by an exponent; pi/2 in full parts for fused multiply-add, and
        # in parts with room for a product by 13 or 20 bits.
        full, half, room = (24, 16, 11) if kind == "float" else (53, 42, 33)
        table(kind, "ln2", parts(log(mpf(2)), (half, full)))
        table(kind, "half_pi_fused", parts(pi / 2, (full, full, full)))
        table(kind, "half_pi", parts(pi / 2, (room, room, room, full)))
        print("};")
    print("\n}  // namespace sobolev::SOBOLEV_TARGET")
