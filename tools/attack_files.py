# SPDX-License-Identifier: Apache-2.0
"""Damaged inputs for tools/attack.py: small whole files of each kind, and ways to break them."""

import io
import json
import random
import re
import struct
import zipfile

PROBLEM = """# A small problem that uses much of what a file can say.
title = "Attacked"
unknowns = ["u", "v"]

[coordinates]
t = [0, 1]
x = { range = [-1, 1], periodic = true }

[constants]
nu = 0.1

[equations]
first = "u_t - nu*u_xx + sin(v) = 0"
second = "v_t + u*v_x - tanh(u)/(2 + v^2) = 0"

[conditions]
start = { where = "t = 0", equation = "u = sin(pi*x)" }
other = { where = "t = 0", equation = "v = cos(pi*x)", weight = 10 }

[network]
depth = 2
width = 6
periodic_modes = 2
features = ["t*x"]

[training]
windows = 2
points = { sobol = 40, condition_points = 10, resample_every = 5 }
causal = { slices = 3, epsilon = [0.1, 1] }
stop = { iterations = 60 }

[[training.phase]]
optimizer = "adam"
iterations = 20
decay = { factor = 0.9, every = 10 }

[[training.phase]]
optimizer = "levenberg_marquardt"
iterations = 3
"""

# For signals: trains for a second or so, in both optimisers; every bit of it follows from the number of iterations.
LONG_RUN = """unknowns = ["u"]
[coordinates]
t = [0, 1]
x = [0, 1]
[equations]
heat = "u_t - 0.1*u_xx"
[conditions]
initial = { where = "t = 0", equation = "u = sin(pi*x)" }
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
[network]
width = 6
[training]
points = { sobol = 64, condition_points = 16, resample_every = 50 }
stop = { iterations = 2600 }
[[training.phase]]
optimizer = "adam"
iterations = 2000
[[training.phase]]
optimizer = "levenberg_marquardt"
iterations = 600
stall = { iterations = 100000 }
"""

NUMBERS = [b"0", b"-1", b"1e999", b"-1e999", b"nan", b"inf", b"1e-320", b"2147483648", b"4294967296", b"9223372036854775807",
           b"18446744073709551616", b"99999999999999999999999999", b"1e18", b"3.5", b"0x10", b"1_000", b"1000000"]
PIECES = [b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b'"', b"'", b"[", b"]", b"{", b"}", b"(", b")", b"=", b"\n", b"\r", b"\t", b",",
          b".", b"#", b"\\", b'"""', b"u_", b"d(", b"^", b"-", b"*", b"/", b"null", b"true", "τ".encode(), b"e", b"PK\x03\x04"]
DEEP = [b"(", b"[", b"{a=", b"-", b"sin(", b"a.", b"[[", b"1+", b"u*", b"{\"a\":", b"2^"]


def npy(shape: tuple[int, ...], values: list[float]) -> bytes:
    header = str({"descr": "<f8", "fortran_order": False, "shape": shape}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}d", *values)


def npz(arrays: dict[str, bytes], compressed: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, data in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy"), data)
    return out.getvalue()


def reference() -> bytes:
    t, x = [0.0, 0.5, 1.0], [-1.0, -0.5, 0.0, 0.5]
    field = [0.1 * i for i in range(12)]
    return npz({"t": npy((3,), t), "x": npy((4,), x), "u": npy((3, 4), field), "v": npy((3, 4), field)})


def random_number(rng: random.Random) -> bytes:
    return rng.choice(NUMBERS) if rng.random() < 0.8 else b"%d" % rng.getrandbits(rng.randrange(1, 80))


def damage(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """One to four random changes of bytes."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not out:
            break
        at, length = rng.randrange(len(out)), 1 + int(rng.expovariate(0.1))
        way = rng.randrange(10)
        if way == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            out[at] = rng.randrange(256)
        elif way == 2:
            del out[at:at + length]
        elif way == 3:
            out[at:at] = out[rng.randrange(len(out)):][:length]
        elif way == 4:
            out[at:at] = rng.choice(PIECES)
        elif way == 5:
            out[at:at + 1] = rng.choice(PIECES)
        elif way == 6:
            begin = rng.randrange(len(other))
            out[at:at + length] = other[begin:begin + length]
        elif way == 7:
            found = list(re.finditer(rb"[0-9][0-9.]*", bytes(out[:4096])))
            if found:
                number = rng.choice(found)
                out[number.start():number.end()] = random_number(rng)
        elif way == 8:
            if rng.random() < 0.3:
                out[at:at] = rng.choice(DEEP) * rng.choice([50, 1000, 20000])
        elif rng.random() < 0.3:
            del out[at:]
    return bytes(out)


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[:rng.randrange(len(data))]


def damage_header(data: bytes, rng: random.Random) -> bytes:
    """A safetensors file whose header is changed and still has the length it states."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    key = rng.choice(list(header))
    if key == "__metadata__":
        entry = header[key]
        inner = rng.choice(list(entry))
        if inner == "state" and rng.random() < 0.8:
            state = json.loads(entry[inner])
            name = rng.choice(list(state))
            state[name] = rng.choice([-1, 0, 1, 2, 3, 10**6, 2**31, 2**63, -2**63, 1e300, 0.5, None, "x", [], {}, True, False])
            entry[inner] = json.dumps(state)
        else:
            entry[inner] = damage(entry[inner].encode(), rng, b"abc").decode("utf-8", "replace")
    elif rng.random() < 0.3:
        del header[key]
    else:
        what = rng.choice(["dtype", "shape", "data_offsets"])
        wrong = {"dtype": ["F32", "I64", "F64", "BF16", 3], "shape": [[], [0], [2**32, 2**32], [-1], [1.5], "3"],
                 "data_offsets": [[0, 8], [8, 0], [0, 2**63], [0], None]}
        header[key][what] = rng.choice(wrong[what])
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size:]


def damage_numbers(data: bytes, rng: random.Random) -> bytes:
    """A safetensors file with another number among its values: not finite, huge, tiny."""
    size = struct.unpack("<Q", data[:8])[0]
    begin = 8 + size
    at = begin + 8 * rng.randrange((len(data) - begin) // 8)
    value = rng.choice([float("nan"), float("inf"), -float("inf"), 1e308, -1.0, 5e-324, 1e18, 0.0])
    return data[:at] + struct.pack("<d", value) + data[at + 8:]


def damage_member(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """An npz file with one array damaged and all its checksums right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    way = rng.randrange(4)
    if way == 0:
        members[rng.choice(["t", "x", "u", "w", "../u", ""])] = members.pop(name)
    elif way == 1:
        members[name] = npy(rng.choice([(0,), (3,), (4, 3), (12,), (1, 1, 1), (2**20,)]),
                            [rng.choice([float("nan"), 1e308, 0.0, 1.0])] * rng.choice([0, 1, 3, 12]))
    else:
        members[name] = damage(members[name], rng, other)
    return npz(members, rng.random() < 0.5)
