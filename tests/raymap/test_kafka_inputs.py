"""What --kafka says before anything is read."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from raymap.errors import CommandError
from raymap.kafka_inputs import kafka_settings
from raymap.settings import CollectSettings


def settings(**changes: Any) -> CollectSettings:
    return CollectSettings(kafka="127.0.0.1:9", **changes)


def test_nothing_without_brokers() -> None:
    assert kafka_settings(CollectSettings(topic="spans")) == []


def test_a_consumer_for_each_tenant(tmp_path: Path) -> None:
    """Each in a group of its own."""
    path = tmp_path / "properties"
    path.write_text("group.id=traces\n")
    topics = "a@acme,b,c=xray@acme"
    default, acme = kafka_settings(settings(topic=topics, auth="on", kafka_config=path))
    assert [topic.name for topic in default.topics] == ["b"]
    assert [topic.name for topic in acme.topics] == ["a", "c"]
    assert (default.config["group.id"], acme.config["group.id"]) == ("traces", "traces-acme")
    assert default.config["enable.auto.commit"] == "false"


def test_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "properties"
    with pytest.raises(CommandError, match="properties: No such file"):
        kafka_settings(settings(kafka_config=path))
    path.write_text("sasl.mechanics=PLAIN\n")
    with pytest.raises(CommandError, match=r'No such configuration property: "sasl.mechanics"'):
        kafka_settings(settings(kafka_config=path))
    with pytest.raises(CommandError, match="--topic with a tenant needs --auth on"):
        kafka_settings(settings(topic="a@acme"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    expected = r'--kafka needs the package confluent_kafka: run  pip install "raymap\[kafka\]"'
    with pytest.raises(CommandError, match=expected):
        kafka_settings(settings())
