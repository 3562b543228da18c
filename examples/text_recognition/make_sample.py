#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws data/sample.png, an image with known text; needs Pillow."""

import pathlib

from PIL import Image, ImageDraw, ImageFont

LINES = [(40, 36, 34, "Tenfold runs tensor graphs"), (40, 104, 34, "Order 4711"), (430, 104, 34, "12.50 EUR")]
UPSIDE_DOWN = (250, 170, 34,"Turned around")


def draw(canvas, x, y, size, text):
    ImageDraw.Draw(canvas).text((x, y), text, fill=(30, 30, 60), font=ImageFont.load_default(size))


def main():
    image = Image.new("RGB", (720, 240), (250, 248, 240))
    for line in LINES:
        draw(image, *line)
    x, y, size, text = UPSIDE_DOWN
    patch = Image.new("RGB", (320, 44), (250, 248, 240))
    draw(patch, 10, 4, size, text)
    image.paste(patch.rotate(180), (x, y))
    image.save(pathlib.Path(__file__).resolve().parent / "data" / "sample.png", optimize=True)


if __name__ == "__main__":
    main()
