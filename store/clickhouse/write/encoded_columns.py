"""Columns encoded a few rows at a time, while they are in the processor's cache, and joined later.

What waits for an insert is then bytes, a fifth of the objects it was and nothing for the garbage
collector to walk over. Joining costs next to nothing a row: most columns are put end to end, only
the numbers in a dictionary and the ends of arrays have to be moved.
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

_OBJECT = 64
"""Bytes a part takes in memory beside its content, roughly."""


class DictionaryColumn(Struct, gc=False):
    """LowCardinality: values, and which of them each row has. Whoever knows what repeats may give a
    column so; a value may be there more than once."""

    words: list[str]
    codes: bytes | array[int]

    def __len__(self) -> int:
        return len(self.codes)


class ArrayColumn(Struct, gc=False):
    """An array: how many values each row has, and those of all rows. Whoever has them so may
    give a column so."""

    counts: Sequence[int]
    values: Sequence[Any]

    def __len__(self) -> int:
        return len(self.counts)


class _ArrayPart(NamedTuple):
    """Array: how many values each row has, and all of them."""

    lengths: array[int]
    values: bytes


_Part = bytes | Sequence[bytes] | DictionaryColumn | _ArrayPart


class EncodedRows(Struct, gc=False):
    """A few rows of one table: a part for each column."""

    rows: int
    parts: list[_Part]

    @property
    def size(self) -> int:
        """Bytes in memory. Raw documents are not counted: they are there anyway."""
        return sum(map(_size, self.parts))


def encode(types: Sequence[str], columns: Columns) -> EncodedRows:
    """Rows, given by column. Raises as `Columns` says when a value does not fit its type."""
    rows = len(columns[0])
    if len(types) != len(columns) or {len(column) for column in columns} != {rows}:
        raise ValueError(f"expected {len(types)} columns of one length")
    return EncodedRows(
        rows, [_pack(type, values) for type, values in zip(types, columns, strict=True)]
    )


def join(types: Sequence[str], pieces: Sequence[EncodedRows]) -> Encoded:
    """The rows of all pieces, one after the other; at least one piece."""
    parts: Iterator[tuple[Any, ...]] = zip(*(piece.parts for piece in pieces), strict=True)
    return Encoded(
        sum(piece.rows for piece in pieces),
        types,
        [_joiner(type)(of_column) for type, of_column in zip(types, parts, strict=True)],
    )


def _pack(type: str, values: Sequence[Any]) -> _Part:
    if type == "LowCardinality(String)":
        return _pack_words(values)
    if type.startswith("Array("):
        counts, flat = _listed(values)
        encoded = encode_strings(flat) if type == "Array(String)" else numbers("Q", flat)
        return _ArrayPart(array("I", counts), encoded)
    if type == "String":
        return values if isinstance(values[0], bytes) else encode_strings(values)
    encode = encoder(type)
    if encode is None:
        raise TypeError(f"a column of type {type} cannot be packed")
    return encode(values)


def _listed(values: Sequence[Any]) -> tuple[Iterable[int], Iterable[Any]]:
    if isinstance(values, ArrayColumn):
        return values.counts, values.values
    return map(len, values), chain.from_iterable(values)


def _joiner(type: str) -> Callable[[Sequence[Any]], bytes | list[bytes]]:
    if type == "LowCardinality(String)":
        return _join_words
    if type.startswith("Array("):
        return _join_lists
    return _join_strings if type == "String" else b"".join


def numbered(codes: dict[Any, int], keys: Sequence[Any]) -> bytes | array[int]:
    """The number of each key."""
    found = map(codes.__getitem__, keys)
    return bytes(found) if len(codes) <= 256 else array("I", found)


def _pack_words(values: Sequence[str] | DictionaryColumn) -> DictionaryColumn:
    if isinstance(values, DictionaryColumn):
        return values
    first, rows = values[0], len(values)
    if values[-1] == first and values.count(first) == rows:  # one pass in C, and many are so
        return DictionaryColumn([first], bytes(rows))
    codes = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return DictionaryColumn(list(codes), numbered(codes, values))


def _join_words(parts: Sequence[DictionaryColumn]) -> bytes:
    codes: dict[str, int] = {}
    for part in parts:
        for word in part.words:
            codes.setdefault(word, len(codes))
    width, typecode = narrowest(len(codes))
    return b"".join(
        (
            pack_numbers("<qqq", VERSION, OWN_DICTIONARY | width, len(codes)),
            encode_strings(codes),
            pack_numbers("<q", sum([len(part.codes) for part in parts])),
            *(_renumbered(part, codes, typecode) for part in parts),
        )
    )


def _renumbered(part: DictionaryColumn, codes: dict[str, int], typecode: str) -> bytes:
    new = [codes[word] for word in part.words]
    if typecode == "B" and isinstance(part.codes, bytes):
        return part.codes.translate(bytes(new).ljust(256))
    return numbers(typecode, map(new.__getitem__, part.codes))


def _join_lists(parts: Sequence[_ArrayPart]) -> bytes:
    ends = accumulate(chain.from_iterable([part.lengths for part in parts]))
    return b"".join((numbers("Q", ends), *(part.values for part in parts)))


def _join_strings(parts: Sequence[Any]) -> bytes | list[bytes]:
    if isinstance(parts[0], bytes):
        return b"".join(parts)
    return list(chain.from_iterable(parts))


def _size(part: _Part) -> int:
    if isinstance(part, bytes):
        return _OBJECT + len(part)
    if isinstance(part, DictionaryColumn):
        words = sum(map(sys.getsizeof, part.words))
        return 3 * _OBJECT + words + 8 * len(part.words) + sys.getsizeof(part.codes)
    if isinstance(part, _ArrayPart):
        return 3 * _OBJECT + sys.getsizeof(part.lengths) + len(part.values)
    return _OBJECT + 8 * len(part)
