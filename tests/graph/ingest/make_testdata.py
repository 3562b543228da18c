#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes testdata/ with NumPy and Python's zipfile; made with NumPy 1.24.2 and Python 3.11.

The values are those of Expected() in npz_test.cc. Running the script again writes the same bytes.
"""

import io
import pathlib
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


if __name__ == "__main__":
    main()
