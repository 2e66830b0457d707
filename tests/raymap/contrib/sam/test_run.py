"""`raymap sam`: SAM's command line, output, exit code and signals; functions, logs and segments."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from raymap.cli import app
from raymap.contrib.sam.run import _forwarding, arguments
from tests.conftest import ROOT, Server
from tests.waiting import eventually
from tests.xray_client import xray_client

STAND_IN = Path(__file__).with_name("sam_stand_in.py")
HOST = ["--add-host", "host.docker.internal:host-gateway"]


@pytest.fixture
def sam(tmp_path: Path) -> str:
    """A program that behaves as SAM CLI."""
    program = tmp_path / "sam"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    program.chmod(0o755)
    return str(program)


def command(sam: str, server: str, *words: str) -> list[str]:
    ours = ["sam", "--sam", sam, "--url", server, "--listen", "127.0.0.1"]
    return [sys.executable, "-m", "raymap", *ours, "--", *words]


@pytest.mark.server
def test_an_invocation_is_a_function_with_its_calls_and_its_log(
    sam: str, raymap_server: Server
) -> None:
    name = f"Fn{os.getpid()}"
    words = command(sam, raymap_server.http, "local", "invoke", name)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3, "SAM's exit code passes through"
    assert done.stdout == '{"statusCode": 200}\n'
    assert "hello from the function\n" in done.stderr
    assert f"1 invocation of {name} sent to {raymap_server.http}" in done.stderr
    assert "no segment came" not in done.stderr
    request = done.stderr.split("START RequestId: ")[1].split()[0]
    trace_id = f"1-{request.replace('-', '')[:8]}-{request.replace('-', '')[8:]}"

    def segments() -> dict[str, Any]:
        found = xray_client(raymap_server.http).batch_get_traces(TraceIds=[trace_id])["Traces"]
        documents = [json.loads(each["Document"]) for each in found[0]["Segments"]]
        return {each.get("origin", ""): each for each in documents}

    def calls() -> list[Any]:
        inside = segments()["AWS::Lambda::Function"]["subsegments"]
        return [each for each in inside if each["name"] == "DynamoDB"]

    eventually(calls, "the call is inside the function", ignore=(KeyError, IndexError))
    function = segments()["AWS::Lambda::Function"]
    assert function["name"] == name
    assert function["annotations"]["lambda_cold_start"] is True
    assert function["parent_id"] == segments()["AWS::Lambda"]["id"]
    (call,) = calls()
    # Its start is when its line was read, and its end as much later as it says.
    assert abs(function["start_time"] - call["start_time"]) < 5
    assert call["start_time"] < call["end_time"] <= function["end_time"] + 5

    def lines() -> list[str]:
        answer = raymap_server.get(f"/api/v1/traces/{trace_id}/logs")
        return [line["text"].split(" RequestId")[0] for line in answer["lines"]]

    wanted = ["START", "hello from the function", "END", "REPORT"]
    eventually(lambda: lines() == wanted, "its log lines are there")


@pytest.mark.server
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_reach_sam(sam: str, raymap_server: Server, number: signal.Signals) -> None:
    words = command(sam, raymap_server.http, "local", "start-api", "--port", "0")
    child = subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    assert "Press CTRL+C to quit" in child.stderr.readline()
    child.send_signal(number)
    rest = child.stderr.read()
    child.stderr.close()
    assert child.wait(60) == 7
    assert f"stopped by {number.name}.\n" in rest
    assert "no function was invoked" in rest


def in_a_terminal(*words: str, typed: bytes = b"", after: bytes = b"") -> tuple[int, bytes]:
    """The exit code and the output of a command in the foreground of a terminal, in which ``typed``
    is typed when ``after`` is printed."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(words[0], words)
    text = b""
    with suppress(OSError):  # at its end, on Linux
        while part := os.read(terminal, 4096):
            text += part
            if typed and after in text:
                os.write(terminal, typed)
                typed = b""
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


@pytest.mark.server
def test_ctrl_c_in_a_terminal_reaches_sam(sam: str, raymap_server: Server) -> None:
    words = command(sam, raymap_server.http, "local", "start-api")
    code, text = in_a_terminal(*words, typed=b"\x03", after=b"Press CTRL+C")
    assert code == 7
    assert b"stopped by SIGINT." in text


def test_what_a_terminal_sends_is_not_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """SAM's clean-up would end at the second."""
    child: Any = SimpleNamespace(sent=[])
    child.send_signal = child.sent.append
    with _forwarding(child):
        for has_terminal in (False, True):
            monkeypatch.setattr("raymap.contrib.sam.run._has_terminal", lambda it=has_terminal: it)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.raise_signal(number)
    assert child.sent == [signal.SIGINT, signal.SIGTERM, signal.SIGTERM]


def test_a_terminal_is_recognized() -> None:
    code = "from raymap.contrib.sam.run import _has_terminal; print(_has_terminal())"
    words = [sys.executable, "-c", code]
    assert in_a_terminal(*words)[1].split()[-1] == b"True"
    without = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True)
    assert without.stdout.split() == [b"False"]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["sam", *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "deploy"], "Expected  raymap sam -- local start-api | start-lambda | invoke"),
        (["--", "local", "generate-event"], "got: local generate-event"),
        (["--sam", "/no/such/sam", "--", "local", "invoke"], "There is no program /no/such/sam"),
    ],
)
def test_what_is_wrong_with_a_command_is_named(
    words: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*words).exit_code == 1
    assert said in capfd.readouterr().err


def test_an_address_that_is_not_this_machines_is_named(
    sam: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("--sam", sam, "--listen", "192.0.2.1", "--", "local", "invoke").exit_code == 1
    assert "Cannot listen on 192.0.2.1" in capfd.readouterr().err


def test_linux_containers_are_given_the_name_of_the_host() -> None:
    words = ["local", "invoke", "Hello"]
    assert arguments(words, "linux", relayed=True) == ["local", "invoke", *HOST, "Hello"]
    assert arguments(words, "darwin", relayed=True) == words
    assert arguments(words, "linux", relayed=False) == words
    given = ["local", "invoke", "--add-host", "host.docker.internal:10.0.0.1", "Hello"]
    assert arguments(given, "linux", relayed=True) == given


def test_functions_without_segments_are_explained(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only where a relay would have seen them; and nothing is said without an invocation."""
    program = tmp_path / "sam"
    start = "START RequestId: 0e6d3e8e-71f2-4b3c-9d5a-2f1d0c9b8a7e Version: $LATEST"
    program.write_text(f"#!/bin/sh\n[ $2 = invoke ] && echo '{start}' >&2\nexit 0\n")
    program.chmod(0o755)
    ours = ["--sam", str(program), "--url", "127.0.0.1:9", "--listen", "127.0.0.1"]

    def said(*words: str) -> bool:
        assert run(*ours, *words).exit_code == 0
        return "no segment came from the functions" in capfd.readouterr().err

    assert said("--", "local", "invoke")
    assert not said("--", "local", "start-api")
    assert not said("--daemon", "raymap.example.com:2000", "--", "local", "invoke")
