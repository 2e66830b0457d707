"""Settings: flags, environment variables, and how a child process gets its own."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from collector.batches import Limits
from raymap import settings as raymap_settings
from raymap.cli import app
from raymap.settings import (
    ApiSettings,
    CollectSettings,
    ServeSettings,
    derive,
)


@pytest.mark.parametrize(
    ("words", "environment", "expected"),
    [
        ([], {}, raymap_settings.default_workers()),
        (["--workers", "3"], {"RAYMAP_WORKERS": "5"}, 3),
        ([], {"RAYMAP_WORKERS": "5"}, 5),
    ],
)
def test_number_of_workers(
    words: list[str],
    environment: dict[str, str],
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert parsed(monkeypatch, *words, **environment).collectors == expected


def parsed(monkeypatch: pytest.MonkeyPatch, *words: str, **environment: str) -> ServeSettings:
    """The settings with which `raymap serve` would run."""
    seen: list[ServeSettings] = []

    def serve(settings: ServeSettings, _: object) -> int:
        seen.append(settings)
        return 0

    monkeypatch.setattr("raymap.serve.serve", serve)
    result = CliRunner().invoke(app, ["serve", *words], env=environment)
    assert result.exit_code == 0, result.output
    return seen[0]


def test_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its default is the queue's."""
    assert parsed(monkeypatch).linger == Limits().linger
    assert parsed(monkeypatch, RAYMAP_LINGER="2.5").linger == 2.5
    assert parsed(monkeypatch, "--linger", "3", RAYMAP_LINGER="2.5").linger == 3


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 2), (4, 4), (64, 4)])
def test_workers_by_default(cores: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    assert raymap_settings.default_workers() == expected


def test_a_process_gets_what_it_shares_with_the_whole() -> None:
    serve = ServeSettings(host="127.0.0.2", linger=2.0, sampling_rate=0.5)
    collect = derive(CollectSettings, serve, port=7)
    assert (collect.host, collect.port, collect.linger, collect.http) == ("127.0.0.2", 7, 2.0, True)
    assert derive(ApiSettings, serve).sampling_rate == 0.5


@pytest.mark.parametrize(
    ("grpc", "otlp", "expected"), [(4317, None, 4318), (9, None, None), (9, 8, 8)]
)
def test_otlp_over_http_accompanies_grpc(grpc: int, otlp: int | None, expected: int | None) -> None:
    assert ServeSettings(grpc_port=grpc, otlp_port=otlp).otlp_http_port == expected
