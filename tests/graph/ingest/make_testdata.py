#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes testdata/ with NumPy and Python's zipfile; made with NumPy 1.24.2 and Python 3.11.

The values are those of Expected() in npz_test.cc. Running the script again writes the same bytes.
"""

import datetime
import decimal
import io
import pathlib
import pickle
import struct
import zipfile

import numpy as np

HERE = pathlib.Path(__file__).parent / "testdata"
TYPES = ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
SHAPES = {"0d": (), "empty": (0, 3), "one": (1,), "cube": (2, 3, 4)}


def values(letter, shape):
    k = np.arange(int(np.prod(shape))).reshape(shape)
    if letter == "b":
        return k % 3 == 0
    return k + 100 if letter == "u" else k - 3


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def write_zip(name, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(HERE / name, "w", compression) as archive:
        for member, contents in members:
            archive.writestr(zipfile.ZipInfo(member), contents, compression)


def patched(contents, signature, offset, value):
    """Sets two bytes at `offset` of each zip record that begins with `signature`."""
    data, at = bytearray(contents), contents.find(signature)
    while at >= 0:
        data[at + offset : at + offset + 2] = struct.pack("<H", value)
        at = contents.find(signature, at + 1)
    return bytes(data)


def main():
    arrays = {}
    for kind in TYPES:
        for order, order_name in (("<", "le"), (">", "be")):
            for layout in "CF":
                for shape_name, shape in SHAPES.items():
                    array = values(kind[0], shape).astype(order + kind, order=layout)
                    arrays[f"{kind}-{order_name}-{layout}-{shape_name}"] = array
    np.savez_compressed(HERE / "every_type.npz", **arrays)

    w = np.arange(64, dtype="f4").reshape(8, 8)
    b = np.zeros(8, dtype="i8")
    np.savez(HERE / "stored.npz", **{"layer/w": w, "b": b})
    np.savez_compressed(HERE / "deflated.npz", **{"layer/w": w, "b": b})

    small = npy(np.float32([1.5, -2]))
    (HERE / "small.npy").write_bytes(small)
    write_zip("duplicate.npz", [("a.npy", small), ("a", small)])
    write_zip("same_name.npz", [("a.npy", small), ("a.npy", small)])
    write_zip("bzip2.npz", [("a.npy", small)], zipfile.ZIP_BZIP2)
    write_zip("not_npy.npz", [("notes.txt", b"hello")])
    write_zip("bare_name.npz", [("folder/", b""), ("a", small)])

    # Every size and offset in ZIP64 fields, as for members beyond 4 GiB.
    limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 0
    write_zip("zip64.npz", [("a.npy", small)])
    zipfile.ZIP64_LIMIT = limit

    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.npy"), small)
    encrypted = patched(patched(plain.getvalue(), b"PK\x03\x04", 6, 1), b"PK\x01\x02", 8, 1)
    (HERE / "encrypted.npz").write_bytes(encrypted)
    (HERE / "bad_crc.npz").write_bytes(plain.getvalue().replace(small[-8:], b"\1" * 8))
    write_objects()


def objects(elements, shape=None):
    array = np.empty(len(elements), object)
    for i, element in enumerate(elements):
        array[i] = element
    return array.reshape(shape) if shape else array


# What people find in arrays of Python objects; object_refusal_test.cc has what is said of each.
OBJECTS = {
    "none": objects([1, 2.5, None, 4]),
    "mixed": objects([1, None, "x", np.float64(2)], (2, 2)),
    "ints": objects([1, 2, 2**40, -1, 300, 2**70]),
    "bools": objects([True, False]),
    "floats": objects([1.5, decimal.Decimal("2.5"), np.float32(1), np.int8(3)]),
    "ragged": objects([[1, 2, 3], [4, 5], [6]]),
    "ragged_arrays": objects([np.arange(3.0), np.arange(400.0)]),
    "equal": objects([[1, 2], (3, 4)]),
    "images": objects([np.zeros((2, 3), "u1"), np.zeros((4, 3), "u1")]),
    "nested": objects([[1, [2]], [3]]),
    "text": objects(["1.5", "2"]),
    "text_and_none": objects(["1.5", None]),
    "comma": objects(["1,5", "2"]),
    "labels": objects(["cat", "dog\n"]),
    "bytes": objects([b"x", 1]),
    "dict": np.array({"w": np.ones(2), "b": 3.0}, object),
    "dates": objects([datetime.date(2020, 1, 1), datetime.datetime(2021, 1, 1)]),
    "others": objects([{1, 2}, object, 1 + 2j]),
    "empty": objects([]),
    "record": np.array([(1, None)], [("a", "i4"), ("b", "O")]),
}


def write_objects():
    folder = HERE / "objects"
    folder.mkdir(exist_ok=True)
    for name, array in OBJECTS.items():
        (folder / (name + ".npy")).write_bytes(npy(array))
    # The same elements in every protocol of pickle.
    array = objects([1, 2.5, None, "abc", [1, 2], b"x", np.float64(3), True])
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    for protocol in range(6):
        contents = header.getvalue() + pickle.dumps(array, protocol=protocol)
        (folder / f"protocol{protocol}.npy").write_bytes(contents)


if __name__ == "__main__":
    main()
