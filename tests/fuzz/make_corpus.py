#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz targets, corpus/TARGET/, with NumPy; made with NumPy 1.24.2.

usage: make_corpus.py TENFOLD_IMPORT, the built tool, which makes the .tnf seeds of the .tnt ones.
"""

import io
import json
import pathlib
import struct
import subprocess
import sys
import zipfile

import numpy as np

import onnx_models

HERE = pathlib.Path(__file__).parent / "corpus"

GRAPHS = {
    "mlp": """graph mlp(x: f32[N,4]) where N in [1,512] -> (p) {
  w = Const f32[4,3] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
  h = MatMul(x, w)
  b = Add(h, {1, 2, 3})
  r = Max(b, 0)
  p = Softmax(r)
}
""",
    "fold": """graph fold() -> (y, z) {
  a = Const f64[2,2] {1, nan, -inf, 0.1}
  b = Exp(a)
  c = Where(true, b, a)
  y = ReduceSum(c, axes=[0])
  s = Const i32[1000,1000] splat 3
  z = ReduceMax(s, keepdims=false)
}
""",
    "shapes": """graph shapes(x: f32[N,2*N], y: i32[]) -> (t, q) {
  r = Reshape(x, {-1})
  t = Transpose(x, perm=[1, 0])
  q = Div(y, 0)
}
""",
    "moves": """graph moves(x: f32[N,6]) -> (y, c, t, p) {
  s = Slice(x, {0, -1}, {2, -7}, _, {1, -2})
  a, b = Split(x, {2, 4}, axis=1)
  c = Concat(a, b, a, axis=-1)
  t, u = TopK(x, {2}, largest=false)
  y = Gather(s, {1, -1})
  p = Pad(a, {1, 0, 1, 2}, mode="edge")
}
""",
    "kernels": """graph kernels(x: f32[3,4], n: i64[N,M]) -> (g, e, s, d, h, m, r, v) {
  i = Const i64[2,2] {0, 1, -1, 2}
  g = GatherND(x, i)
  e = GatherElements(x, i, axis=1)
  u = Const f32[2,2] {1, 2, 3, 4}
  s = ScatterElements(x, i, u, axis=1, reduction="add")
  k = Shape(n)
  z = Gather(k, {0})
  q = ConstantOfShape(z, value=i64[1] {2})
  d = Tile(q, {3})
  o = Const f32[2] {0, 1}
  h = OneHot(i, 3, o)
  m = CumSum(x, 1, reverse=true)
  r = Trilu(n, 1, upper=false)
  w = Const i64[] {5}
  v = Range(0, w, 2)
}
""",
    "types": """graph types(x: bf16[2,0], b: bool[3], u: u8[3]) -> (e, c, g) {
  e = Equal(x, x)
  c = Cast(u, to=f16)
  g = Where(b, u, 7)
}
""",
    "storage": """graph storage(x: f32[N,4], q: u4[3]) -> (y, z, u) {
  w = Const i4[4,3] {-8, 7, 1, 2, -3, 0, 4, -5, 6, 1, 1, -1}
  s = Const f32[3] {0.5, 0.25, 1}
  d = DequantizeLinear(w, s)
  m = MatMul(x, d)
  e = Const f8e4m3fn[2] {448, nan}
  k = Const f32[] {0.125}
  y = QuantizeLinear(m, k, output_dtype=f8e5m2)
  z = Concat(q, q, axis=0)
  u = Cast(e, to=f8e5m2, saturate=false)
}
""",
    "fused": """graph fused(x: f32[N,4], w: f32[4]) -> (y) {
  y = Fused(x, w) {
    graph group.0(x: f32[N,4], w: f32[4]) -> (t) {
      m = Mul(x, w)
      t = Tanh(m)
    }
  } from(m, t)
}
""",
    "control": """function half(v: f32[B,4]) -> (r) {
  r = Mul(v, 0.5)
}

graph control(x: f32[N,4], c: bool[], n: i64[]) -> (y, rows, s) {
  h = Call(x, function="half")
  t = If(c) {
    graph then() -> (q) {
      q = Concat(h, x, axis=0)
    }
    graph else() -> (h) {
    }
  }
  y, rows = Loop(n, c, t) {
    graph body(i, go, v) -> (go, w, row) {
      w = Concat(v, t, axis=0)
      row = Call(x, function="half")
    }
  }
  k = Const f32[4] {0, 1, 2, 3}
  last, s = Scan(k, x, num_scan_inputs=1, scan_output_directions=[1]) {
    graph step(u, e) -> (z, p) {
      z = Add(u, e)
      p = Neg(z)
    }
  }
}
""",
    "provenance": """graph kept(x: f32[2]) -> ("out:0"=y) {
  w = Const f32[2] {1, 2} array "w.npz: w" ingest("f64", "cast=nearest", values=2, changed=1, by=1e-09, nans=0)
  y = Gelu(x, approximate="tanh") at "a.cc:3"
  z = OptimizationBarrier(w)
}
""",
}

LITERALS = {
    "floats": "f32[2,3] 1 -2.5 3e-10 nan inf -inf",
    "braces": "i64[3] {1, -9223372036854775808, 9223372036854775807}",
    "splat": "f16[1000,1000] splat 65504",
    "bools": "bool[2] true false",
    "empty": "u8[0,3]",
    "scalar": "bf16[] 1.0078125",
    "float8": "f8e4m3fn[3] 448 -0.001953125 nan",
    "packed": "i4[5] -8 7 0 1 -1",
    "symbols": "f32[N,2*N + 1,floordiv(N, 2),max(M, 4)]",
    "policy": "mean:axis=-1",
}


def put(target, name, contents):
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(contents if isinstance(contents, bytes) else contents.encode())


def npy(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=True)
    return file.getvalue()


def safetensors(entries):
    header, data = {}, b""
    for name, dtype, shape, contents in entries:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(contents)]}
        data += contents
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    arrays = {
        "f4": np.arange(6, dtype="f4").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6, dtype="i2").reshape(2, 3)),
        "big": np.arange(3, dtype=">f8"),
        "scalar": np.float64(0.1).reshape(()),
        "empty": np.zeros((0, 3), "u8"),
        "bool": np.array([True, False]),
        "text": np.array(["1.5", "3,14", "nan"]),
        "bytes": np.array([b"1", b"-2e3"]),
        "nan": np.array([[1, np.nan], [np.inf, -1]], "f2"),
        "record": np.zeros(2, [("a", "f4"), ("b", "i2")]),
        "object": np.array([None, 1], object),
        "date": np.array(["2020-01-01"], "M8[D]"),
        "complex": np.array([1j]),
    }
    for name, array in arrays.items():
        put("npy", name, npy(array))
    for descr in ("|i1", "|u1", "<i2", ">i2", "<i4", ">u4", "<i8", "<u8", ">f2", "<f4", ">f4", "<f8"):
        name = descr.replace("<", "little_").replace(">", "big_").replace("|", "")
        put("npy", name, npy(np.arange(-3, 9).reshape(3, 2, 2).astype(descr, order="CF"[len(name) % 2])))
    put("npy", "wide", npy(np.linspace(-1, 1, 400, dtype="f4").reshape(20, 20)))
    put("npy", "list", npy(np.array([1, 2.5, None, [1, 2], "x", np.float64(3)], object)))
    put("npy", "v2", npy(arrays["f4"], (2, 0)))
    put("npy", "v3", npy(arrays["f4"], (3, 0)))
    for name, kind in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", kind) as archive:
            for member in ("f4", "bool", "empty"):
                archive.writestr(zipfile.ZipInfo(member + ".npy"), npy(arrays[member]), kind)
        put("npz", name, file.getvalue())
    limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 0
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("big.npy"), npy(arrays["big"]))
    zipfile.ZIP64_LIMIT = limit
    put("npz", "zip64", file.getvalue())
    put("safetensors", "one", safetensors([("w", "F32", [2], struct.pack("<2f", 1, 2))]))
    put("safetensors", "several", safetensors([("a", "I64", [1], bytes(8)), ("b", "BF16", [2, 1], bytes(4)),
                                               ("c", "BOOL", [], b"\1"), ("d", "F16", [0], b"")]))
    put("safetensors", "metadata", (lambda t: struct.pack("<Q", len(t)) + t)(b'{"__metadata__":{"a":"b"}}'))
    for name, literal in LITERALS.items():
        put("literal", name, literal)
    for name, model in onnx_models.MODELS.items():
        put("onnx", name, model)
    for name, graph in GRAPHS.items():
        text = "tenfold 1\n\n" + graph
        put("tnt", name, text)
        (HERE / "tnf").mkdir(exist_ok=True)
        source = pathlib.Path("/tmp") / (name + ".tnt")
        source.write_text(text)
        subprocess.run([sys.argv[1], source, "-o", HERE / "tnf" / (name + ".tnf")], check=True)
        (HERE / "tnf" / (name + ".tnf")).rename(HERE / "tnf" / name)


if __name__ == "__main__":
    main()
