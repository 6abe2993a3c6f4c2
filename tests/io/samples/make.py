# SPDX-License-Identifier: Apache-2.0
"""Makes the sample files of this folder, which array_file_samples_test.cpp reads: files as h5py and SciPy write them.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install h5py scipy && /tmp/v/bin/python make.py

The number at the row-major index n of the k-th array of a file is ((7 n) mod 23 - 11) / 4 + k, rounded or cut to what
its type holds. Files that are there are replaced; those of the repository were made by h5py 3.16 (HDF5 2.0) and
SciPy 1.17."""

import h5py
import numpy as np
import scipy.io


def numbers(k: int, *shape: int, dtype="f8") -> np.ndarray:
    n = np.arange(int(np.prod(shape))).reshape(shape)
    return ((7 * n % 23 - 11) / 4 + k).astype(dtype)


def pdebench() -> None:
    # One field: advection, Burgers. t-coordinate is one longer than the times.
    with h5py.File("pdebench_tensor.hdf5", "w") as file:
        file.create_dataset("tensor", data=numbers(0, 6, 3, 64, dtype="f4"), chunks=(2, 3, 32), compression="gzip",
                            shuffle=True, fletcher32=True)
        file["x-coordinate"] = numbers(1, 64)
        file["t-coordinate"] = numbers(2, 4)
        file.attrs["beta"] = 0.1
    # Chunks that hold many rows, and together more than HDF5 keeps by itself.
    with h5py.File("chunks.h5", "w") as file:
        file.create_dataset("tensor", data=numbers(0, 64, 8192, dtype="f4"), chunks=(40, 1024), compression=9)
    # Several fields: compressible flow.
    with h5py.File("pdebench_fields.hdf5", "w") as file:
        for k, name in enumerate(["Vx", "Vy", "density", "pressure"]):
            file[name] = numbers(k, 3, 2, 4, 5, dtype="f4")
        file.attrs.update(eta=0.01, zeta=0.02, M=np.float32(0.5))
    # A group for each sample, LZF: diffusion-sorption, diffusion-reaction.
    with h5py.File("pdebench_groups.h5", "w") as file:
        for k, name in enumerate(["0000", "0001"]):
            group = file.create_group(name)
            group.create_dataset("data", data=numbers(k, 5, 40, 2, dtype="f4"), chunks=True, compression="lzf",
                                 shuffle=k == 1)
            group["grid/x"] = numbers(2, 40, dtype="f4")
            group["grid/t"] = numbers(3, 5, dtype="f4")
            group.attrs["config"] = "sim:\n  t: 5\n  seed: \"0\"\n"


def the_well() -> None:
    with h5py.File("the_well.hdf5", "w") as file:
        file.attrs.update(dataset_name="sample", n_spatial_dims=2, n_trajectories=2, simulation_parameters=["nu"], nu=0.5)
        dimensions = file.create_group("dimensions")
        dimensions.attrs["spatial_dims"] = ["x", "y"]
        for k, name in enumerate(["time", "x", "y"]):
            dimensions.create_dataset(name, data=numbers(k, 3 + k, dtype="f4")).attrs.update(
                sample_varying=False, time_varying=name == "time")
        boundary = file.create_group("boundary_conditions/x_periodic")
        boundary.attrs.update(bc_type="PERIODIC", associated_fields=np.zeros(0), associated_dims=["x"])
        boundary["mask"] = np.array([True, False, False, True])
        file.create_group("scalars").attrs["field_names"] = ["nu"]
        file["scalars/nu"] = np.float32(0.5)
        shapes = {"t0_fields/pressure": (), "t1_fields/velocity": (2,), "t2_fields/stress": (2, 2)}
        for k, (name, components) in enumerate(shapes.items()):
            field = file.create_dataset(name, data=numbers(k, 2, 3, 4, 5, *components, dtype="f4"))
            field.attrs.update(dim_varying=[True, True], sample_varying=True, time_varying=True)
            file[name.split("/")[0]].attrs["field_names"] = [name.split("/")[1]]


def types() -> None:
    with h5py.File("types.h5", "w", userblock_size=1024) as file:
        for k, name in enumerate(["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "<i2", ">i2", "<i4", ">i4", "<i8",
                                  ">i8", "u1", "<u2", "<u4", ">u8"]):
            file[name] = numbers(k, 3, 5, dtype=name)
        file["bool"] = numbers(0, 3, 5) > 0
        file["word"] = np.array([0, 2, 1, 1], "i2")
        file["long double"] = numbers(0, 3, 5).astype(np.longdouble)
        file["scalar"] = 2.5
        file["nothing"] = np.zeros((0, 5))
        file["complex"] = np.ones(3, "c8")
        file["text"] = "hello"
        file["records"] = np.zeros(2, [("a", "f4"), ("n", "i4")])
        file["null"] = h5py.Empty("f4")
        file["lists"] = np.array([np.arange(2.0), np.arange(3.0)], h5py.vlen_dtype("f8"))
        notes = file["scalar"].attrs
        notes.update(half=np.float16(0.5), large=np.int64(2**40), minus=np.int8(-3), big=np.array(1.5, ">f4"), yes=True,
                     texts=["one", "zwölf"], numbers=np.arange(3), truths=np.array([True, False]), one=np.array([4.0]),
                     fixed=np.bytes_("fixed"), several=np.array([b"a", b"bcd"]), complex=1j)
        notes["variable"] = "of any length, ö"


def matlab() -> None:
    arrays = {"a": numbers(0, 4, 5), "u": numbers(1, 4, 3, 2), "single": numbers(2, 6, 2, dtype="f4"),
              "whole": numbers(3, 3, 3, dtype="i4"), "yes": numbers(0, 2, 5) > 0, "visc": np.array(0.25)}
    others = {"name": "text", "cells": np.array([1, "a"], dtype=object), "record": {"x": 1.0}, "z": np.ones(2) * 1j}
    scipy.io.savemat("v5.mat", {**arrays, **others})
    scipy.io.savemat("v5_compressed.mat", {**arrays, **others}, do_compression=True)
    # As MATLAB writes v7.3: 512 bytes of its own before the HDF5, axes reversed, classes as attributes.
    with h5py.File("v73.mat", "w", userblock_size=512) as file:
        for name, array in arrays.items():
            array = np.atleast_2d(array)
            kind = {"float64": "double", "float32": "single", "bool": "logical"}.get(str(array.dtype), str(array.dtype))
            stored = array.astype("u1") if kind == "logical" else array
            chunks = {"a": (3, 2), "u": (1, 3, 2)}.get(name)
            data = file.create_dataset(name, data=stored.T, chunks=chunks, compression="gzip" if chunks else None)
            data.attrs["MATLAB_class"] = np.bytes_(kind)
            if kind == "logical":
                data.attrs["MATLAB_int_decode"] = np.int32(1)
        file["name"] = np.frombuffer("text".encode("utf-16-le"), "u2").reshape(4, 1)
        file["name"].attrs["MATLAB_class"] = np.bytes_("char")
        file["empty"] = np.array([0, 3], "u8")
        file["empty"].attrs.update(MATLAB_class=np.bytes_("double"), MATLAB_empty=np.uint8(1))
        record = file.create_group("record")
        record.attrs["MATLAB_class"] = np.bytes_("struct")
        record["x"] = numbers(0, 1, 1)
        record["x"].attrs["MATLAB_class"] = np.bytes_("double")
        file["#refs#/a"] = np.zeros(2)
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Fri Nov 27 2026 HDF5 schema 1.00 ."
    with open("v73.mat", "r+b") as file:
        file.write(header.ljust(116) + bytes(8) + b"\x00\x02IM")


def numpy_files() -> None:
    arrays = {name.replace("<", "").replace(">", "big "): numbers(k, 3, 5, dtype=name)
              for k, name in enumerate(["<f4", ">f8", "<f2", "i1", "<u2", ">i4"])}
    arrays |= {"columns": np.asfortranarray(numbers(0, 4, 3, 2)), "yes": numbers(0, 3, 5) > 0, "one": np.array(2.5)}
    others = {"text": np.array("hello"), "complex": np.ones(2, "c16"), "records": np.zeros(2, [("a", "f4")]),
              "attribute::nu": np.array(0.25), "attribute:one:unit": np.array(b"m/s")}
    np.savez("numpy.npz", **arrays, **others)
    np.savez_compressed("numpy_compressed.npz", **arrays, **others)


pdebench()
numpy_files()
the_well()
types()
matlab()
