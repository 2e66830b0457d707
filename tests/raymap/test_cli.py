"""The program as shells and pipes know it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from raymap.processes import raymap_version
from tests.conftest import ROOT, start_server, stop_server
from tests.raymap.processes import raymap


def test_version_as_an_option_and_as_a_command() -> None:
    printed = [raymap("--version"), raymap("version")]
    assert [(done.returncode, done.stdout) for done in printed] == [
        (0, f"{raymap_version()}\n")
    ] * 2


def test_a_shell_completes_commands_and_options() -> None:
    def completed(words: str, at: int) -> list[str]:
        environment = {"COMP_WORDS": words, "COMP_CWORD": str(at)}
        done = raymap(_RAYMAP_COMPLETE="complete_bash", **environment)
        return done.stdout.split()

    assert completed("raymap ver", 1) == ["version", "verify", "verdict"]
    assert completed("raymap verdict --ur", 2) == ["--url"]


@pytest.mark.parametrize(
    "printing",
    [
        "for _ in range(100_000): print('a line of output', flush=True)",
        "print('a line that stays in the buffer')",
    ],
)
def test_a_reader_that_leaves_is_no_error(printing: str) -> None:
    """`raymap logs … | head`: no sentence, no traceback, and not another error's code either."""
    program = (
        "import raymap.commands.logs, raymap.cli, sys\n"
        "def trace_logs(*_, **__):\n"
        f"    {printing}\n"
        "raymap.commands.logs.trace_logs = trace_logs\n"
        "sys.argv = ['raymap', 'logs', '1-2']\n"
        "raymap.cli.main()\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode in (0, 1)


def test_another_broken_pipe_is_reported() -> None:
    program = (
        "import raymap.commands.logs, raymap.cli, sys\n"
        "def trace_logs(*_, **__):\n"
        "    raise BrokenPipeError(32, 'Broken pipe')\n"
        "raymap.commands.logs.trace_logs = trace_logs\n"
        "sys.argv = ['raymap', 'logs', '1-2']\n"
        "raymap.cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Broken pipe" in done.stderr


@pytest.mark.slow
@pytest.mark.server
def test_a_log_in_json_has_no_other_lines(tmp_path: Path) -> None:
    """Of the supervisor, its children and their libraries; with a warning and an uncaught exception."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import os; os.write(2, b'a library says hello\\n')\n")
    server = start_server(
        tmp_path / "data",
        *("--log-format", "json"),
        environment={"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"},
    )
    assert stop_server(server) == 0
    lines = (tmp_path / "data.log").read_text().splitlines()
    assert lines[0] == "a library says hello", "before our own first line"
    events = [json.loads(line) for line in lines[1:]]
    said = [(each.get("process"), each["event"]) for each in events]
    assert {process for process, event in said if event == "a library says hello"} == {
        "clickhouse",
        "collect",
        "api",
    }
    assert any(event.startswith("open http://127.0.0.1") for _, event in said)
    assert all(each["timestamp"] and each["level"] for each in events)


@pytest.mark.parametrize(
    ("imported", "left_out"),
    [
        ("raymap.cli", "http"),
        ("raymap.commands.keys", "collector.decode.otlp"),
        ("raymap.commands.users", "collector.decode.otlp"),
        ("raymap.serve", "collector.decode.otlp"),
        ("raymap.serve", "rich"),
        ("raymap.processes", "rich"),
        ("raymap.tenants.logins", "numpy"),
    ],
)
def test_a_command_starts_without_what_it_does_not_need(imported: str, left_out: str) -> None:
    """It took a sixth of the time of ``raymap key``, of which every test of a command and every script has many."""
    program = (
        "import sys, raymap.__main__ as program\n"
        "program.put_packages_first()\n"
        f"import {imported}\n"
        f"print([name for name in sys.modules if name.startswith({left_out!r} + '.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_wrong_option_is_reported_in_plain_text() -> None:
    """Without rich's frames, whatever is installed."""
    done = subprocess.run(
        [sys.executable, "-m", "raymap", "serve", "--no-such-option"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "No such option: --no-such-option" in done.stderr
    assert done.stderr.isascii()
