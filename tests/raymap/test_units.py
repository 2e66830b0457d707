"""Sizes, durations, instants and ids as people type them."""

from __future__ import annotations

import time

import pytest

from raymap.commands import pins
from raymap.commands import retention as retention_command
from raymap.errors import CommandError
from raymap.units import (
    counted,
    format_days,
    format_minute,
    format_size,
    parse_instant,
    parse_size,
)


@pytest.mark.parametrize("text", ["hello", "1-6b061440", "0" * 32, ""])
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(CommandError, match=r"^TRACE_ID: (expected 1-<8 hex|the all-zero trace id)"):
        pins.parse_id(text)


@pytest.mark.parametrize(
    "text", ["0", "14x", "-3d", "1.5d", "soon", "28y", "10001d", "٣d", "1" * 40]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(
        CommandError, match=r"^--traces: .* is not a valid duration; expected days like 14d"
    ):
        retention_command.parse_days(text, "--traces")


def test_times() -> None:
    said = ("14d", "14", " 2W ", "1y", "10000d")
    assert [retention_command.parse_days(text, "") for text in said] == [14, 14, 14, 365, 10_000]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2G", 2 << 30), ("512m", 512 << 20), ("1.5GiB", 3 << 29), ("4096", 4096), ("1KB", 1024)],
)
def test_sizes(text: str, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["much", "1e999", "-1G", "", "G", "1" * 40, "\u0663G"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size; expected one like 2G or 512M"):
        parse_size(text)


def test_instants() -> None:
    now = time.time() * 1e6
    assert parse_instant("2026-11-25T10:00", "--from") == 1_795_600_800_000_000
    assert parse_instant("2026-11-25T10:00+01:00", "--from") == 1_795_597_200_000_000
    assert parse_instant("1795600800.5", "--from") == 1_795_600_800_500_000
    assert parse_instant("-90m", "--from") == pytest.approx(now - 5400e6, abs=5e6)
    assert parse_instant("now", "--from") == pytest.approx(now, abs=5e6)


@pytest.mark.parametrize("text", ["", "yesterday", "-90", "-90x", "2026-13-01", "1e10"])
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(CommandError, match=r"--from: .* is no time; expected one like"):
        parse_instant(text, "--from")


def test_printed() -> None:
    sizes = [format_size(size) for size in (1023, 1024, 3 << 29, 1 << 41)]
    assert sizes == ["1023 B", "1.0 KiB", "1.5 GiB", "2.0 TiB"]
    assert (format_days(1), format_days(2)) == ("1 day", "2 days")
    assert [counted(n, "trace") for n in (0, 1, 2)] == ["0 traces", "1 trace", "2 traces"]
    assert (format_minute(0), format_minute(1_795_600_800)) == ("–", "2026-11-25 10:00")
