"""Prometheus metrics of alarms, in the process-wide registry (docs/operating.md)."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter


@cache
def evaluations() -> Counter:
    """Evaluations of one alarm each."""
    return Counter("raymap_alarm_evaluations_total", "Evaluations of one alarm", ["outcome"])


@cache
def transitions() -> Counter:
    """Changes of state that were stored."""
    return Counter("raymap_alarm_transitions_total", "Changes of an alarm's state", ["state"])


@cache
def deliveries() -> Counter:
    """Attempts to deliver an event, and those given up."""
    return Counter("raymap_alarm_deliveries_total", "Deliveries to webhooks", ["outcome"])
