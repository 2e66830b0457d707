"""Which topics are read, how they are encoded, and what the client library is configured with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from collector.journal.format import Kind

ENCODINGS: Mapping[str, Kind] = {
    "otlp_proto": Kind.OTLP,
    "otlp_json": Kind.OTLP_JSON,
    "xray": Kind.DOCUMENTS,
}
"""By the names of the OpenTelemetry Collector, and X-Ray's segment documents."""
GROUP = "raymap"
DEFAULTS: Mapping[str, str] = {
    "group.id": GROUP,
    "client.id": GROUP,
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "cooperative-sticky",
    "queued.max.messages.kbytes": "16384",
}
"""What a file may change."""
FIXED: Mapping[str, str] = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "enable.partition.eof": "true",
}
"""What nothing is lost and nothing stored twice by."""
_TOPIC = re.compile(r"([A-Za-z0-9._-]{1,249})(?:=([a-z_]+))?(?:@([A-Za-z0-9._-]+))?")


class Topic(NamedTuple):
    """A topic that is read."""

    name: str
    kind: Kind
    tenant: str = ""
    """The default one if empty."""


class KafkaSettings(Struct, frozen=True):
    """What one consumer is configured with."""

    brokers: str
    topics: tuple[Topic, ...]
    properties: Mapping[str, str] = {}
    """Of the client library, from a file."""

    @property
    def tenant(self) -> str:
        """Whose the topics are: all of one consumer are one tenant's."""
        return self.topics[0].tenant

    @property
    def config(self) -> dict[str, str]:
        """For the client library. Each tenant has a group of its own."""
        config = {**DEFAULTS, **self.properties, **FIXED, "bootstrap.servers": self.brokers}
        if self.tenant:
            config["group.id"] += f"-{self.tenant}"
        return config


def parse_topics(text: str) -> list[Topic]:
    """Topics, comma-separated, as ``NAME[=ENCODING][@TENANT]``. Raises ValueError."""
    topics: dict[str, Topic] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        match = _TOPIC.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r}: expected TOPIC, TOPIC=ENCODING or TOPIC=ENCODING@TENANT")
        name, encoding, tenant = match[1], match[2] or "otlp_proto", match[3] or ""
        if encoding not in ENCODINGS:
            known = ", ".join(ENCODINGS)
            raise ValueError(f"{part!r}: encoding {encoding!r}; expected one of {known}")
        if name in topics:
            raise ValueError(f"{part!r}: the topic is named twice")
        topics[name] = Topic(name, ENCODINGS[encoding], tenant)
    if not topics:
        raise ValueError("expected at least one topic")
    return list(topics.values())


def read_properties(path: Path) -> dict[str, str]:
    """The properties of a file: lines ``name=value``, ``#`` for comments. Raises ValueError and OSError."""
    properties: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise ValueError(f"line {number}: expected NAME=VALUE")
        if name in FIXED:
            raise ValueError(f"line {number}: {name} cannot be changed: records would be lost")
        if name == "bootstrap.servers":
            raise ValueError(f"line {number}: {name} is given by --kafka")
        properties[name] = value
    return properties
