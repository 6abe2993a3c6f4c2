# SPDX-License-Identifier: Apache-2.0
"""The fused training step in JAX on the CPU under jit; one JSON line per variant. See common.py.

nested: derivatives by nested jax.grad and jvp, point by point under vmap. jets4: value, u_t, u_x, u_xx carried
through the layers by hand. jets3: u_t - nu u_xx as one channel.
"""

import common

options = common.parse(__doc__, points=25600, width=128, depth=4, dtypes="both")

import jax  # noqa: E402  (after the thread settings)
import jax.numpy as jnp  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")  # IEEE float32, as everybody here
NU = common.DIFFUSION


def features(t, x):
    k = jnp.arange(1, common.MODES + 1, dtype=t.dtype) * jnp.asarray(jnp.pi, t.dtype)
    waves = jnp.stack([jnp.cos(x[..., None] * k), jnp.sin(x[..., None] * k)], -1)
    waves = waves.reshape(*x.shape, 2 * common.MODES)
    return jnp.concatenate([t[..., None], jnp.ones_like(t)[..., None], waves], -1)


def feature_jets(t, x):
    """Value, t-, x- and xx-derivative of the features, each [N, F]."""
    one = jnp.ones_like(t)
    by_t = jax.jvp(lambda s: features(s, x), (t,), (one,))[1]

    def by_x(y):
        return jax.jvp(lambda s: features(t, s), (y,), (one,))[1]

    return features(t, x), by_t, by_x(x), jax.jvp(by_x, (x,), (one,))[1]


def residual(u, combined):
    return combined + 5 * u**3 - 5 * u


def value(layers, t, x):
    h = features(t, x)
    for w, b in layers[:-1]:
        h = jnp.tanh(h @ w + b)
    return (h @ layers[-1][0] + layers[-1][1])[..., 0]


def nested(layers, t, x):
    def at(t, x):
        u, u_t = jax.jvp(lambda s: value(layers, s, x), (t,), (jnp.ones_like(t),))
        u_xx = jax.jvp(jax.grad(lambda s: value(layers, t, s)), (x,), (jnp.ones_like(x),))[1]
        return residual(u, u_t - NU * u_xx)

    return jnp.mean(jax.vmap(at)(t, x) ** 2)


def jets4(layers, jets):
    n = jets[0].shape[0]
    h = jnp.concatenate(jets)
    for w, b in layers[:-1]:
        z, z_t, z_x, z_xx = (h @ w).reshape(4, n, -1)
        y = jnp.tanh(z + b)
        slope = 1 - y * y
        h = jnp.concatenate([y, slope * z_t, slope * z_x, slope * (z_xx - 2 * y * z_x * z_x)])
    u, u_t, _, u_xx = (h @ layers[-1][0])[:, 0].reshape(4, n)
    return jnp.mean(residual(u + layers[-1][1], u_t - NU * u_xx) ** 2)


def jets3(layers, jets):
    n = jets[0].shape[0]
    h = jnp.concatenate([jets[0], jets[2], jets[1] - NU * jets[3]])
    for w, b in layers[:-1]:
        z, z_x, z_c = (h @ w).reshape(3, n, -1)
        y = jnp.tanh(z + b)
        slope = 1 - y * y
        h = jnp.concatenate([y, slope * z_x, slope * (z_c + 2 * NU * y * z_x * z_x)])
    u, _, u_c = (h @ layers[-1][0])[:, 0].reshape(3, n)
    return jnp.mean(residual(u + layers[-1][1], u_c) ** 2)


def main():
    for dtype in common.dtypes(options):
        layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in common.network(options, dtype)]
        t, x = (jnp.asarray(c) for c in common.collocation(options, dtype))
        jets = jax.jit(feature_jets)(t, x)

        def stepper(loss_of, *inputs):
            step = jax.jit(jax.value_and_grad(loss_of))

            def call():
                loss, gradient = jax.block_until_ready(step(layers, *inputs))
                return loss, lambda: sum(jnp.vdot(g, g) for layer in gradient for g in layer) ** 0.5
            return call

        flop = common.step_flop(options)
        for name, loss_of, inputs in (("nested", nested, (t, x)), ("jets4", jets4, (jets,)), ("jets3", jets3, (jets,))):
            common.measure(options, "jax", dtype, name, flop, stepper(loss_of, *inputs))


main()
