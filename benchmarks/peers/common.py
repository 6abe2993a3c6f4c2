# SPDX-License-Identifier: Apache-2.0
"""The work that all peers do, and how it is timed.

Step: the Allen–Cahn residual r = u_t - 1e-4 u_xx + 5 u^3 - 5 u of a tanh network with `depth` hidden layers of
`width` on the features [t, 1, cos(k pi x), sin(k pi x), k = 1..10]; the loss mean(r^2) and its gradient by all
weights at N points. FLOP are counted for four derivative channels whatever a variant carries:
3 · 2 · N · 4 · sum(in · out).

Levenberg–Marquardt step: the same residual for 3 x 30, float64: r, its Jacobian J [N, P], G = J'J/N,
(G + lambda diag G) p = -J'r/N by Cholesky. FLOP: N P^2 + P^3/3 + 2 · 4 · N · P.

Gaussians: the operator of physics-informed Gaussians in two dimensions with `depth` channels c of `width` Gaussians
each, u_c(x) = b_c + sum_i w_ci exp(-1/2 sum_k ((x_k - mu_cik)/sigma_cik)^2), its gradient and the diagonal of its
Hessian; the loss mean over the points of sum_c (u^2 + u_x^2 + u_y^2 + u_xx^2 + u_yy^2) and its gradient by mu,
log sigma, w and b. FLOP: 2 · 46 · N · depth · width, as if the 46 operations of a fused kernel beside its exponential were
multiply-adds.
"""

import argparse
import json
import os
import time

MODES = 10
FEATURES = 2 + 2 * MODES
DIFFUSION = 1e-4
DAMPING = 1e-3


def parse(description, points, width, depth, dtypes):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--points", type=int, default=points)
    parser.add_argument("--width", type=int, default=width)
    parser.add_argument("--depth", type=int, default=depth)
    parser.add_argument("--dtype", choices=["float32", "float64", "both"], default=dtypes)
    parser.add_argument("--seconds", type=float, default=3.0, help="timed for about this long, per variant")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--variants", default="", help="comma separated; default: all")
    options = parser.parse_args()
    # Frameworks read these when they are imported: one thread pool of the size asked for, on as many cores.
    cores = sorted(os.sched_getaffinity(0))[: options.threads]
    os.sched_setaffinity(0, cores)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    os.environ["JAX_PLATFORMS"] = options.device
    return options


def wait(options, torch):
    """For what was given to a device."""
    if options.device == "cuda":
        torch.cuda.synchronize()


def dtypes(options):
    return ["float32", "float64"] if options.dtype == "both" else [options.dtype]


def sizes(options):
    return [FEATURES] + [options.width] * options.depth + [1]


def network(options, dtype):
    """Glorot normal weights [in, out] and biases, the same numbers for every tool."""
    import numpy as np

    random = np.random.default_rng(0)
    layers = []
    shape = sizes(options)
    for a, b in zip(shape[:-1], shape[1:]):
        layers.append((random.normal(0, (2 / (a + b)) ** 0.5, (a, b)).astype(dtype),
                       random.uniform(-0.1, 0.1, b).astype(dtype)))
    return layers


def collocation(options, dtype):
    """Columns t in [0, 1] and x in [-1, 1]."""
    import numpy as np

    random = np.random.default_rng(1)
    return (random.uniform(0, 1, options.points).astype(dtype), random.uniform(-1, 1, options.points).astype(dtype))


def products(options):
    shape = sizes(options)
    return sum(a * b for a, b in zip(shape[:-1], shape[1:]))


def parameters(options):
    return products(options) + sum(sizes(options)[1:])


def step_flop(options):
    return 3 * 2 * options.points * 4 * products(options)


def lm_flop(options):
    n, p = options.points, parameters(options)
    return n * p * p + p**3 / 3 + 2 * 4 * n * p


def gaussians(options, dtype):
    """Of each channel mu [2, I], log sigma [2, I], w [I] and b [1]: sigma about 0.1 in the square [-1, 1]^2."""
    import numpy as np

    random = np.random.default_rng(2)
    shape = (2, options.width)
    return [(random.uniform(-1, 1, shape).astype(dtype), random.normal(np.log(0.1), 0.1, shape).astype(dtype),
             random.normal(0, 0.1, options.width).astype(dtype), np.zeros(1, dtype)) for _ in range(options.depth)]


def plane(options, dtype):
    """Points [N, 2] of the square [-1, 1]^2."""
    import numpy as np

    return np.random.default_rng(3).uniform(-1, 1, (options.points, 2)).astype(dtype)


def gaussian_flop(options):
    return 2 * 46 * options.points * options.depth * options.width


def limit_memory(gib):
    """Of this process: a variant that needs more says so instead of being killed."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (gib << 30, gib << 30))


def measure(options, tool, dtype, variant, flop, call):
    """Times call() -> (loss, function that gives the norm of the result) and prints one JSON line."""
    if options.variants and variant not in options.variants.split(","):
        return
    row = {"tool": tool, "variant": variant, "dtype": dtype, "threads": options.threads, "width": options.width,
           "depth": options.depth, "points": options.points}
    try:
        begin = time.perf_counter()
        loss, norm = call()
        row |= {"first_call_seconds": time.perf_counter() - begin, "loss": float(loss), "norm": float(norm())}
        call()
        times, processor = [], []
        until = time.perf_counter() + options.seconds
        while len(times) < 3 or time.perf_counter() < until:
            begin, busy = time.perf_counter(), time.process_time()
            call()
            times.append(time.perf_counter() - begin)
            processor.append(time.process_time() - busy)
        times.sort()
        best, median = times[0], times[len(times) // 2]
        row |= {"seconds": best, "median_seconds": median, "cpu_seconds": min(processor), "repetitions": len(times), "gflops": flop / best * 1e-9}
    except Exception as error:  # a variant that a tool cannot run is a result too
        row["error"] = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
    print(json.dumps(row), flush=True)
