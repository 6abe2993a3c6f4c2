# SPDX-License-Identifier: Apache-2.0
"""Gaussians with their derivatives in PyTorch on the CPU; one JSON line per variant. See common.py.

product: two products of matrices, as in gaussian_jax.py; fused: the formulas as they are written; nested: nested
torch.autograd.grad. *_compiled: under torch.compile.
"""

import common

options = common.parse(__doc__, points=10000, width=800, depth=4, dtypes="both")

import torch  # noqa: E402  (after the thread settings)

common.limit_memory(16)  # address space: its libraries take some of it
torch.set_num_threads(options.threads)
torch.set_default_device(options.device)


def squares(parts):
    return sum(part.square().sum() for part in parts)


def product(channels, x):
    a, b = x[:, 0], x[:, 1]
    monomials = torch.stack([a * a, b * b, a, b, torch.ones_like(a)], 1)
    total = 0
    for mu, log_sigma, w, bias in channels:
        p = torch.exp(-2 * log_sigma)
        q = p * mu
        gaussian = torch.exp(monomials @ torch.cat([-p / 2, q, -(q * mu).sum(0, keepdim=True) / 2]))
        sums = gaussian @ (w * torch.cat([torch.ones_like(w)[None], p, q, p * p, 2 * p * q, q * q - p])).T
        u, first, constant = sums[:, 0] + bias, sums[:, 1:3], sums[:, 3:5]
        second = x * x * sums[:, 5:7] - x * sums[:, 7:9] + sums[:, 9:11]
        total = total + squares((u, constant - x * first, second))
    return total


def fused(channels, x):
    total = 0
    for mu, log_sigma, w, bias in channels:
        rho = torch.exp(-log_sigma)
        z = rho * (x[:, :, None] - mu)
        weighted = w * torch.exp(-0.5 * z.square().sum(1))
        slope = rho * z
        total = total + squares((weighted.sum(1) + bias, (slope * weighted[:, None]).sum(2),
                                 ((slope.square() - rho.square()) * weighted[:, None]).sum(2)))
    return total


def nested(channels, x):
    x = x.detach().requires_grad_()
    total = 0
    for mu, log_sigma, w, bias in channels:
        z = torch.exp(-log_sigma) * (x[:, :, None] - mu)
        u = torch.exp(-0.5 * z.square().sum(1)) @ w + bias
        (first,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        second = [torch.autograd.grad(first[:, k].sum(), x, create_graph=True)[0][:, k] for k in range(2)]
        total = total + squares((u, first, *second))
    return total


def main():
    for dtype in common.dtypes(options):
        channels = [[torch.tensor(part, requires_grad=True) for part in channel]
                    for channel in common.gaussians(options, dtype)]
        weights = [part for channel in channels for part in channel]
        x = torch.tensor(common.plane(options, dtype))
        scale = 1 / options.points

        def stepper(loss_of):
            def call():
                loss = loss_of(channels, x) * scale
                gradient = torch.autograd.grad(loss, weights)
                common.wait(options, torch)
                return loss.detach(), lambda: squares(gradient).sqrt()
            return call

        for name, loss_of in (("product", product), ("fused", fused), ("nested", nested)):
            common.measure(options, "pytorch", dtype, name, common.gaussian_flop(options), stepper(loss_of))
            if name != "nested":  # compiled functions have no derivatives of derivatives
                common.measure(options, "pytorch", dtype, name + "_compiled", common.gaussian_flop(options),
                               stepper(torch.compile(loss_of)))


main()
