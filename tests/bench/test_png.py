"""Pictures with a palette show the pixels of the screenshot, in fewer bytes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from bench.png import COLOURS, SIGNATURE, chunk, chunks, decode, with_palette

RANDOM = np.random.default_rng(7)


def filtered(kind: int, pixels: np.ndarray) -> bytes:
    """A line of red, green and blue as a PNG has it behind a filter, by the definition of each."""
    above = np.zeros_like(pixels[0])
    lines = b""
    for row in pixels:
        line = bytearray([kind])
        for at, value in enumerate(row.reshape(-1).tolist()):
            left = int(row.reshape(-1)[at - 3]) if at >= 3 else 0
            up = int(above.reshape(-1)[at])
            corner = int(above.reshape(-1)[at - 3]) if at >= 3 else 0
            start = left + up - corner
            paeth = min((left, up, corner), key=lambda each: abs(start - each))
            line.append(value - (0, left, up, (left + up) // 2, paeth)[kind] & 255)
        lines += bytes(line)
        above = row
    return lines


def png(kind: int, pixels: np.ndarray) -> bytes:
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(filtered(kind, pixels))
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", range(5), ids=["none", "left", "above", "mean", "paeth"])
def test_every_filter_is_undone(kind: int) -> None:
    pixels = RANDOM.integers(0, 256, (5, 7, 3), np.uint8)
    assert (decode(png(kind, pixels)) == pixels).all()


def shown(data: bytes) -> np.ndarray:
    """The colours of a picture with a palette."""
    parts = dict(chunks(data))
    width, height = struct.unpack_from(">II", parts[b"IHDR"])
    palette = np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3)
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, width + 1)
    return palette[lines[:, 1:]]


def test_few_colours_stay_as_they_are() -> None:
    pixels = RANDOM.integers(0, 3, (20, 30, 3), np.uint8) * 100
    assert (shown(with_palette(png(0, pixels))) == pixels).all()


def test_of_many_colours_the_rare_ones_become_their_neighbours() -> None:
    gradient = np.arange(900, dtype=np.uint32) * 18_000 % (1 << 24)
    pixels = np.stack([gradient >> 16, gradient >> 8 & 255, gradient & 255], axis=1)
    pixels = pixels.astype(np.uint8).reshape(30, 30, 3)
    pixels[:20] = 250
    found = shown(with_palette(png(1, pixels)))
    assert (found[:20] == 250).all()
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= COLOURS
    assert np.abs(found.astype(int) - pixels).mean() < 20


def test_what_is_no_such_picture_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    with pytest.raises(ValueError, match="as browsers write"):
        decode(SIGNATURE + chunk(b"IHDR", header))
