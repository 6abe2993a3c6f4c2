# SPDX-License-Identifier: Apache-2.0
"""Example 05: the solution in a checkpoint, by NumPy alone.

    python3 examples/05_checkpoint.py RUN/checkpoint.safetensors POINTS.npy VALUES.npz

The points are [N, D] in the order of the problem's coordinates, the values one array [N] for each unknown.
"""

import itertools
import json
import math
import struct
import sys

import numpy

ERF, ERFC = (numpy.vectorize(f, otypes=[float]) for f in (math.erf, math.erfc))
ACTIVATIONS = {"tanh": numpy.tanh, "sin": numpy.sin, "gelu": lambda z: z * ERFC(-z / math.sqrt(2)) / 2,
               "swish": lambda z: z / (1 + numpy.exp(-z)), "softplus": lambda z: numpy.log(1 + numpy.exp(z))}
FUNCTIONS = {"asin": numpy.arcsin, "acos": numpy.arccos, "atan": numpy.arctan, "abs": numpy.abs,
             "min": numpy.minimum, "max": numpy.maximum, "erf": ERF, "erfc": ERFC, "sign": numpy.sign,
             "heaviside": lambda x: numpy.heaviside(x, 0.5),
             **{name: getattr(numpy, name) for name in "sin cos tan sinh cosh tanh exp log sqrt".split()}}


# [recipe]
def read(path):
    """A safetensors file: the length of its header, the header (JSON), the numbers."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__")
    tensors = {name: numpy.frombuffer(data[slice(*tensor["data_offsets"])], "<f8").reshape(tensor["shape"])
               for name, tensor in header.items() if any(k in name for k in ("layers.", "blends.", "gaussians.", "constants."))}
    return json.loads(metadata["model"]), tensors


def formula(text, names):
    """A text of the expression language, which is Python's but for the power."""
    return eval(text.replace("^", "**"), {"__builtins__": {}}, {**FUNCTIONS, **names})


def network(model, tensors, k, point):
    """The outputs of window k's network, one array for each unknown."""
    rows = []
    for i in model["windows"][k]["inputs"]:
        if "expression" in i:
            rows.append(formula(i["expression"], point) + 0 * sum(point.values()))
        elif "modes" in i:
            for n in range(1, i["modes"] + 1):
                angle = n * i["frequency"] * point[i["coordinate"]]
                rows += [numpy.cos(angle), numpy.sin(angle)]
        else:
            rows.append(i["scale"] * point[i["coordinate"]] + i["shift"])
    slots, outputs = [numpy.array(rows)], []
    prefix = f"windows.{k}." if "windows.0.layers.0.weight" in tensors else ""
    for step in model["network"]:
        x = [slots[slot] for slot in step["in"]]
        if step["kind"] == "gate":
            slots.append(x[0] * x[1] + (1 - x[0]) * x[2])
        elif step["kind"] == "gaussian":
            centre, log_width = (tensors[f"{prefix}{step['name']}.{part}"] for part in ("centre", "log_width"))
            offset = x[0] - centre[:, :, None]
            z = offset.copy()
            if f"{prefix}{step['name']}.shear" in tensors:  # of full covariance
                shear = tensors[f"{prefix}{step['name']}.shear"]
                for k in range(1, offset.shape[1]):
                    for j in range(k):
                        z[:, k] += shear[:, k * (k - 1) // 2 + j, None] * offset[:, j]
            z /= numpy.exp(log_width)[:, :, None]
            slots.append(numpy.exp(-(z ** 2).sum(axis=1) / 2))
        elif step["kind"] == "blend":
            alpha = tensors[f"{prefix}{step['name']}.alpha"]
            slots.append(alpha * x[0] + (1 - alpha) * x[1])
        else:
            name = prefix + step["name"]
            weight = tensors[name + ".weight"]
            if name + ".factor" in tensors:
                weight = numpy.exp(tensors[name + ".factor"])[:, None] * weight
            y = weight @ x[0] + tensors[name + ".bias"][:, None]
            if step["kind"] == "dense":
                slots.append(ACTIVATIONS[step["activation"]](y))
            else:
                outputs += list(y)
    return numpy.array(outputs)


def solution(model, tensors, k, point):
    """The unknowns in window k; `point` has an array [N] for each coordinate."""
    # u(-x) = sign u(x): the mean of the network over the mirrored points, each with its sign.
    odd_or_even, y = model.get("symmetry") or {}, 0
    for mirrored in itertools.product([False, True], repeat=len(odd_or_even)):
        at, sign = dict(point), 1
        for (name, s), flip in zip(odd_or_even.items(), mirrored):
            if flip:
                at[name], sign = -at[name], sign * s
        y = y + sign * network(model, tensors, k, at) / 2 ** len(odd_or_even)
    names = dict(point)
    for constant, value in zip(model.get("constants", []), tensors.get("constants.value", [])):
        names[constant["name"]] = constant["unit"] * value
    for u, values in zip(model["unknowns"], y):
        names["N_" + u] = values  # a scale and an offset of the output, where it has one, are in the form
    forms = model["windows"][k]["solution"]
    if k > 0:
        # What the window begins with: the window before at its end, and its slope in t by a complex step.
        slope = any(f"start_{u}_t" in form for u in forms for form in forms.values())
        end = model["windows"][k]["range"][0] + (1e-30j if slope else 0)
        before = solution(model, tensors, k - 1, {**point, "t": numpy.full(point["t"].shape, end)})
        for u, values in before.items():
            names["start_" + u], names[f"start_{u}_t"] = values.real, values.imag / 1e-30
    return {u: formula(form, names) + 0 * names["N_" + u] for u, form in forms.items()}


def evaluate(checkpoint, points):
    """The unknowns at points [N, D], each point in its window of time and, where the domain is cut, in its piece."""
    model, tensors = read(checkpoint)
    point = dict(zip(model["coordinates"], numpy.asarray(points, float).T))
    cut = model.get("interfaces")
    if cut:
        y, edges = point[cut["coordinate"]], numpy.array(cut["edges"])
        piece = numpy.searchsorted(edges[1:-1], y)
        low, high = edges[piece], edges[piece + 1]
        point[cut["coordinate"]] = numpy.where(piece % 2 == 0, y - low, high - y) / (high - low)
    windows = model["windows"]
    k = sum((point["t"] > w["range"][1]).astype(int) for w in windows[:-1]) + numpy.zeros(len(points), int)
    values = {u: numpy.empty(len(points)) for u in model["unknowns"]}
    for window in range(len(windows)):
        part = {name: x[k == window] for name, x in point.items()}
        for u, result in solution(model, tensors, window, part).items():
            values[u][k == window] = result
    if cut:  # T_1, T_2, … are T in the pieces
        names = dict.fromkeys(u.rsplit("_", 1)[0] for u in values)
        values = {u: numpy.choose(piece, [values[f"{u}_{k + 1}"] for k in range(len(edges) - 1)]) for u in names}
    return values
# [/recipe]


if __name__ == "__main__":
    _, checkpoint, points, out = sys.argv
    numpy.savez(out, **evaluate(checkpoint, numpy.load(points)))
