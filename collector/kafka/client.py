"""The client library, confluent-kafka, an optional one: imported when there are topics to be read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

ERRORS = 3
"""Its log level, as of syslog: brokers that do not answer are reported by a callback."""


def make_consumer(
    config: Mapping[str, str],
    on_error: Callable[[KafkaError], None] = lambda error: None,
    on_commit: Callable[[KafkaError | None, list[TopicPartition]], None] = lambda error, offsets: (
        None
    ),
) -> Consumer:
    """A consumer that is not subscribed yet. Raises KafkaException for a property that it does not know."""
    logger = logging.getLogger("kafka")
    return Consumer(
        {"log_level": ERRORS - 1, **config, "error_cb": on_error, "on_commit": on_commit},
        logger=logger,
    )


def check_config(config: Mapping[str, str]) -> None:
    """Raise ValueError for what a consumer cannot be made of."""
    try:
        make_consumer(config).close()
    except KafkaException as error:
        raise ValueError(error.args[0].str()) from None


def check(partitions: Sequence[TopicPartition] | None) -> Sequence[TopicPartition]:
    """The partitions of an answer. Raises KafkaException when it has an error of one."""
    for each in partitions or ():
        if each.error is not None:
            raise KafkaException(each.error)
    return partitions or ()
