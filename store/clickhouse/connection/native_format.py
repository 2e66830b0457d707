"""Columns in ClickHouse's native format: what an insert spends its time on, without a loop per value.

clickhouse-driver walks over every value of a LowCardinality, Array or DateTime column in Python.
Here a column is encoded by a few calls into C, four to ten times as fast; types that are not named
here go through the driver. Format: ClickHouse's documentation, "Native format"; little-endian.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain
from operator import add
from struct import pack
from typing import Any, NamedTuple

from clickhouse_driver import Client, defines
from clickhouse_driver.block import ColumnOrientedBlock
from clickhouse_driver.columns.service import write_column
from clickhouse_driver.protocol import ClientPacketTypes
from clickhouse_driver.varint import write_varint
from clickhouse_driver.writer import write_binary_str, write_binary_uint8

from store.varint import varint

Encoder = Callable[[Sequence[Any]], bytes]

VERSION = 1
"""Of the serialization of LowCardinality keys: shared dictionaries with additional keys."""
OWN_DICTIONARY = 1 << 9 | 1 << 10
"""This block brings its whole dictionary (has additional keys, needs update)."""


class Columns(list[Any]):
    """Columns of plain values, given to `NativeClient.execute` instead of a list of lists.

    Values are what their types take: str or bytes for String, int for numbers and DateTime, bytes
    of the right length for FixedString, sequences for Array. Raises what Python raises
    (OverflowError, TypeError, ValueError) for those that do not fit.
    """


class Encoded(NamedTuple):
    """Columns that are encoded already (`store.clickhouse.write.encoded_columns`), for `NativeClient.execute`.

    ``types`` have to be the table's own, as `sent_type` has them: ValueError otherwise. A list instead of bytes is a column
    of strings, written one by one.
    """

    rows: int
    types: Sequence[str]
    columns: Sequence[bytes | Sequence[bytes]]


class NativeClient(Client):  # type: ignore[misc]
    """The driver's client, with `Columns` sent as they are encoded here, and `Encoded` as it is."""

    def send_data(
        self, sample_block: Any, data: Any, types_check: bool = False, columnar: bool = False
    ) -> int:
        """Send the rows of an insert, in one block; how many they were."""
        if not isinstance(data, Columns | Encoded):
            sent: int = super().send_data(
                sample_block, data, types_check=types_check, columnar=columnar
            )
            return sent
        columns = [(name, sent_type(type)) for name, type in sample_block.columns_with_types]
        rows = _check(data, columns)
        self._send_block(columns, data, rows)
        self.receive_profile_events()
        self.connection.send_data(ColumnOrientedBlock())  # empty: the end
        self.receive_profile_events()
        return rows

    def _send_block(
        self, columns: Sequence[tuple[str, str]], data: Columns | Encoded, rows: int
    ) -> None:
        """What the driver's `Connection.send_data` and `BlockOutputStream.write` do."""
        connection = self.connection
        revision = connection.server_info.used_revision
        marked = revision >= defines.DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION
        write_varint(ClientPacketTypes.DATA, connection.fout)
        if revision >= defines.DBMS_MIN_REVISION_WITH_TEMPORARY_TABLES:
            write_binary_str("", connection.fout)
        stream = connection.block_out
        out = stream.fout
        if revision >= defines.DBMS_MIN_REVISION_WITH_BLOCK_INFO:
            ColumnOrientedBlock().info.write(out)
        write_varint(len(columns), out)
        write_varint(rows, out)
        encoded = isinstance(data, Encoded)
        for (name, type), values in zip(
            columns, data.columns if isinstance(data, Encoded) else data, strict=True
        ):
            write_binary_str(name, out)
            write_binary_str(type, out)
            if marked:
                write_binary_uint8(0, out)  # no custom serialization
            if encoded and isinstance(values, bytes):
                out.write(values)
                continue
            encode = encoder(type)
            if type == "String":
                out.write_strings(values, encoding="utf-8")  # in C already
            elif encode is not None:
                out.write(encode(values))
            else:
                write_column(connection.context, name, type, values, out)
        stream.finalize()


def sent_type(type: str) -> str:
    """The type in which a column of the table is sent. The server makes the dictionary of an array
    (as for clients that know none): finding each text's number costs Python more than sending it."""
    return "Array(String)" if type == "Array(LowCardinality(String))" else type


def _check(data: Columns | Encoded, columns: Sequence[tuple[str, str]]) -> int:
    """The number of rows. Raises ValueError when the data is not what the table takes."""
    if isinstance(data, Encoded):
        types = [type for _, type in columns]
        if list(data.types) != types:
            raise ValueError(f"expected columns of the types {types}, got {list(data.types)}")
        return data.rows
    lengths = {len(column) for column in data}
    if len(data) != len(columns) or len(lengths) != 1:
        expected = f"expected {len(columns)} columns of one length"
        raise ValueError(f"{expected}, got {len(data)}: {lengths}")
    return lengths.pop()


def encoder(type: str) -> Encoder | None:
    """What turns a column of this type into bytes; None when only the driver knows it."""
    if type.startswith("FixedString("):
        length = int(type[12:-1])
        return lambda values: encode_fixed(values, length)
    if type.startswith("DateTime("):
        type = "DateTime"
    return _ENCODERS.get(type)


def encode_fixed(values: Sequence[bytes], length: int) -> bytes:
    """FixedString. Raises ValueError for a value of another length."""
    if set(map(len, values)) - {length}:
        raise ValueError(f"a value of FixedString({length}) has another length")
    return b"".join(values)


def encode_low_cardinality(values: Sequence[str]) -> bytes:
    """LowCardinality(String): the distinct values once, then a number for each row."""
    if not values:
        return pack("<q", VERSION)
    codes = {value: code for code, value in enumerate(dict.fromkeys(values))}
    width, typecode = narrowest(len(codes))
    keys = map(codes.__getitem__, values)
    return b"".join(
        (
            pack("<qqq", VERSION, OWN_DICTIONARY | width, len(codes)),
            encode_strings(codes),
            pack("<q", len(values)),
            bytes(keys) if typecode == "B" else numbers(typecode, keys),
        )
    )


def narrowest(distinct: int) -> tuple[int, str]:
    """ClickHouse's number for the narrowest unsigned type of the keys, and Python's."""
    if distinct <= 1 << 8:
        return 0, "B"
    return (1, "H") if distinct <= 1 << 16 else (2, "I")


def encode_string_array(values: Sequence[Sequence[str]]) -> bytes:
    """Array(String): where each array ends, then all strings."""
    return _ends(values) + encode_strings(chain.from_iterable(values))


def encode_uint64_array(values: Sequence[Sequence[int]]) -> bytes:
    """Array(UInt64)."""
    return _ends(values) + numbers("Q", chain.from_iterable(values))


def _ends(values: Sequence[Sequence[Any]]) -> bytes:
    return numbers("Q", accumulate(map(len, values)))


def encode_strings(values: Iterable[Any]) -> bytes:
    """String: each its length in bytes, then itself; text or all bytes. Equal ones are encoded once."""
    values = list(values)
    distinct = dict.fromkeys(values)
    try:
        texts = list(map(str.encode, distinct))
    except TypeError:
        texts = list(distinct)
    try:
        lengths = list(map(_SHORT.__getitem__, map(len, texts)))
    except IndexError:
        lengths = [varint(len(text)) for text in texts]
    encoded = dict(zip(distinct, map(add, lengths, texts), strict=True))
    return b"".join(map(encoded.__getitem__, values))


_SHORT = [varint(length) for length in range(1024)]


def numbers(typecode: str, values: Iterable[int]) -> bytes:
    numbers = array(typecode, values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _of(typecode: str) -> Encoder:
    return lambda values: numbers(typecode, values)


_ENCODERS: dict[str, Encoder] = {
    "UInt8": bytes,
    "UInt16": _of("H"),
    "UInt32": _of("I"),
    "UInt64": _of("Q"),
    "Int64": _of("q"),
    "DateTime": _of("I"),
    "LowCardinality(String)": encode_low_cardinality,
    "Array(String)": encode_string_array,
    "Array(UInt64)": encode_uint64_array,
}
