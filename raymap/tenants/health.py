"""What is wrong with tenants' journals, as numbers of tenants: /readyz is public, so it names none. Metrics
with the label ``tenant`` and `raymap doctor` do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from collector.health import IngestHealth

BEHIND = 60.0
"""Seconds after which a document should be stored, as in the alerts (deploy/prometheus)."""


class _Kind(NamedTuple):
    is_so: Callable[[IngestHealth], object]
    sentence: str


_KINDS = (
    _Kind(
        lambda health: not health.accepting,
        "journals of {} are full or cannot be written, their documents are deferred: "
        "raymap_tenant_ingest_blocked says whose",
    ),
    _Kind(
        lambda health: health.schema_problem,
        "databases of {} have another schema, their documents wait: run  raymap migrate",
    ),
    _Kind(
        lambda health: health.refusal,
        "batches of {} are refused by the store and tried again: "
        "raymap_tenant_oldest_unsent_seconds says whose",
    ),
    _Kind(
        lambda health: health.oldest > BEHIND,
        "documents of {} have waited for more than a minute to be stored: "
        "raymap_tenant_oldest_unsent_seconds says whose",
    ),
    _Kind(
        lambda health: health.unreadable,
        "journals of {} cannot be read, their documents wait: journal_unreadable in the log says whose",
    ),
    _Kind(
        lambda health: health.quarantined or health.damaged_files,
        "documents of {} are in quarantine or in damaged journal files: raymap doctor  says whose",
    ),
)


def problems_of(tenants: Iterable[IngestHealth]) -> list[str]:
    """Sentences for people; empty when all is well."""
    states = list(tenants)
    counts = [sum(1 for state in states if kind.is_so(state)) for kind in _KINDS]
    return [
        kind.sentence.format(f"{count:,} tenant{'s' if count > 1 else ''}")
        for kind, count in zip(_KINDS, counts, strict=True)
        if count
    ]
