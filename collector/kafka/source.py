"""A consumer of Kafka: records → batches → the store → offsets.

One thread, one batch at a time, each under a mark that is committed before (`marks`). Nothing else is remembered:
after any error the consumer is closed and another one begins at what is committed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from collector.kafka.client import check, make_consumer
from collector.kafka.marks import Mark, parse_mark
from collector.kafka.metrics import KafkaMetrics, shared_metrics
from collector.kafka.partition import Partition, Record
from collector.kafka.settings import KafkaSettings
from collector.kafka.target import Target
from collector.log_limiter import LogLimiter
from collector.pipeline import IngestPipeline
from collector.replay import Outcome
from collector.source import Source

log = structlog.get_logger(__name__)

POLL = 0.1
"""Seconds that one look for records takes at most."""
MOST = 500
"""Records between two looks at what is due."""
FETCH_TIMEOUT = 30.0
"""Seconds in which the coordinator says what is committed."""
COMMIT_TIMEOUT = 15.0
COMMIT_POLL = 0.002
MEASURE_INTERVAL = 5.0
REBALANCING = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)
"""Errors of a commit while the group changes: the next look at Kafka tells which partitions remain."""
RESTART_PAUSE = 1.0
"""Seconds until a consumer that failed is replaced."""


class KafkaSource:
    """The topics of one tenant, between `start` and `stop`."""

    def __init__(
        self, settings: KafkaSettings, target: Target, metrics: KafkaMetrics | None = None
    ) -> None:
        self._settings, self._target = settings, target
        self._metrics = metrics or shared_metrics()
        self._topics = {topic.name: topic for topic in settings.topics}
        self._partitions: dict[tuple[str, int], Partition] = {}
        self._pipeline: IngestPipeline | None = None
        self._source: Source | None = None
        self._paused = False
        self._answer: tuple[KafkaError | None, list[TopicPartition]] | None = None
        """To the commit that was sent last."""
        self._failed: Exception | None = None
        """What went wrong in a callback of the client library."""
        self._measured = 0.0
        self._limiter = LogLimiter(log, 10.0)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka", daemon=True)

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End; what is not stored is read again by another consumer."""
        self._stopped.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._consume()
            except (
                Exception
            ) as error:  # nothing is lost: another consumer begins at what is committed
                self._metrics.failures.inc()
                self._limiter.warning("kafka_failed", error=f"{type(error).__name__}: {error}")
                self._report(f"topics of Kafka are not read: {error}")
                self._stopped.wait(RESTART_PAUSE)

    def _consume(self) -> None:
        """Consume until `stop` or an error."""
        pipeline = self._target.pipeline()
        if pipeline is not self._pipeline:
            self._pipeline, self._source = pipeline, pipeline.source()
        consumer = make_consumer(self._settings.config, self._on_error, self._on_commit)
        self._paused, self._failed = False, None
        consumer.subscribe(
            [*self._topics],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )
        try:
            while not self._stopped.is_set():
                self._step(consumer)
        finally:
            self._forget([*self._partitions])
            with suppress(KafkaException):
                consumer.close()

    def _step(self, consumer: Consumer) -> None:
        """Insert what is due, or else read more."""
        self._measure(consumer)
        due = self._due()
        if due is not None:
            self._try(consumer, due)
        elif (seconds := self._target.wait()) > 0:
            self._hold(consumer, min(seconds, 1.0))
        else:
            self._read(consumer)

    def _try(self, consumer: Consumer, due: Partition) -> None:
        """Store a batch, or wait a little: the consumer that has its partition then tries again."""
        assert self._source is not None
        pause = self._source.limits.retry_pause
        try:
            if self._store(consumer, due):
                return
        except KafkaException as error:
            if error.args[0].code() not in REBALANCING:
                raise
            pause = POLL
        self._hold(consumer, pause)

    def _due(self) -> Partition | None:
        """The partition whose batch is due, the first first; beyond what memory takes the largest."""
        partitions = self._partitions.values()
        if not partitions:
            return None
        assert self._source is not None
        limits, number = self._source.limits, len(partitions)
        at, first = min(
            ((each.due_at(number), each) for each in partitions), key=lambda pair: pair[0]
        )
        if at <= time.monotonic():
            return first
        if (
            sum([each.documents for each in partitions]) >= limits.ready_documents
            or sum([each.size for each in partitions]) >= limits.ready_bytes
        ):
            whole = [each for each in partitions if not each.continues]
            return max(whole, key=lambda each: each.size, default=None)
        return None

    def _store(self, consumer: Consumer, partition: Partition) -> bool:
        """Insert a batch and commit its end; False when the store does not take it now."""
        source = self._source
        assert source is not None
        if not partition.marked:
            partition.close()
            self._commit(consumer, partition, partition.start, partition.mark)
            if partition not in self._partitions.values():
                return True  # it is another consumer's
            partition.marked = True
        elif not source.answers():
            return False
        if partition.documents:
            outcome = source.insert(partition.submissions, partition.token)
            if outcome is not Outcome.STORED:
                reason = source.refusal if outcome is Outcome.REFUSED else "it is unavailable"
                self._report(f"records of Kafka wait there for ClickHouse: {reason}")
                return False
        for each in partition.unreadable:
            source.set_aside(each.reason, each.payload)
        self._commit(consumer, partition, partition.batch_end, partition.next_mark)
        self._count(partition)
        partition.stored()
        self._report("")
        return True

    def _commit(self, consumer: Consumer, partition: Partition, offset: int, mark: Mark) -> None:
        """Commit an offset. Raises KafkaException, also when the partition is another consumer's by now.

        Not by a synchronous call, which waits for ever when a broker dies and the group changes: this needs polls.
        """
        name, number = partition.topic.name, partition.number
        offsets = [TopicPartition(name, number, offset, metadata=mark.encode())]
        self._answer = None
        consumer.commit(offsets=offsets, asynchronous=True)
        deadline, read = time.monotonic() + COMMIT_TIMEOUT, 0
        while self._answer is None:
            if time.monotonic() > deadline:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "offsets are not committed"))
            message = self._poll(consumer, COMMIT_POLL)
            if message is not None:
                self._take(message)
                read += 1
            if read == MOST:
                self._pause(consumer)
        error, answered = self._answer
        if error is not None:
            raise KafkaException(error)
        check(answered)

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        self._answer = error, partitions

    def _pause(self, consumer: Consumer) -> None:
        consumer.pause(consumer.assignment())
        self._paused = True

    def _read(self, consumer: Consumer) -> None:
        """Read records, and decode them."""
        if self._paused:
            consumer.resume(consumer.assignment())
            self._paused = False
        message, left = self._poll(consumer, POLL), MOST
        while message is not None and left:
            self._take(message)
            message, left = self._poll(consumer, 0.0), left - 1
        if message is not None:
            self._take(message)
        for each in [*self._partitions.values()]:  # one that notes what it decodes may be lost
            each.gather()

    def _hold(self, consumer: Consumer, seconds: float) -> None:
        """Read nothing for so long and stay a member of the group."""
        self._pause(consumer)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self._stopped.is_set():
            message = self._poll(consumer, min(left, POLL))
            if message is not None:
                self._take(message)

    def _poll(self, consumer: Consumer, seconds: float) -> Message | None:
        """One message at a time: with several, callbacks could come between them and their partition."""
        message = consumer.poll(seconds)
        if self._failed is not None:
            raise self._failed
        return message

    def _take(self, message: Message) -> None:
        partition = self._partitions.get((str(message.topic()), message.partition() or 0))
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                if partition is not None:
                    partition.reached(message.offset() or 0)
                return
            self._on_error(error)
            return
        if partition is not None:
            partition.add(Record(message.offset() or 0, message.value() or b""))

    def _on_assign(self, consumer: Consumer, assigned: Sequence[TopicPartition]) -> None:
        """Learn how far the partitions are stored, and what was begun. Those that were paused when they were lost
        are paused still."""
        self._paused = True
        try:
            for each in check(consumer.committed([*assigned], timeout=FETCH_TIMEOUT)):
                self._add(consumer, each)
        except Exception as error:
            self._failed = error

    def _add(self, consumer: Consumer, committed: TopicPartition) -> None:
        assert self._pipeline is not None
        assert self._source is not None
        offset = max(committed.offset, -1)
        self._partitions[committed.topic, committed.partition] = Partition(
            self._topics[committed.topic],
            committed.partition,
            self._pipeline,
            self._source,
            offset,
            parse_mark(committed.metadata) if offset >= 0 else None,
            self._target.charge,
            partial(self._note, consumer),
        )

    def _note(self, consumer: Consumer, partition: Partition) -> bool:
        """Commit what a partition notes before it decodes; False when it is another consumer's by now."""
        try:
            self._commit(consumer, partition, partition.start, partition.mark)
        except KafkaException as error:
            if error.args[0].code() not in REBALANCING:
                raise
            return False
        return partition in self._partitions.values()

    def _on_revoke(self, _: Consumer, revoked: Sequence[TopicPartition]) -> None:
        """Drop what was read of partitions that are others' from here on."""
        self._forget([(each.topic, each.partition) for each in revoked])

    def _forget(self, keys: Sequence[tuple[str, int]]) -> None:
        for topic, number in keys:
            if self._partitions.pop((topic, number), None):
                self._metrics.lag.labels(topic, number).set(0)

    def _count(self, partition: Partition) -> None:
        name, aside = partition.topic.name, len(partition.unreadable)
        self._metrics.batches.labels(name).inc()
        self._metrics.records.labels(name, "stored").inc(partition.records - aside)
        if aside:
            self._metrics.records.labels(name, "set_aside").inc(aside)

    def _measure(self, consumer: Consumer) -> None:
        """Set the gauges, now and then. A partition that is not read does not learn of new records by itself."""
        now = time.monotonic()
        if now - self._measured < MEASURE_INTERVAL:
            return
        self._measured = now
        for (name, number), each in self._partitions.items():
            place = TopicPartition(name, number)
            with suppress(KafkaException):
                marks = consumer.get_watermark_offsets(place, timeout=1.0, cached=not self._paused)
                low, high = marks or (-1, -1)
                if high >= 0:
                    stored = each.position if each.position >= 0 else low
                    self._metrics.lag.labels(name, number).set(max(0, high - max(stored, low)))

    def _on_error(self, error: KafkaError) -> None:
        """Report what the client library says of brokers and topics; it tries again by itself."""
        self._limiter.warning("kafka_error", error=str(error))
        self._report(f"Kafka: {error.str()}")

    def _report(self, problem: str) -> None:
        if self._source is not None:
            self._source.problem = problem
