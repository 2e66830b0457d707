"""A screenshot with a palette of 256 colours: a third of its bytes, by numpy and zlib alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
Pixels = NDArray[np.uint8]


def with_palette(data: bytes) -> bytes:
    """The PNG of at most 256 colours that is nearest: the most frequent ones stay as they are."""
    pixels = decode(data)
    packed = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    found, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    frequent = found[np.argsort(-counts, kind="stable")[:COLOURS]]
    palette = np.stack([frequent >> 16, frequent >> 8 & 255, frequent & 255], axis=1)
    wanted = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
    nearest = np.empty(len(found), np.uint8)
    for start in range(0, len(found), 4096):
        part = wanted[start : start + 4096].astype(np.int32)
        away = ((part[:, None] - palette[None].astype(np.int32)) ** 2).sum(axis=2)
        nearest[start : start + 4096] = away.argmin(axis=1)
    indexed = nearest[inverse].reshape(pixels.shape[:2])
    return encode(indexed, palette.astype(np.uint8))


def decode(data: bytes) -> Pixels:
    """Rows of pixels, red, green and blue; of a PNG as browsers write them: 8 bits, not interlaced."""
    parts = dict.fromkeys((b"IHDR", b"IDAT"), b"")
    for kind, content in chunks(data):
        if kind in parts:
            parts[kind] += content
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    if depth != 8 or colour not in (2, 6) or interlaced:
        raise ValueError("not a PNG as browsers write them")
    channels = 3 if colour == 2 else 4
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, -1)
    rows = np.zeros((height + 1, width, channels), np.uint8)
    for at, line in enumerate(lines):
        rows[at + 1] = unfiltered(int(line[0]), line[1:].reshape(width, channels), rows[at])
    return rows[1:, :, :3]


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk."""
    at = len(SIGNATURE)
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += size + 12


def unfiltered(kind: int, line: Pixels, above: Pixels) -> Pixels:
    """A line without its filter (PNG, section 9): none, left, above, mean of both, Paeth."""
    if kind == 0:
        return line
    if kind == 1:
        return np.cumsum(line, axis=0, dtype=np.uint8)
    if kind == 2:
        return line + above
    result = np.zeros_like(line)
    left = corner = [0] * line.shape[1]
    for at, (values, up) in enumerate(zip(line.tolist(), above.tolist(), strict=True)):
        guess = map(paeth if kind == 4 else mean, left, up, corner)
        left = [(value + more) & 255 for value, more in zip(values, guess, strict=True)]
        result[at] = left
        corner = up
    return result


def mean(left: int, up: int, _: int) -> int:
    return (left + up) // 2


def paeth(left: int, up: int, corner: int) -> int:
    """Whichever of the three is nearest to left + up - corner."""
    start = left + up - corner
    return min((abs(start - each), at, each) for at, each in enumerate((left, up, corner)))[2]


def encode(indexed: Pixels, palette: Pixels) -> bytes:
    """A PNG with a palette; rows without filter, as indices do not predict each other."""
    height, width = indexed.shape
    lines = np.zeros((height, width + 1), np.uint8)
    lines[:, 1:] = indexed
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 9)
    parts = ((b"IHDR", header), (b"PLTE", palette.tobytes()), (b"IDAT", body), (b"IEND", b""))
    return SIGNATURE + b"".join(map(chunk, *zip(*parts, strict=True)))


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
