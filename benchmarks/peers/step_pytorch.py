# SPDX-License-Identifier: Apache-2.0
"""The fused training step in PyTorch on the CPU; one JSON line per variant. See common.py.

nested: derivatives by torch.autograd.grad with create_graph. jets4: value, u_t, u_x, u_xx carried through the
layers by hand. jets3: u_t - nu u_xx as one channel. *_compiled: the same under torch.compile.
"""

import math

import common

options = common.parse(__doc__, points=25600, width=128, depth=4, dtypes="both")

import torch  # noqa: E402  (after the thread settings)

torch.set_num_threads(options.threads)
torch.set_default_device(options.device)
NU = common.DIFFUSION


def features(t, x):
    k = torch.arange(1, common.MODES + 1, dtype=t.dtype) * math.pi
    waves = torch.stack([torch.cos(x[:, None] * k), torch.sin(x[:, None] * k)], 2).flatten(1)
    return torch.cat([t[:, None], torch.ones_like(t)[:, None], waves], 1)


def feature_jets(t, x):
    """Value, t-, x- and xx-derivative of the features, each [N, F]."""
    k = torch.arange(1, common.MODES + 1, dtype=t.dtype) * math.pi
    c, s = torch.cos(x[:, None] * k), torch.sin(x[:, None] * k)
    zero, one = torch.zeros_like(t)[:, None], torch.ones_like(t)[:, None]

    def join(first, second, even, odd):
        return torch.cat([first, second, torch.stack([even, odd], 2).flatten(1)], 1)

    return (join(t[:, None], one, c, s), join(one, zero, torch.zeros_like(c), torch.zeros_like(c)),
            join(zero, zero, -k * s, k * c), join(zero, zero, -k * k * c, -k * k * s))


def residual(u, combined):
    return combined + 5 * u**3 - 5 * u


def nested(layers, t, x):
    t = t.detach().requires_grad_()
    x = x.detach().requires_grad_()
    h = features(t, x)
    for w, b in layers[:-1]:
        h = torch.tanh(h @ w + b)
    u = (h @ layers[-1][0] + layers[-1][1])[:, 0]
    u_t, u_x = torch.autograd.grad(u.sum(), (t, x), create_graph=True)
    (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
    return residual(u, u_t - NU * u_xx).square().mean()


def jets4(layers, jets):
    h = torch.cat(jets)
    n = jets[0].shape[0]
    for w, b in layers[:-1]:
        z, z_t, z_x, z_xx = (h @ w).split(n)
        y = torch.tanh(z + b)
        slope = 1 - y * y
        h = torch.cat([y, slope * z_t, slope * z_x, slope * (z_xx - 2 * y * z_x * z_x)])
    u, u_t, _, u_xx = (h @ layers[-1][0])[:, 0].split(n)
    return residual(u + layers[-1][1], u_t - NU * u_xx).square().mean()


def jets3(layers, jets):
    h = torch.cat([jets[0], jets[2], jets[1] - NU * jets[3]])
    n = jets[0].shape[0]
    for w, b in layers[:-1]:
        z, z_x, z_c = (h @ w).split(n)
        y = torch.tanh(z + b)
        slope = 1 - y * y
        h = torch.cat([y, slope * z_x, slope * (z_c + 2 * NU * y * z_x * z_x)])
    u, _, u_c = (h @ layers[-1][0])[:, 0].split(n)
    return residual(u + layers[-1][1], u_c).square().mean()


def main():
    for dtype in common.dtypes(options):
        layers = [(torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True))
                  for w, b in common.network(options, dtype)]
        weights = [p for layer in layers for p in layer]
        t, x = (torch.tensor(c) for c in common.collocation(options, dtype))
        jets = feature_jets(t, x)

        def stepper(loss_of, *inputs):
            def call():
                loss = loss_of(layers, *inputs)
                gradient = torch.autograd.grad(loss, weights)
                common.wait(options, torch)
                return loss.detach(), lambda: sum(g.square().sum() for g in gradient).sqrt()
            return call

        flop = common.step_flop(options)
        for name, loss_of, inputs in (("nested", nested, (t, x)), ("jets4", jets4, (jets,)), ("jets3", jets3, (jets,))):
            common.measure(options, "pytorch", dtype, name, flop, stepper(loss_of, *inputs))
            compiled = torch.compile(loss_of)
            common.measure(options, "pytorch", dtype, name + "_compiled", flop, stepper(compiled, *inputs))


main()
