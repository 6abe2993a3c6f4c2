#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MgNO from its formulas in PyTorch: u <- S f, u <- u + S (f + A u), coarser by 3 x 3 with stride 2, back transposed.

    python benchmarks/peers/mgno.py --bench build/bench/bin/sobolev_bench     times a cycle, forward and backward
    python benchmarks/peers/mgno.py --write tests/operators/samples           the samples that the tests compare with
"""
import argparse
import json
import struct
import subprocess
import time

import numpy as np
import torch
from torch.nn import functional as F


class Cycle(torch.nn.Module):
    """f [B, C, H, W] -> u [B, channels, H, W]; steps: smoothing before and after, by level."""

    def __init__(self, inputs, channels, steps, padding="constant", width=4, bias=False):
        super().__init__()
        self.steps, self.padding = steps, padding
        self.w = torch.nn.ParameterDict()

        def convolution(name, c, o, k, transposed=False, with_bias=False):
            shape = (c, o, k, k) if transposed else (o, c, k, k)
            self.w[name + "/weight"] = torch.nn.Parameter(torch.randn(shape) / (c * k * k) ** 0.5)
            if with_bias:
                self.w[name + "/bias"] = torch.nn.Parameter(torch.randn(o) / (c * k * k) ** 0.5)

        for level, (before, after) in enumerate(steps):
            last = level + 1 == len(steps)
            for s in range(before + (after if last else 0)):
                if level > 0 or s > 0:
                    convolution(f"level/{level}/before/{s}/A", channels, inputs, 3, with_bias=bias)
                convolution(f"level/{level}/before/{s}/S", inputs, channels, 3, with_bias=bias)
            if last:
                break
            convolution(f"level/{level}/restrict_f", inputs, inputs, 3)
            convolution(f"level/{level}/restrict_u", channels, channels, 3)
            convolution(f"level/{level}/prolong", channels, channels, width, transposed=True)
            for s in range(after):
                convolution(f"level/{level}/after/{s}/A", channels, inputs, 3, with_bias=bias)
                convolution(f"level/{level}/after/{s}/S", inputs, channels, 3, with_bias=bias)

    def convolve(self, x, name, stride=1):
        bias = self.w[name + "/bias"] if name + "/bias" in self.w else None
        if self.padding == "constant":
            return F.conv2d(x, self.w[name + "/weight"], bias, stride=stride, padding=1)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), self.padding), self.w[name + "/weight"], bias, stride=stride)

    def smooth(self, u, f, name):
        if u is None:
            return self.convolve(f, name + "/S")
        return u + self.convolve(f + self.convolve(u, name + "/A"), name + "/S")

    def level(self, level, u, f):
        before, after = self.steps[level]
        last = level + 1 == len(self.steps)
        for s in range(before + (after if last else 0)):
            u = self.smooth(u, f, f"level/{level}/before/{s}")
        if last:
            return u
        coarse = self.level(level + 1, self.convolve(u, f"level/{level}/restrict_u", 2),
                            self.convolve(f, f"level/{level}/restrict_f", 2))
        beyond = 0 if self.padding == "constant" else 1  # points of the coarser grid that go on beyond its ends
        if beyond:
            coarse = F.pad(coarse, (1, 1, 1, 1), self.padding)
        back = F.conv_transpose2d(coarse, self.w[f"level/{level}/prolong/weight"], stride=2, padding=1 + 2 * beyond)
        u = u + back[..., :u.shape[-2], :u.shape[-1]]
        for s in range(after):
            u = self.smooth(u, f, f"level/{level}/after/{s}")
        return u

    def forward(self, f):
        return self.level(0, None, f)


class Mgno(torch.nn.Module):
    def __init__(self, inputs, outputs, channels, layers, steps, **options):
        super().__init__()
        widths = [inputs] + [channels] * layers
        self.cycles = torch.nn.ModuleList([Cycle(c, channels, steps, **options) for c in widths[:-1]])
        self.skips = torch.nn.ModuleList([torch.nn.Conv2d(c, channels, 1) for c in widths[:-1]])
        self.projection = torch.nn.Conv2d(channels, outputs, 1, bias=False)

    def forward(self, x):
        for cycle, skip in zip(self.cycles, self.skips):
            x = F.gelu(cycle(x) + skip(x))
        return self.projection(x)

    def arrays(self):
        """By the names of this library, taps and channels last."""
        out = {}
        for layer, (cycle, skip) in enumerate(zip(self.cycles, self.skips)):
            for name, value in cycle.w.items():
                if name.endswith("/weight"):
                    value = value.permute(2, 3, 0, 1) if "/prolong/" in name else value.permute(2, 3, 1, 0)
                out[f"blocks.{layer}.cycle." + name.replace("/", ".")] = value
            out[f"blocks.{layer}.skip.weight"] = skip.weight[:, :, 0, 0].T
            out[f"blocks.{layer}.skip.bias"] = skip.bias
        out["projection.weight"] = self.projection.weight[:, :, 0, 0].T
        return {name: value.detach().numpy() for name, value in out.items()}


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def write_samples(folder):
    torch.manual_seed(0)
    for name, model, grid in [
            ("mgno_zero", Mgno(1, 1, 5, 2, [(1, 0), (1, 1), (2, 0)]), (13, 10)),
            ("mgno_circular", Mgno(2, 1, 4, 2, [(1, 1), (1, 0), (1, 1)], padding="circular", bias=True), (8, 16))]:
        x = torch.randn(2, model.cycles[0].w["level/0/before/0/S/weight"].shape[1], *grid)
        y = model(x).detach()
        write_safetensors(f"{folder}/{name}.safetensors",
                          {**model.arrays(), "x": x.permute(0, 2, 3, 1).numpy(), "y": y.permute(0, 2, 3, 1).numpy()})


def best(call, seconds):
    call()
    least, begin = float("inf"), time.perf_counter()
    while time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - start)
    return 1e3 * least


def compare(program, seconds):
    def ours():
        out = subprocess.run([program, "--benchmark_filter=^v_cycle/256/real_time$", "--benchmark_format=json",
                              f"--benchmark_min_time={seconds / 5}", "--benchmark_repetitions=5"],
                             capture_output=True, text=True, check=True).stdout
        runs = [b for b in json.loads(out)["benchmarks"] if b["run_type"] == "iteration"]
        return min(b["real_time"] for b in runs), max(b["percent_of_peak"] for b in runs)

    cycle = Cycle(24, 24, [(1, 0)] * 5 + [(2, 0)])
    f = torch.randn(8, 24, 256, 256, requires_grad=True)

    def step():
        f.grad = None
        cycle.zero_grad()
        cycle(f).square().sum().backward()

    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; ms, the best of each")
    print("| work | sobolev | % of peak | torch | torch/sobolev |")
    print("| --- | --- | --- | --- | --- |")
    mine, percent = ours()
    theirs = best(step, seconds)
    again, percent_again = ours()
    mine, percent = min(mine, again), max(percent, percent_again)
    print(f"| V-cycle 256 to 8, 24 channels, batch 8 | {mine:.0f} | {percent:.0f} | {theirs:.0f} | {theirs / mine:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", help="the benchmark program")
    parser.add_argument("--write", metavar="FOLDER", help="writes the samples of the tests")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    if options.write:
        write_samples(options.write)
    if options.bench:
        compare(options.bench, options.seconds)


if __name__ == "__main__":
    main()
