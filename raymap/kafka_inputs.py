"""What a collector reads of Kafka, as its settings say: topics by tenant."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from collector.kafka.settings import KafkaSettings, Topic, parse_topics, read_properties
from raymap.errors import CommandError, require_package

if TYPE_CHECKING:
    from pathlib import Path

    from collector.kafka.target import KafkaInput
    from raymap.auth.install import Authentication
    from raymap.settings import IngestSettings
    from raymap.tenants.pipelines import TenantPipeline
    from raymap.tenants.running import Running


def kafka_settings(settings: IngestSettings) -> list[KafkaSettings]:
    """Of each consumer; none without --kafka. Raises CommandError for what the client library refuses."""
    if not settings.kafka:
        return []
    require_package("confluent_kafka", "--kafka", "kafka")
    from collector.kafka.client import check_config

    properties = _properties(settings.kafka_config) if settings.kafka_config else {}
    topics = sorted(parse_topics(settings.topic), key=_tenant)
    if settings.auth == "off" and any(topic.tenant for topic in topics):
        raise CommandError("--topic with a tenant needs --auth on: without it there is one tenant.")
    found = [
        KafkaSettings(settings.kafka, tuple(some), properties)
        for _, some in groupby(topics, key=_tenant)
    ]
    for each in found:
        try:
            check_config(each.config)
        except ValueError as error:
            raise CommandError(f"{settings.kafka_config or '--kafka'}: {error}.") from None
    return found


def kafka_inputs(
    settings: IngestSettings, auth: Authentication, running: Running[TenantPipeline]
) -> list[KafkaInput]:
    """For `CollectorSettings.kafka`."""
    from collector.kafka.target import KafkaInput
    from raymap.tenants.topics import TenantTarget

    return [
        KafkaInput(each, partial(TenantTarget, each.tenant, auth, running))
        if each.tenant
        else KafkaInput(each)
        for each in kafka_settings(settings)
    ]


def _tenant(topic: Topic) -> str:
    return topic.tenant


def _properties(path: Path) -> dict[str, str]:
    try:
        return read_properties(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"--kafka-config {path}: {reason}.") from None
