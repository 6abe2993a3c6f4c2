# SPDX-License-Identifier: Apache-2.0
"""The Levenberg–Marquardt step in JAX on the CPU under jit; one JSON line per variant. See common.py.

jets3: per-point gradients (vmap of value_and_grad) of the residual by hand-written jets with three channels.
nested: the same of the residual by nested derivatives.
"""

import common

options = common.parse(__doc__, points=10000, width=30, depth=3, dtypes="float64")

import jax  # noqa: E402  (after the thread settings)
import jax.numpy as jnp  # noqa: E402
from jax.flatten_util import ravel_pytree  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")  # IEEE float32, as everybody here
NU = common.DIFFUSION


def features(t, x):
    k = jnp.arange(1, common.MODES + 1, dtype=t.dtype) * jnp.asarray(jnp.pi, t.dtype)
    waves = jnp.stack([jnp.cos(x * k), jnp.sin(x * k)], -1).reshape(-1)
    return jnp.concatenate([jnp.stack([t, jnp.ones_like(t)]), waves])


def residual(u, combined):
    return combined + 5 * u**3 - 5 * u


def value(layers, t, x):
    h = features(t, x)
    for w, b in layers[:-1]:
        h = jnp.tanh(h @ w + b)
    return (h @ layers[-1][0] + layers[-1][1])[0]


def nested(layers, t, x):
    u, u_t = jax.jvp(lambda s: value(layers, s, x), (t,), (jnp.ones_like(t),))
    u_xx = jax.jvp(jax.grad(lambda s: value(layers, t, s)), (x,), (jnp.ones_like(x),))[1]
    return residual(u, u_t - NU * u_xx)


def jets3(layers, t, x):
    one = jnp.ones_like(t)
    value_at, by_t = jax.jvp(lambda s: features(s, x), (t,), (one,))
    by_x = lambda y: jax.jvp(lambda s: features(t, s), (y,), (one,))[1]  # noqa: E731
    first, second = jax.jvp(by_x, (x,), (one,))
    h = jnp.stack([value_at, first, by_t - NU * second])
    for w, b in layers[:-1]:
        z, z_x, z_c = h @ w
        y = jnp.tanh(z + b)
        slope = 1 - y * y
        h = jnp.stack([y, slope * z_x, slope * (z_c + 2 * NU * y * z_x * z_x)])
    u, _, u_c = (h @ layers[-1][0])[:, 0]
    return residual(u + layers[-1][1][0], u_c)


def main():
    for dtype in common.dtypes(options):
        flat, unflatten = ravel_pytree([(jnp.asarray(w), jnp.asarray(b)) for w, b in common.network(options, dtype)])
        t, x = (jnp.asarray(c) for c in common.collocation(options, dtype))

        def stepper(residual_of):
            @jax.jit
            def step(flat):
                row = jax.value_and_grad(lambda p, t, x: residual_of(unflatten(p), t, x))
                r, jacobian = jax.vmap(row, (None, 0, 0))(flat, t, x)
                matrix = jacobian.T @ jacobian / r.size
                slope = jacobian.T @ r / r.size
                damped = matrix + common.DAMPING * jnp.diag(jnp.maximum(jnp.diag(matrix), 1e-12))
                return jnp.mean(r * r), jax.scipy.linalg.solve(damped, -slope, assume_a="pos")

            def call():
                loss, update = jax.block_until_ready(step(flat))
                return loss, lambda: jnp.linalg.norm(update)
            return call

        for name, residual_of in (("jets3", jets3), ("nested", nested)):
            common.measure(options, "jax", dtype, name, common.lm_flop(options), stepper(residual_of))


main()
