#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times spectral convolutions and a training step of a Fourier neural operator: PyTorch by FFTs, JAX by FFTs and by
matrices of truncated discrete Fourier transforms (under jit), and this library, in one run and in turns.

    ./dev peers-operators            (or: python benchmarks/peers/operators.py --bench build/bench/bin/sobolev_bench)

float32, forward and backward to inputs and weights. The best of several rounds counts, for every tool."""
import argparse
import json
import subprocess
import time

import jax
import jax.numpy as jnp
import numpy as np
import torch

CONVOLUTIONS = {  # batch, channels, grid, modes: as in benchmarks/operators/field_network_bench.cpp
    "2d_64": (16, 32, (64, 64), (12, 12)),
    "2d_128": (16, 32, (128, 128), (12, 12)),
    "1d_1024": (16, 32, (1024,), (16,)),
    "1d_8192": (16, 32, (8192,), (16,)),
    "3d_32": (4, 20, (32, 32, 32), (8, 8, 8)),
}


def counts(modes):
    return [2 * m for m in modes[:-1]] + [modes[-1]]


def best(call, seconds):
    call()
    least, begin = float("inf"), time.perf_counter()
    while time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - start)
    return 1e3 * least


def mixing(d):
    axes = "xyz"[:d]
    return f"bi{axes},io{axes}->bo{axes}"


class TorchSpectral(torch.nn.Module):
    """The layer of the papers: real FFT, product with the kept modes, inverse."""

    def __init__(self, channels, modes):
        super().__init__()
        self.modes = modes
        shape = (channels, channels, *counts(modes))
        self.weight = torch.nn.Parameter(torch.randn(shape, dtype=torch.cfloat) / channels)

    def corners(self):
        """Pairs of slices, of the spectrum and of the weights: low and high frequencies of all axes but the last."""
        all_ = [[]]
        for m in self.modes[:-1]:
            all_ = [c + [s] for c in all_ for s in ((slice(0, m), slice(0, m)), (slice(-m, None), slice(m, 2 * m)))]
        last = (slice(0, self.modes[-1]), slice(0, self.modes[-1]))
        return [c + [last] for c in all_]

    def forward(self, x):
        d = len(self.modes)
        dims = tuple(range(-d, 0))
        v = torch.fft.rfftn(x, dim=dims)
        w = torch.zeros_like(v)
        for corner in self.corners():
            at = (slice(None), slice(None)) + tuple(s for s, _ in corner)
            of = (slice(None), slice(None)) + tuple(s for _, s in corner)
            w[at] = torch.einsum(mixing(d), v[at], self.weight[of])
        return torch.fft.irfftn(w, s=x.shape[-d:], dim=dims)


class TorchFno(torch.nn.Module):
    def __init__(self, width=32, modes=(12, 12), layers=4, projection=128):
        super().__init__()
        self.lift = torch.nn.Linear(3, width)
        self.spectral = torch.nn.ModuleList([TorchSpectral(width, modes) for _ in range(layers)])
        self.skip = torch.nn.ModuleList([torch.nn.Conv2d(width, width, 1) for _ in range(layers)])
        self.project = torch.nn.ModuleList([torch.nn.Linear(width, projection), torch.nn.Linear(projection, 1)])

    def forward(self, x):
        x = self.lift(x).permute(0, 3, 1, 2)
        for i, (spectral, skip) in enumerate(zip(self.spectral, self.skip)):
            x = spectral(x) + skip(x)
            if i + 1 < len(self.spectral):
                x = torch.nn.functional.gelu(x)
        x = torch.nn.functional.gelu(self.project[0](x.permute(0, 2, 3, 1)))
        return self.project[1](x)


def waves(n, frequencies):
    angle = 2 * np.pi * np.outer(np.arange(n), frequencies) / n
    return jnp.asarray(np.exp(-1j * angle).astype(np.complex64))


def jax_dft(grid, modes):
    """x -> y by truncated matrices; weights [i, o, modes...]."""
    d = len(grid)
    low = [list(range(-m, m)) for m in modes[:-1]] + [list(range(modes[-1]))]
    forward = [waves(n, k) for n, k in zip(grid, low)]
    scale = jnp.asarray([1.0 if k == 0 else 2.0 for k in low[-1]], dtype=jnp.float32) / np.prod(grid)

    def apply(x, weight):
        # Real and imaginary parts apart along the last axis, where x is real.
        v = jnp.einsum("...n,nk->...k", x, forward[-1].real) + 1j * jnp.einsum("...n,nk->...k", x, forward[-1].imag)
        for a in range(d - 2, -1, -1):
            v = jnp.moveaxis(jnp.tensordot(v, forward[a], axes=([2 + a], [0])), -1, 2 + a)
        w = jnp.einsum(mixing(d), v, weight) * scale
        for a in range(d - 1):
            w = jnp.moveaxis(jnp.tensordot(w, jnp.conj(forward[a]).T, axes=([2 + a], [0])), -1, 2 + a)
        return jnp.einsum("...k,nk->...n", w.real, forward[-1].real) + jnp.einsum(
            "...k,nk->...n", w.imag, forward[-1].imag)

    return apply


def jax_fft(grid, modes):
    d = len(grid)
    index = np.ix_(*[list(range(m)) + list(range(n - m, n)) for m, n in zip(modes[:-1], grid[:-1])],
                   list(range(modes[-1])))
    index = (slice(None), slice(None)) + tuple(index)

    def apply(x, weight):
        v = jnp.fft.rfftn(x, axes=tuple(range(2, 2 + d)))
        w = jnp.zeros_like(v).at[index].set(jnp.einsum(mixing(d), v[index], weight))
        return jnp.fft.irfftn(w, s=grid, axes=tuple(range(2, 2 + d)))

    return apply


def time_jax(make, batch, channels, grid, modes, seconds):
    apply = make(grid, modes)
    key = np.random.default_rng(0)
    x = jnp.asarray(key.standard_normal((batch, channels, *grid), dtype=np.float32))
    shape = (channels, channels, *counts(modes))
    weight = jnp.asarray((key.standard_normal(shape) + 1j * key.standard_normal(shape)).astype(np.complex64) / channels)
    loss = jax.jit(jax.grad(lambda x, w: jnp.sum(apply(x, w) ** 2), argnums=(0, 1)))
    return best(lambda: jax.block_until_ready(loss(x, weight)), seconds)


def time_torch_conv(batch, channels, grid, modes, seconds):
    layer = TorchSpectral(channels, modes)
    x = torch.randn(batch, channels, *grid, requires_grad=True)

    def step():
        x.grad = None
        layer.zero_grad()
        layer(x).square().sum().backward()

    return best(step, seconds)


def time_torch_fno(seconds):
    model = TorchFno()
    x, target = torch.randn(20, 85, 85, 3), torch.randn(20, 85, 85, 1)

    def step():
        model.zero_grad()
        e = (model(x) - target).flatten(1).norm(dim=1) / target.flatten(1).norm(dim=1)
        e.mean().backward()

    return best(step, seconds)


def time_ours(program, name, seconds):
    out = subprocess.run([program, f"--benchmark_filter=^{name}/real_time$", "--benchmark_format=json",
                          f"--benchmark_min_time={seconds / 5}", "--benchmark_repetitions=5"],
                         capture_output=True, text=True, check=True).stdout
    runs = [b for b in json.loads(out)["benchmarks"] if b["run_type"] == "iteration"]
    return min(b["real_time"] for b in runs), max(b.get("percent_of_peak", 0) for b in runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, jax {jax.__version__}, {torch.get_num_threads()} threads; ms, the best of each")
    print("| work | sobolev | % of peak | torch FFT | jax FFT | jax DFT | torch/sobolev | best jax/sobolev |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, work in CONVOLUTIONS.items():
        ours, percent = time_ours(options.bench, "spectral_conv/" + name, options.seconds)
        fft = time_torch_conv(*work, options.seconds)
        jax_times = [time_jax(make, *work, options.seconds) for make in (jax_fft, jax_dft)]
        print(f"| spectral convolution {name} | {ours:.2f} | {percent:.0f} | {fft:.1f} | {jax_times[0]:.1f} "
              f"| {jax_times[1]:.1f} | {fft / ours:.1f} | {min(jax_times) / ours:.1f} |", flush=True)
    ours, _ = time_ours(options.bench, "fno_step/85x85", options.seconds)
    torch_step = time_torch_fno(options.seconds)
    print(f"| FNO step 85x85, batch 20 | {ours:.1f} | | {torch_step:.1f} | | | {torch_step / ours:.1f} | |")


if __name__ == "__main__":
    main()
