"""`raymap sam`: SAM's command line, output, exit code and signals; functions, logs and segments."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from raymap.cli import app
from raymap.commands.sam import arguments
from raymap.commands.sam_lines import FunctionLine
from raymap.commands.sam_sender import Sender, logs_of
from tests.conftest import ROOT, Server
from tests.http_server import serve
from tests.waiting import eventually
from tests.xray_client import xray_client

STAND_IN = Path(__file__).with_name("sam_stand_in.py")
HOST = ["--add-host", "host.docker.internal:host-gateway"]
REQUEST = "0e6d3e8e-71f2-4b3c-9d5a-2f1d0c9b8a7e"
LINE = FunctionLine("hello", "$LATEST", "text", 1_000_000, REQUEST)


@pytest.fixture
def sam(tmp_path: Path) -> str:
    """A program that behaves as SAM CLI."""
    program = tmp_path / "sam"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    program.chmod(0o755)
    return str(program)


def command(sam: str, server: str, *words: str) -> list[str]:
    ours = ["sam", "--sam", sam, "--to", server, "--listen", "127.0.0.1"]
    return [sys.executable, "-m", "raymap", *ours, "--", *words]


@pytest.mark.server
def test_an_invocation_is_a_function_with_its_calls_and_its_log(
    sam: str, raymap_server: Server
) -> None:
    name = f"Fn{os.getpid()}"
    words = command(sam, raymap_server.http, "local", "invoke", name)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
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
    assert function["start_time"] <= call["start_time"] + 0.05
    assert call["end_time"] <= function["end_time"] + 0.05

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
    assert child.wait(30) == 7
    assert f"stopped by {number.name}" in rest
    assert "0 invocations of no function" in rest


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


def test_lines_are_sent_by_function_with_their_request_and_trace() -> None:
    other = LINE._replace(function="other", text="x")
    first, second = logs_of([LINE, other, LINE], "eu-west-1")["resourceLogs"]
    attributes = {each["key"]: each["value"] for each in first["resource"]["attributes"]}
    assert attributes["faas.name"] == {"stringValue": "hello"}
    assert attributes["cloud.region"] == {"stringValue": "eu-west-1"}
    assert len(first["scopeLogs"][0]["logRecords"]) == 2
    (record,) = second["scopeLogs"][0]["logRecords"]
    assert record["traceId"] == REQUEST.replace("-", "")
    assert record["timeUnixNano"] == "1000000000"


def test_lines_wait_while_the_server_refuses_and_arrive_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    bodies: list[dict[str, Any]] = []
    statuses = iter([503, 503])

    async def server(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        status = next(statuses, 200)
        if status == 200:
            bodies.append(json.loads(body))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    with serve(server) as url:
        sender = Sender(url, "")
        sender.put([LINE])
        eventually(lambda: bodies, "the line arrives")
        sender.put([LINE._replace(text="second")])
        sender.close()
    texts = [
        record["body"]["stringValue"]
        for body in bodies
        for record in body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    ]
    assert texts == ["text", "second"]
    assert (sender.sent, sender.dropped) == (2, 0)
    assert capfd.readouterr().err.count("Until then lines of functions wait in memory") == 1


def test_lines_that_could_not_be_sent_are_counted() -> None:
    sender = Sender("http://127.0.0.1:9", "")
    sender.put([LINE] * 12_000)
    sender.close()
    assert sender.dropped == 12_000
