# SPDX-License-Identifier: Apache-2.0
"""Gaussians with their derivatives in JAX on the CPU under jit; one JSON line per variant. See common.py.

product: two products of matrices, the monomials of a point with the exponents' coefficients and the exponentials with
what makes the sum and its derivatives of them; product_blocks: block by block of 500 points. fused: the formulas as
they are written, which XLA fuses; nested: derivatives by jax.grad and jvp, point by point under vmap.
"""

import common

options = common.parse(__doc__, points=10000, width=800, depth=4, dtypes="both")
common.limit_memory(14)

import jax  # noqa: E402  (after the thread settings)
import jax.numpy as jnp  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")  # IEEE float32, as everybody here


def squares(parts):
    return sum(jnp.sum(part * part) for part in parts)


def product(channels, x):
    """Sum of squares at the points x [N, 2]."""
    a, b = x[:, 0], x[:, 1]
    monomials = jnp.stack([a * a, b * b, a, b, jnp.ones_like(a)], 1)
    total = 0
    for mu, log_sigma, w, bias in channels:
        p = jnp.exp(-2 * log_sigma)  # 1/sigma^2 [2, I]
        q = p * mu
        gaussian = jnp.exp(monomials @ jnp.concatenate([-p / 2, q, -jnp.sum(q * mu, 0, keepdims=True) / 2]))
        # u_k = sum w (q - p x) G and u_kk = sum w ((q - p x)^2 - p) G, powers of x taken out.
        sums = gaussian @ (w * jnp.concatenate([jnp.ones_like(w)[None], p, q, p * p, 2 * p * q, q * q - p])).T
        u, first, constant = sums[:, 0] + bias, sums[:, 1:3], sums[:, 3:5]
        second = x * x * sums[:, 5:7] - x * sums[:, 7:9] + sums[:, 9:11]
        total += squares((u, constant - x * first, second))
    return total


def fused(channels, x):
    total = 0
    for mu, log_sigma, w, bias in channels:
        rho = jnp.exp(-log_sigma)
        z = rho * (x[:, :, None] - mu)  # [N, 2, I]
        weighted = w * jnp.exp(-0.5 * jnp.sum(z * z, 1))
        slope = rho * z
        total += squares((jnp.sum(weighted, 1) + bias, -jnp.sum(slope * weighted[:, None], 2),
                          jnp.sum((slope * slope - rho * rho) * weighted[:, None], 2)))
    return total


def nested(channels, x):
    def value(x, mu, log_sigma, w, bias):
        z = jnp.exp(-log_sigma) * (x[:, None] - mu)
        return jnp.dot(w, jnp.exp(-0.5 * jnp.sum(z * z, 0))) + bias[0]

    def at(x):
        total = 0
        for channel in channels:
            gradient = jax.grad(value)
            total += value(x, *channel) ** 2
            for direction in jnp.eye(2, dtype=x.dtype):
                first, second = jax.jvp(lambda y: gradient(y, *channel), (x,), (direction,))
                total += jnp.dot(second, direction) ** 2 + jnp.dot(first, direction) ** 2
        return total

    return jnp.sum(jax.vmap(at)(x))


def in_blocks(loss_of, x, count):
    """Loss and gradient of blocks of `count` points, one after another."""
    def step(channels, x):
        def add(sums, block):
            return jax.tree.map(jnp.add, sums, jax.value_and_grad(loss_of)(channels, block)), None

        zero = (jnp.zeros((), x.dtype), jax.tree.map(jnp.zeros_like, channels))
        return jax.lax.scan(add, zero, x.reshape(-1, count, 2))[0]

    return step


def main():
    for dtype in common.dtypes(options):
        channels = [tuple(jnp.asarray(part) for part in channel) for channel in common.gaussians(options, dtype)]
        x = jnp.asarray(common.plane(options, dtype))
        scale = 1 / options.points

        def stepper(step):
            step = jax.jit(step)

            def call():
                loss, gradient = jax.block_until_ready(step(channels, x))
                return loss * scale, lambda: scale * squares(part for channel in gradient for part in channel) ** 0.5
            return call

        variants = {"product": jax.value_and_grad(product), "product_blocks": in_blocks(product, x, 500),
                    "fused": jax.value_and_grad(fused), "fused_blocks": in_blocks(fused, x, 500),
                    "nested": jax.value_and_grad(nested), "nested_blocks": in_blocks(nested, x, 500)}
        for name, step in variants.items():
            common.measure(options, "jax", dtype, name, common.gaussian_flop(options), stepper(step))


main()
