"""Log lines and points of metrics on their way to the store: through the journal and in batches, like documents.

They wait as the bytes that are in the journal, and become objects when their batch is inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from collector.journal.format import DamagedRecord, Kind
from store.errors import StoreError
from store.log_lines import LogLine, LogWriter
from store.platform_metrics import MetricPoint, MetricWriter

MOST = 2_000
"""Records of one payload: as large as batches of documents cut well."""
_encode = msgspec.msgpack.Encoder().encode


class _Form(NamedTuple):
    """How records of a kind are stored."""

    decode: msgspec.msgpack.Decoder[Any]
    writer: type
    """The protocol of a store that takes them."""
    put: Callable[[Any], Callable[[Sequence[Any], str], None]]
    """The method of such a store."""


FORMS: Mapping[Kind, _Form] = {
    Kind.LOG_LINES: _Form(
        msgspec.msgpack.Decoder(list[LogLine]), LogWriter, lambda writer: writer.put_log_lines
    ),
    Kind.METRIC_POINTS: _Form(
        msgspec.msgpack.Decoder(list[MetricPoint]),
        MetricWriter,
        lambda writer: writer.put_metric_points,
    ),
}


class Records:
    """Some records of a kind, submitted together."""

    def __init__(self, kind: Kind, content: bytes, count: int) -> None:
        self.kind = kind
        self.content = content
        self.count = count

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return len(self.content)

    def decode(self) -> list[Any]:
        """The records. Raises DamagedRecord for bytes that are none."""
        try:
            records: list[Any] = FORMS[self.kind].decode.decode(self.content)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise DamagedRecord(f"not records of kind {self.kind.name}: {error}") from error
        return records


def records_of(kind: Kind, values: Iterable[Any]) -> Iterator[Records]:
    """Values in parts of a size that batches take."""
    rest = iter(values)
    while part := list(islice(rest, MOST)):
        yield Records(kind, _encode(part), len(part))


def records_in(kind: int, content: bytes) -> Records | None:
    """The records of a payload that was accepted before; None when it has documents. Raises
    DamagedRecord."""
    if kind not in FORMS:
        return None
    records = Records(Kind(kind), content, 0)
    records.count = len(records.decode())
    return records


def writing(writer: object, kind: Kind) -> Callable[[Sequence[Any], str], None]:
    """The method that stores records of a kind. Raises StoreError when the store has none."""
    form = FORMS[kind]
    if not isinstance(writer, form.writer):
        raise StoreError(f"this store takes no records of kind {kind.name}")
    return form.put(writer)
