"""The settings of Kafka: flags and environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from raymap.options import option


def parse_topics(text: str) -> str:
    """Topics, comma-separated."""
    from collector.kafka import settings  # not needed to show --help

    try:
        settings.parse_topics(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text


@dataclass(frozen=True, kw_only=True)
class KafkaFlags:
    """Of a collector that reads topics (docs/kafka.md)."""

    kafka: Annotated[
        str,
        option(
            "--kafka",
            metavar="BROKER[,BROKER]",
            show_default="none",
            help="Brokers, as HOST:PORT, whose topics are read.",
        ),
    ] = ""
    topic: Annotated[
        str,
        option(
            "--topic",
            metavar="NAME[=ENCODING][@TENANT][,…]",
            parser=parse_topics,
            help="Topics to read: otlp_proto, otlp_json or xray.",
        ),
    ] = "otlp_spans"
    kafka_config: Annotated[
        Path | None,
        option(
            "--kafka-config",
            metavar="FILE",
            dir_okay=False,
            help="Properties of librdkafka, such as SASL's and TLS's, as NAME=VALUE.",
        ),
    ] = None
