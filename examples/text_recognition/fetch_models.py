#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches the PP-OCR models for the text_recognition example; needs pip, and nothing else.

    fetch_models.py FOLDER

They come from the PyPI package rapidocr-onnxruntime (Apache-2.0, as the models are), of which nothing is
installed or run. FOLDER gets detection.onnx, direction.onnx, recognition.onnx, and characters.txt, which the
recognition model has in its metadata.
"""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "rapidocr-onnxruntime==1.4.4"
MODELS = {
    "detection.onnx": "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
    "direction.onnx": "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "recognition.onnx": "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
}
METADATA_FIELD = 14  # ModelProto.metadata_props: entries of a key (1) and a value (2)


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, contents) of each field of a protobuf message that has a length."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            _, at = _varint(data, at)
        elif kind == 2:
            size, at = _varint(data, at)
            yield number, data[at:at + size]
            at += size
        else:
            at += {1: 8, 5: 4}[kind]


def metadata(model):
    entries = (dict(fields(entry)) for number, entry in fields(model) if number == METADATA_FIELD)
    return {entry[1].decode(): entry.get(2, b"").decode() for entry in entries}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as download:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir",
                        "--disable-pip-version-check", "--dest", download, PACKAGE], check=True)
        with zipfile.ZipFile(next(pathlib.Path(download).glob("*.whl"))) as wheel:
            for name, member in MODELS.items():
                (folder / name).write_bytes(wheel.read(member))
    characters = metadata((folder / "recognition.onnx").read_bytes())["character"]
    (folder / "characters.txt").write_text(characters.rstrip("\n") + "\n", encoding="utf-8")
    print(f"{folder}: {', '.join(MODELS)}, characters.txt")


if __name__ == "__main__":
    main()
