"""Repeated log lines: the first at once, then one per interval with the number suppressed."""

from __future__ import annotations

import structlog

from collector.log_limiter import LogLimiter

log = structlog.get_logger(__name__)


def test_repetitions_are_suppressed_and_counted() -> None:
    now = [100.0]
    limiter = LogLimiter(log, 10.0, clock=lambda: now[0])
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            limiter.error("broken", detail="x")
        now[0] += 10.0
        limiter.error("broken", detail="y")
        now[0] += 10.0
        limiter.error("broken", detail="z")
    assert lines == [
        {"event": "broken", "detail": "x", "log_level": "error"},
        {"event": "broken", "detail": "y", "log_level": "error", "suppressed": 2},
        {"event": "broken", "detail": "z", "log_level": "error"},
    ]


def test_keys_are_limited_separately() -> None:
    limiter = LogLimiter(log, 10.0, clock=lambda: 0.0)
    with structlog.testing.capture_logs() as lines:
        for reason in ("a", "b", "a"):
            limiter.warning("rejected", key=reason, reason=reason)
        limiter.info("other")
    assert [line.get("reason") for line in lines] == ["a", "b", None]
