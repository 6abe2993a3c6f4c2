#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""FNO and TFNO models of neuraloperator (2.x) as files of this library, and back.

    import neuraloperator            # this file
    neuraloperator.save(model, "model.safetensors")       # OperatorModel::load, sobolev evaluate
    neuraloperator.load_into(model, "model.safetensors")  # a dense FNO of the same sizes

    python tools/neuraloperator.py sample FOLDER           # the files of tests/operators/samples

Real data, a lifting and a projection of two layers, GELU, linear skips, channel MLPs with soft gates, no norm; a factorised weight (TFNO) is
saved as the dense tensor that it stands for. On an axis with an odd number of points, all but the last, neuraloperator
2.0 puts frequency k in the place of k + 1 (it shifts the spectrum twice the same way); files give what the formula says.
Needs torch and neuraloperator.
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np


def _array(parameter):
    return parameter.detach().cpu().numpy()


def _dense(weight):
    return _array(weight.to_tensor() if hasattr(weight, "to_tensor") else weight)


def _names(model):
    """Pairs of a name in the file and the parameter: 1 x 1 convolutions are [out, in, 1] there and [in, out] here."""
    pairs = []
    for part in ("lifting", "projection"):
        for i, layer in enumerate(getattr(model, part).fcs):
            pairs += [(f"{part}.{i}.weight", layer.weight), (f"{part}.{i}.bias", layer.bias)]
    blocks = model.fno_blocks
    for i in range(model.n_layers):
        pairs += [(f"blocks.{i}.skip.weight", blocks.fno_skips[i].conv.weight),
                  (f"blocks.{i}.skip.bias", blocks.convs[i].bias),
                  (f"blocks.{i}.spectral.weight", blocks.convs[i].weight)]
        pairs.append((f"blocks.{i}.gate.weight", blocks.channel_mlp_skips[i].weight))
        for k, layer in enumerate(blocks.channel_mlp[i].fcs):
            pairs += [(f"blocks.{i}.mlp.{k}.weight", layer.weight), (f"blocks.{i}.mlp.{k}.bias", layer.bias)]
    return pairs


def _to_file(name, parameter):
    if name.endswith("spectral.weight"):
        w = _dense(parameter)  # [in, out, modes...]
        modes_first = np.moveaxis(w, (0, 1), (-2, -1))
        return np.stack([modes_first.real, modes_first.imag], axis=-3)
    value = _array(parameter)
    if name.endswith("gate.weight") or name.endswith("bias"):
        return value.reshape(-1)
    return value[..., 0].T


def _from_file(name, value, like):
    import torch
    if name.endswith("spectral.weight"):
        value = np.moveaxis(value[..., 0, :, :] + 1j * value[..., 1, :, :], (-2, -1), (0, 1))
    elif not (name.endswith("gate.weight") or name.endswith("bias")):
        value = value.T[..., None]
    return torch.as_tensor(np.ascontiguousarray(value)).reshape(like.shape).to(like.dtype)


def _model_file(model):
    modes = list(model.n_modes)  # the last one is halved already
    blocks = model.fno_blocks
    count = list(blocks.convs[0].n_modes)
    ranges = [[-(m // 2), m - m // 2 - 1] for m in count[:-1]] + [[0, count[-1] - 1]]
    unsupported = [what for what, there in [
        ("complex data", blocks.complex_data), ("a norm", blocks.norm is not None),
        ("pre-activation", blocks.preactivation), ("a separable weight", blocks.convs[0].separable),
        ("domain padding", model.domain_padding is not None), ("a stabiliser", blocks.stabilizer is not None),
        ("resolution scaling", blocks.convs[0].resolution_scaling_factor is not None),
        ("skips that are not linear", blocks.fno_skip != "linear"),
        ("no channel MLP (GELU is applied twice then)", not blocks.use_channel_mlp),
        ("gates that are not soft", blocks.channel_mlp_skip != "soft-gating")] if there]
    if unsupported:
        raise ValueError("this model has " + ", ".join(unsupported) + ", which a file cannot hold; modes " + str(modes))
    mlp = blocks.channel_mlp[0].hidden_channels
    inputs = model.in_channels
    names = ", ".join(f'"x{i}"' for i in range(inputs))
    outputs = ", ".join(f'"y{i}"' for i in range(model.out_channels))
    coordinates = model.positional_embedding is not None
    return f"""[model]
kind = "fno"
frequencies = {ranges}
width = {model.hidden_channels}
layers = {model.n_layers}
lifting = {model.lifting_channels}
projection = {model.projection_channels}
channel_mlp = {mlp}
coordinates = {str(coordinates).lower()}
end_point = false

[data]
file = "fields.h5"
inputs = [{names}]
outputs = [{outputs}]
train = 1
test = 0
normalise = false
"""


def _write(path, metadata, tensors):
    header, offset, blobs = {"__metadata__": metadata}, 0, []
    for name, value in tensors:
        blob = np.ascontiguousarray(value, dtype="<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(value.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def _read(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    kinds = {"F64": "<f8", "F32": "<f4"}
    return {name: np.frombuffer(data[8 + size + at["data_offsets"][0]:8 + size + at["data_offsets"][1]],
                                dtype=kinds[at["dtype"]]).reshape(at["shape"]) for name, at in header.items()}


def save(model, path):
    """Writes an FNO or TFNO."""
    axes, inputs, outputs = model.n_dim, model.in_channels, model.out_channels
    metadata = {"format": "sobolev operator 1", "model": _model_file(model), "name": "neuraloperator", "axes": str(axes)}
    tensors = [("inputs.mean", np.zeros(inputs)), ("inputs.deviation", np.ones(inputs)),
               ("outputs.mean", np.zeros(outputs)), ("outputs.deviation", np.ones(outputs))]
    tensors += [("parameters." + name, _to_file(name, parameter)) for name, parameter in _names(model)]
    _write(path, metadata, tensors)


def load_into(model, path):
    """Gives a dense FNO the parameters of a file."""
    import torch
    tensors = _read(path)
    with torch.no_grad():
        for name, parameter in _names(model):
            target = parameter.tensor if hasattr(parameter, "tensor") else parameter
            target.copy_(_from_file(name, tensors["parameters." + name], target))


def sample(folder):
    """Small models with random weights, inputs and outputs."""
    import torch
    from neuralop.models import FNO, TFNO
    torch.manual_seed(0)
    folder = Path(folder)
    arrays = {}
    cases = {"fno_2d": (FNO, dict(n_modes=(4, 6), in_channels=2, out_channels=1, hidden_channels=4, n_layers=2), (10, 9)),
             "fno_1d": (FNO, dict(n_modes=(8,), in_channels=1, out_channels=2, hidden_channels=4, n_layers=2), (13,)),
             "tfno_2d": (TFNO, dict(n_modes=(4, 4), in_channels=1, out_channels=1, hidden_channels=6, n_layers=2,
                                    rank=0.3), (8, 12))}
    for name, (kind, options, grid) in cases.items():
        model = kind(**options)
        with torch.no_grad():
            for gate in model.fno_blocks.channel_mlp_skips:
                gate.weight.uniform_(0.5, 1.5)  # which start as ones
        x = torch.randn(2, options["in_channels"], *grid)
        save(model, folder / f"neuraloperator_{name}.safetensors")
        arrays[name + ".x"] = x.numpy()
        arrays[name + ".y"] = model(x).detach().numpy()
        back = FNO(**{k: v for k, v in options.items() if k != "rank"})
        load_into(back, folder / f"neuraloperator_{name}.safetensors")
        error = (back(x) - model(x)).norm() / model(x).norm()
        print(f"{name}: from the file back into an FNO, relative difference {float(error):.1e}")
        assert error < 1e-5
    np.savez(folder / "neuraloperator.npz", **arrays)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "sample":
        sys.exit(__doc__)
    sample(sys.argv[2])
