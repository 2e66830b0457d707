"""LEB128: how protobuf writes lengths."""

from __future__ import annotations


def varint(number: int) -> bytes:
    """A number that is not negative: seven bits a byte, the lowest first."""
    if number < 0x80:
        return bytes((number,))
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
