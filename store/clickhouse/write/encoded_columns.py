"""Columns encoded a few rows at a time, while they are in the processor's cache, and joined later.

Rows waiting for an insert are bytes then: a fifth of the memory, and nothing for the garbage
collector to traverse. Joining costs next to nothing per row: most columns are concatenated, only
dictionary codes and array offsets are renumbered.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from struct import pack as pack_numbers
from typing import Any, NamedTuple

from msgspec import Struct

from store.clickhouse.connection.native_format import (
    OWN_DICTIONARY,
    VERSION,
    Columns,
    Encoded,
    encode_strings,
    encoder,
    narrowest,
    numbers,
)
from store.column_types import Coded, PackedTexts

_OBJECT = 64
"""Approximate overhead of a part in memory, bytes."""


class ArrayColumn(Struct, gc=False):
    """Array: the number of values of each row, and the values of all rows. Callers may pass a column in
    this form."""

    counts: Sequence[int]
    values: Sequence[Any]

    def __len__(self) -> int:
        return len(self.counts)


class _ArrayPart(NamedTuple):
    """Array: how many values each row has, and all of them."""

    lengths: array[int]
    values: bytes


_Part = bytes | Sequence[bytes] | Coded[Any] | _ArrayPart


class EncodedRows(Struct, gc=False):
    """Some rows of one table, encoded: a part for each column."""

    rows: int
    parts: list[_Part]

    @property
    def size(self) -> int:
        """Bytes in memory, without raw documents, which exist anyway."""
        return sum(map(_size, self.parts))


def encode(types: Sequence[str], columns: Columns) -> EncodedRows:
    """Encode rows given by column. Raises as `Columns` does when a value does not fit its type."""
    rows = len(columns[0])
    if len(types) != len(columns) or {len(column) for column in columns} != {rows}:
        raise ValueError(f"expected {len(types)} columns of one length")
    return EncodedRows(
        rows, [_encode(type, values) for type, values in zip(types, columns, strict=True)]
    )


def join(types: Sequence[str], chunks: Sequence[EncodedRows]) -> Encoded:
    """The rows of all chunks in order; at least one chunk."""
    parts: Iterator[tuple[Any, ...]] = zip(*(chunk.parts for chunk in chunks), strict=True)
    return Encoded(
        sum(chunk.rows for chunk in chunks),
        types,
        [_joiner(type)(of_column) for type, of_column in zip(types, parts, strict=True)],
    )


def _encode(type: str, values: Sequence[Any]) -> _Part:
    if type == "LowCardinality(String)":
        return _pack_dictionary(values)
    if type.startswith("Array("):
        counts, flat = _flattened(values)
        encoded = _encode_texts(flat) if type == "Array(String)" else numbers("Q", flat)
        return _ArrayPart(_lengths(counts), encoded)
    if type == "String":
        return list(values) if isinstance(values[0], bytes) else _encode_texts(values)
    if type == "UInt8" and isinstance(values, Coded) and isinstance(values.codes, bytes):
        return values.codes.translate(bytes(values.values).ljust(256))
    encode = encoder(type)
    if encode is None:
        raise TypeError(f"a column of type {type} cannot be encoded")
    if isinstance(values, Coded) and len(values.values) == 1:
        return encode(values.values) * len(values)
    return encode(values)


def _encode_texts(values: Iterable[str]) -> bytes:
    return b"".join(values.parts) if isinstance(values, PackedTexts) else encode_strings(values)


def _lengths(counts: Iterable[int]) -> array[int]:
    if isinstance(counts, Coded) and len(counts.values) == 1:
        return array("I", counts.values) * len(counts)
    return array("I", counts)


def _flattened(values: Sequence[Any]) -> tuple[Iterable[int], Iterable[Any]]:
    if isinstance(values, ArrayColumn):
        return values.counts, values.values
    return map(len, values), chain.from_iterable(values)


def _joiner(type: str) -> Callable[[Sequence[Any]], bytes | list[bytes]]:
    if type == "LowCardinality(String)":
        return _join_dictionaries
    if type.startswith("Array("):
        return _join_arrays
    return _join_strings if type == "String" else b"".join


def numbered(codes: dict[Any, int], keys: Sequence[Any]) -> bytes | array[int]:
    """The code of each key: bytes up to 256 codes, else 32-bit."""
    found = map(codes.__getitem__, keys)
    return bytes(found) if len(codes) <= 256 else array("I", found)


def _pack_dictionary(values: Sequence[str] | Coded[Any]) -> Coded[Any]:
    if isinstance(values, Coded):
        return values
    first, rows = values[0], len(values)
    if values[-1] == first and values.count(first) == rows:  # one pass in C, and many are so
        return Coded([first], bytes(rows))
    codes = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return Coded(list(codes), numbered(codes, values))


def _join_dictionaries(parts: Sequence[Coded[Any]]) -> bytes:
    codes: dict[Any, int] = {}
    for part in parts:
        for value in part.values:
            codes.setdefault(value, len(codes))
    width, typecode = narrowest(len(codes))
    return b"".join(
        (
            pack_numbers("<qqq", VERSION, OWN_DICTIONARY | width, len(codes)),
            encode_strings(codes),
            pack_numbers("<q", sum([len(part.codes) for part in parts])),
            *(_renumbered(part, codes, typecode) for part in parts),
        )
    )


def _renumbered(part: Coded[Any], codes: dict[Any, int], typecode: str) -> bytes:
    new = [codes[value] for value in part.values]
    if typecode == "B" and isinstance(part.codes, bytes):
        return part.codes.translate(bytes(new).ljust(256))
    return numbers(typecode, map(new.__getitem__, part.codes))


def _join_arrays(parts: Sequence[_ArrayPart]) -> bytes:
    ends = accumulate(chain.from_iterable([part.lengths for part in parts]))
    return b"".join((numbers("Q", ends), *(part.values for part in parts)))


def _join_strings(parts: Sequence[Any]) -> bytes | list[bytes]:
    if isinstance(parts[0], bytes):
        return b"".join(parts)
    return list(chain.from_iterable(parts))


def _size(part: _Part) -> int:
    if isinstance(part, bytes):
        return _OBJECT + len(part)
    if isinstance(part, Coded):
        strings = sum(map(len, part.values)) + _OBJECT * len(part.values)
        return 3 * _OBJECT + strings + sys.getsizeof(part.codes)
    if isinstance(part, _ArrayPart):
        return 3 * _OBJECT + sys.getsizeof(part.lengths) + len(part.values)
    return _OBJECT + 8 * len(part)
