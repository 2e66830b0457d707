"""One sentence for every exception that ends a command."""

from __future__ import annotations

import subprocess
import sys

import pytest
from clickhouse_driver.errors import ServerException

from raymap.errors import CommandError, describe, print_status
from tests.conftest import ROOT


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
    """In a process of its own: another thread could be given the free number here."""
    program = "import os; os.close(2); from raymap.errors import write_stderr; write_stderr(b'x')"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
