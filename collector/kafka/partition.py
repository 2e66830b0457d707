"""What has been read of one partition and is not stored: records that wait, and the batch that is formed of them.

A batch is of one partition, and its token names its offsets; it knows no Kafka.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from math import inf
from typing import NamedTuple

from collector.budget import MAX_BODY
from collector.decode.rejected import Reason, Rejected
from collector.journal.format import Kind
from collector.kafka.marks import Attempt, Mark
from collector.kafka.settings import Topic
from collector.payloads import Decoded, Payload
from collector.pipeline import IngestPipeline
from collector.source import Source
from collector.submission import MAX_COLUMNAR, Submission

RECEIVER = "kafka"
"""The label ``receiver`` of metrics."""
CAREFUL_RECORDS = 100
"""Of a batch in which each record is noted before it is decoded: notes take milliseconds."""
LONGEST_LINGER = 10.0
"""Seconds between two inserts of few documents of a partition, at most: each partition has its own."""


class Record(NamedTuple):
    """A record of a topic."""

    offset: int
    value: bytes


class Unreadable(NamedTuple):
    """A record of which no document could be made."""

    reason: str
    payload: Payload


class OffsetsReset(Exception):
    """A partition begins anew: Kafka has lost records, or the topic was made again."""


class Partition:
    """One partition that is assigned to this process."""

    def __init__(
        self,
        topic: Topic,
        number: int,
        pipeline: IngestPipeline,
        source: Source,
        committed: int = -1,
        mark: Mark | None = None,
        charge: Callable[[Decoded], None] = lambda decoded: None,
        note: Callable[[Partition], bool] = lambda partition: True,
    ) -> None:
        """``committed``: the offset below which everything is stored, negative if there is none. ``note``: commits `start`
        with `mark`; False when the partition is another consumer's."""
        self.topic, self.number = topic, number
        self._pipeline, self._source, self._charge = pipeline, source, charge
        self._note, self._noted = note, False
        self._attempt = (mark.attempt if mark else Attempt()).by_another()
        self._limits = source.limits
        self._waiting: deque[Record] = deque()
        self._least = mark.version if mark else 0
        self._begun = mark.end if mark else 0
        """The end of a batch that was begun, here or elsewhere, and has to be formed again."""
        self._read = -1
        """The offset behind the last record that was read."""
        self._inserted = -inf
        self.position = committed
        """The first offset that is not stored, if it is known."""
        self._clear()
        if self._begun:
            self.start, self.version = committed, self._least

    def _clear(self) -> None:
        self.start = self.version = -1
        self._end = -1
        self.submissions: list[Submission] = []
        self.unreadable: list[Unreadable] = []
        self.documents = self.size = self.records = 0
        self._arrived = inf
        self.closed = False
        """Whether the batch may not change any more: it is being committed as begun."""
        self.marked = False
        """Whether that is done."""

    @property
    def token(self) -> str:
        """Of the batch. The version tells it from that of a topic that was deleted and made again."""
        name = f"{self.topic.name}-{self.number}"
        return f"kafka-{name}-{self.start}-{self.batch_end}-{self.version}"

    @property
    def mark(self) -> Mark:
        """To be committed with `start` before the batch is inserted, and as a note before it is decoded."""
        if self.closed or self._begun:
            return Mark(self.version, self.batch_end, self._attempt)
        return Mark(self._least, 0, self._attempt)

    def close(self) -> None:
        """Let the batch not change any more: it is decoded."""
        self.closed = True
        self._attempt = self._attempt._replace(record=-1)

    @property
    def next_mark(self) -> Mark:
        """To be committed with the batch's end once it is stored."""
        return Mark(self.version + self.batch_end - self.start)

    @property
    def continues(self) -> bool:
        """Whether the batch is one that was begun elsewhere, of which records are missing."""
        return bool(self._begun) and not self.closed

    @property
    def batch_end(self) -> int:
        """The offset behind the batch."""
        return self._begun or self._end

    def add(self, record: Record) -> None:
        """A record that was read. Raises OffsetsReset for one before the last."""
        if record.offset < self._read:
            raise OffsetsReset(
                f"{self.topic.name}/{self.number}: {record.offset} after {self._read - 1}"
            )
        if self._read < 0 and record.offset < self.position:
            self._begun, self._attempt = 0, Attempt()  # these are other records than those
            self._clear()
        self._waiting.append(record)
        self._read = record.offset + 1

    def reached(self, offset: int) -> None:
        """The partition has no record below this offset that was not read."""
        self._read = max(self._read, offset)

    def due_at(self, partitions: int) -> float:
        """When the batch is to be inserted; ``partitions`` share this process."""
        limits = self._limits
        if self.closed or self._begun:
            return -inf if self.closed or self._has_begun_batch() else inf
        if self.start < 0:
            return inf
        if self._is_full() or self._attempt.careful:
            return -inf
        if self.documents >= limits.bulk_documents:
            return self._arrived + max(limits.bulk_linger, limits.gather)
        linger = max(limits.linger, min(LONGEST_LINGER, limits.linger * partitions))
        return max(self._arrived + limits.gather, self._inserted + linger)

    def _has_begun_batch(self) -> bool:
        """Whether all records of the batch that was begun are decoded: commits read some, too, which only wait."""
        waits = bool(self._waiting) and self._waiting[0].offset < self._begun
        return self._read >= self._begun and not waits

    def _is_full(self) -> bool:
        limits = self._limits
        if self._attempt.careful and self.records >= CAREFUL_RECORDS:
            return True
        return self.documents >= limits.batch_documents or self.size >= limits.batch_bytes

    def gather(self) -> None:
        """Decode what waits, as much as the batch takes."""
        while self._waiting and not self.closed:
            first = self._waiting[0].offset
            if self._begun and first >= self._begun:
                return
            if not self._begun and self._is_full():
                return
            if self.start < 0:
                self.start = first
                self.version = self._pipeline.reserve_version(self._least)
            if not self._may_decode(first):
                return
            self._arrived = min(self._arrived, time.monotonic())
            if first in self._attempt.left_out:
                self._leave_out(self._waiting.popleft())
            else:
                self._decode([*self._next()])

    def _may_decode(self, offset: int) -> bool:
        """Note that this consumer begins to decode, and from CAREFUL on what; False when the partition is another's."""
        if self._attempt.careful and offset not in self._attempt.left_out:
            self._attempt = self._attempt._replace(record=offset)
        elif self._noted:
            return True
        self._noted = self._note(self)
        return self._noted

    def _leave_out(self, record: Record) -> None:
        self._end = record.offset + 1
        self.records += 1
        payload = self._payload([record.value], self.version + record.offset - self.start)
        self._set_aside(record.offset, "processes ended while they decoded it", payload)

    def _next(self) -> Iterator[Record]:
        """The records that are decoded together: of X-Ray's documents those with consecutive offsets."""
        first = self._waiting[0].offset
        together = self.topic.kind == Kind.DOCUMENTS and not self._attempt.careful
        most = MAX_COLUMNAR if together else 1
        for offset in count(first):
            if not self._waiting or self._waiting[0].offset != offset or offset >= first + most:
                return
            if self._begun and offset >= self._begun:
                return
            yield self._waiting.popleft()

    def _decode(self, records: list[Record]) -> None:
        """Decode records, and one by one where that fails."""
        self._end = records[-1].offset + 1
        self.records += len(records)
        version = self.version + records[0].offset - self.start
        values = [record.value for record in records]
        try:
            decoded = self._decoded(values, version)
        except Exception as error:
            if len(records) > 1:
                self.records -= len(records)
                for record in records:
                    self._decode([record])
                return
            if isinstance(error, Rejected) and len(values[0]) > MAX_BODY:
                self._pipeline.reject_received(RECEIVER, [error])
            reason = (
                str(error) if isinstance(error, Rejected) else f"cannot be decoded: {error!r:.200}"
            )
            self._set_aside(records[0].offset, reason, self._payload(values, version))
            return
        self._charge(decoded)
        if decoded.documents:
            submission = self._source.submission(decoded.documents)
            self.submissions.append(submission)
            self.documents += submission.count
            self.size += submission.size
        if self.topic.kind == Kind.DOCUMENTS:
            content = decoded.payload.content
            for index, rejected in dict(decoded.rejected).items():
                payload = self._payload([content[index]], version + index)  # type: ignore[list-item]
                self._set_aside(records[index].offset, str(rejected), payload)
        elif decoded.rejected and not decoded.documents:
            self._set_aside(records[0].offset, str(decoded.rejected[0][1]), decoded.payload)

    def _decoded(self, values: list[bytes], version: int) -> Decoded:
        if (size := max(map(len, values))) > MAX_BODY:
            message = f"record: {size:,} bytes; expected at most {MAX_BODY:,}"
            raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)
        if self.topic.kind == Kind.DOCUMENTS:
            return self._pipeline.decode(values, RECEIVER, version=version)
        return self._pipeline.decode_request(self.topic.kind, values[0], RECEIVER, version=version)

    def _payload(self, values: list[bytes], version: int) -> Payload:
        kind = self.topic.kind
        return Payload(kind, version, values if kind == Kind.DOCUMENTS else values[0])

    def _set_aside(self, offset: int, reason: str, payload: Payload) -> None:
        """Note a record; without its content where that may have what redaction removes."""
        reason = f"{self.topic.name}/{self.number} at {offset}: {reason}"
        if self._pipeline.may_redact(payload.encoded):
            reason += "; its content is in Kafka only, as rules of redaction may match it"
            payload = payload._replace(content=b"" if isinstance(payload.content, bytes) else ())
        self.unreadable.append(Unreadable(reason, payload))

    def stored(self) -> None:
        """The batch is stored and its end committed: go on with what waits."""
        self.position, self._least = self.batch_end, self.next_mark.version
        self._begun, self._attempt = 0, Attempt()
        self._inserted = time.monotonic()
        self._clear()
        self.gather()
