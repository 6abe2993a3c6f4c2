# SPDX-License-Identifier: Apache-2.0
"""The Levenberg–Marquardt step in PyTorch on the CPU; one JSON line per variant. See common.py.

jets3: per-point gradients (torch.func: vmap of grad) of the residual by hand-written jets with three channels.
nested: the same of the residual by nested derivatives. *_compiled: under torch.compile.
"""

import math

import common

options = common.parse(__doc__, points=10000, width=30, depth=3, dtypes="float64")

import torch  # noqa: E402  (after the thread settings)
from torch.func import grad, grad_and_value, jvp, vmap  # noqa: E402

torch.set_num_threads(options.threads)
torch.set_default_device(options.device)
NU = common.DIFFUSION
K = None  # wave numbers, in the precision at hand


def features(t, x):
    waves = torch.stack([torch.cos(x * K), torch.sin(x * K)], 1).flatten()
    return torch.cat([torch.stack([t, torch.ones_like(t)]), waves])


def residual(u, combined):
    return combined + 5 * u**3 - 5 * u


def value(layers, t, x):
    h = features(t, x)
    for w, b in layers[:-1]:
        h = torch.tanh(h @ w + b)
    return (h @ layers[-1][0] + layers[-1][1])[0]


def nested(layers, t, x):
    u, u_t = jvp(lambda s: value(layers, s, x), (t,), (torch.ones_like(t),))
    u_xx = grad(grad(lambda s: value(layers, t, s)))(x)
    return residual(u, u_t - NU * u_xx)


def jets3(layers, t, x):
    c, s = torch.cos(x * K), torch.sin(x * K)
    zero, one = torch.zeros_like(t), torch.ones_like(t)

    def join(first, second, even, odd):
        return torch.cat([torch.stack([first, second]), torch.stack([even, odd], 1).flatten()])

    h = torch.stack([join(t, one, c, s), join(zero, zero, -K * s, K * c),
                     join(one, zero, NU * K * K * c, NU * K * K * s)])
    for w, b in layers[:-1]:
        z, z_x, z_c = (h @ w).unbind()
        y = torch.tanh(z + b)
        slope = 1 - y * y
        h = torch.stack([y, slope * z_x, slope * (z_c + 2 * NU * y * z_x * z_x)])
    u, _, u_c = (h @ layers[-1][0])[:, 0].unbind()
    return residual(u + layers[-1][1][0], u_c)


def main():
    global K
    for dtype in common.dtypes(options):
        layers = [(torch.tensor(w), torch.tensor(b)) for w, b in common.network(options, dtype)]
        t, x = (torch.tensor(c) for c in common.collocation(options, dtype))
        K = torch.arange(1, common.MODES + 1, dtype=t.dtype) * math.pi
        n = t.numel()

        def rows(residual_of):
            return vmap(grad_and_value(residual_of), (None, 0, 0))

        def stepper(row_of):
            def call():
                by_layer, r = row_of(layers, t, x)
                jacobian = torch.cat([part.reshape(n, -1) for layer in by_layer for part in layer], 1)
                matrix = jacobian.T @ jacobian / n
                slope = jacobian.T @ r / n
                damped = matrix + common.DAMPING * torch.diag(torch.clamp(torch.diag(matrix), min=1e-12))
                update = torch.cholesky_solve(-slope[:, None], torch.linalg.cholesky(damped))
                common.wait(options, torch)
                return r.square().mean(), lambda: torch.linalg.norm(update)
            return call

        for name, residual_of in (("jets3", jets3), ("nested", nested)):
            flop = common.lm_flop(options)
            common.measure(options, "pytorch", dtype, name, flop, stepper(rows(residual_of)))
            common.measure(options, "pytorch", dtype, name + "_compiled", flop,
                           stepper(torch.compile(rows(residual_of))))


main()
