"""One sentence for every exception that ends a command."""

from __future__ import annotations

import os

import pytest
from clickhouse_driver.errors import ServerException

from raymap.errors import CommandError, describe, print_status, write_stderr


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (CommandError("Which ClickHouse?"), "Which ClickHouse?"),
        (PermissionError(13, "Permission denied", "/data"), "Cannot use /data: Permission denied."),
        (
            ServerException("DB::Exception: Not enough space. Stack trace:\n\n0. x", 243),
            "ClickHouse says: Not enough space.",
        ),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (KeyError(), "KeyError: KeyError"),
    ],
)
def test_sentences(error: Exception, sentence: str) -> None:
    assert describe(error) == sentence


def test_status_lines_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    print_status("ready · 2000")
    assert capfd.readouterr() == ("", "raymap: ready · 2000\n")


def test_a_closed_standard_error_is_no_error() -> None:
    saved = os.dup(2)
    os.close(2)
    try:
        write_stderr(b"lost\n")
    finally:
        os.dup2(saved, 2)
        os.close(saved)
