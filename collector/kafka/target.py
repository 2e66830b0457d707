"""Whose the records of a consumer are, and whether they are taken now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from collector.kafka.settings import KafkaSettings
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline


class Target(Protocol):
    """The pipeline of a tenant."""

    def pipeline(self) -> IngestPipeline:
        """Where its documents go. Raises NoTarget."""
        ...

    def wait(self) -> float:
        """Seconds until more is taken: a limit has been exceeded; 0 if none has. Raises NoTarget."""
        ...

    def charge(self, decoded: Decoded) -> None:
        """Count what was taken."""
        ...


class NoTarget(Exception):
    """There is no such tenant."""


class Only:
    """The pipeline of a process, without limits."""

    def __init__(self, pipeline: IngestPipeline) -> None:
        self._pipeline = pipeline

    def pipeline(self) -> IngestPipeline:
        return self._pipeline

    def wait(self) -> float:
        return 0.0

    def charge(self, decoded: Decoded) -> None:
        pass


class KafkaInput:
    """Topics, and where their documents go."""

    def __init__(
        self, settings: KafkaSettings, target: Callable[[IngestPipeline], Target] = Only
    ) -> None:
        """``target`` is given the process's pipeline."""
        self.settings, self.target = settings, target
