"""Waiting leaves the machine to what is waited for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests import waiting


def test_a_dear_condition_takes_a_third_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it is true after two seconds, and takes a tenth each time."""
    now, calls = 0.0, 0

    def pass_by(seconds: float) -> None:
        nonlocal now
        now += seconds

    def condition() -> bool:
        nonlocal calls
        calls += 1
        pass_by(0.1)
        return now > 2

    clock = SimpleNamespace(monotonic=lambda: now, sleep=pass_by)
    monkeypatch.setattr(waiting, "time", clock)
    assert waiting.eventually(condition)
    assert calls * 0.1 <= now / 3 + 0.1
