"""A canary whose handler raises, in three languages and two log formats: the map, the verdict and the alarm.

Each function has 900 invocations of version 41, all of which succeed, and 100 of version 42, of which 24 raise; between
START and REPORT stand the lines that AWS's runtime clients were recorded to write (tests/samples/lambda_runtimes), and
all go to ``/firehose/logs`` in batches, as a subscription delivers them. ``--rie`` adds Python once more: AWS's runtime
client under AWS's emulator, which raises at that moment. ``--silent`` leaves all lines but the platform's records out.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.server import ROOT, running

SAMPLES = ROOT / "tests" / "samples" / "lambda_runtimes"
RUNTIMES = {"python": "python:3.12.v38", "node": "nodejs:20.v50", "java": "java:17.v37"}
STABLE, CANARY = "41", "42"
RECORDED_REQUEST = "8286a188-ba32-4475-8077-"
ACCOUNT, REGION = "111122223333", "eu-west-1"
SPAN, AGO = 60.0, 5.0
"""Seconds that the invocations take, and how long ago they end."""
EMULATOR = "emulator"
PATIENCE, LEAST = 600.0, 60.0
"""Seconds until records must be joined with their lines and alarms have fired; without lines there is nothing to wait for."""
Handler = Callable[[str, bool], list[str]]
"""The lines that a runtime writes in a request, and whether its handler raises."""


class Canary(NamedTuple):
    """A function: its language, its log format, and who writes its lines."""

    language: str
    format: str
    handle: Handler
    source: str = "recorded"

    @property
    def name(self) -> str:
        return f"checkout-{self.language}-{self.format}-{self.source}"


def recorded(language: str, format: str) -> Canary:
    """A function whose runtime writes what was recorded, with the id of the request."""
    path = SAMPLES / f"{language}-{format}-framed.jsonl"
    said = {each["what"]: each["lines"] for each in map(json.loads, path.read_text().splitlines())}

    def handle(request: str, raises: bool) -> list[str]:
        lines = said["handled"] + (said["raise"] if raises else [])
        return [_with_request(line, request) for line in lines]

    return Canary(language, format, handle)


def _with_request(line: str, request: str) -> str:
    at = line.find(RECORDED_REQUEST)
    return line if at < 0 else line[:at] + request + line[at + len(request) :]


class Emulated:
    """AWS's emulator with AWS's runtime client for Python, and a handler that raises if its event says so."""

    def __init__(self, rie: str, python: str, folder: Path, format: str, port: int) -> None:
        (folder / "app.py").write_text(
            "import logging\n\n\ndef handle(event, context):\n    logging.error('could not read, using the default')\n"
            "    if event['fail']:\n        raise ValueError('amount must not be negative')\n    return {}\n"
        )
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self._process = subprocess.Popen(
            [
                rie,
                f"--runtime-interface-emulator-address=127.0.0.1:{port}",
                f"--runtime-api-address=127.0.0.1:{port + 1}",
                *("env", f"LAMBDA_TASK_ROOT={folder}", f"AWS_LAMBDA_LOG_FORMAT={format.upper()}"),
                *(python, "-m", "awslambdaric", "app.handle"),
            ],
            env={**os.environ, "AWS_LAMBDA_FUNCTION_TIMEOUT": "60"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        time.sleep(3)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.decode().rstrip("\n"))  # a carriage return may stand within

    def handle(self, request: str, raises: bool) -> list[str]:
        """Invoke it; what its runtime wrote."""
        _post(self._url, {"fail": raises}, {"X-Amzn-RequestId": request})
        own: list[str] = []
        while not (line := self._lines.get(timeout=30)).startswith(f"REPORT RequestId: {request}"):
            if line.startswith("START RequestId: "):
                own.clear()
            elif not line.startswith("END RequestId: "):
                own.append(line)
        return own

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(15)


def log_events(canary: Canary, version: str, begin: float) -> Iterator[tuple[float, str]]:
    """The lines of a version's log stream with their times: every tenth invocation is the canary's."""
    runtime, is_json = RUNTIMES[canary.language], canary.format == "json"
    init = f"INIT_START Runtime Version: {runtime}\tRuntime Version ARN: arn:aws:lambda:x"
    known = {"functionName": canary.name, "functionVersion": version, "runtimeVersion": runtime}
    yield begin, json.dumps(_event("platform.initStart", begin, **known)) if is_json else init
    number = 0
    for index in range(1_000):
        if (index % 10 == 9) is not (version == CANARY):
            continue
        raises = version == CANARY and number * 24 % 100 < 24
        number += 1
        # A runtime's own line in JSON says its time, too: what runs now is delivered with the times of now.
        at = time.time() if canary.source == EMULATOR else begin + SPAN * index / 1_000
        request = str(uuid.uuid4())
        root, segment = f"1-{int(at):08x}-{os.urandom(12).hex()}", os.urandom(8).hex()
        own = canary.handle(request, raises)
        first, last = (_json if is_json else _text)(at, request, version, root, segment)
        for line in (first, *own, *last):
            yield at, line


def _text(at: float, request: str, version: str, root: str, segment: str) -> tuple[str, list[str]]:
    report = (
        f"REPORT RequestId: {request}\tDuration: 10.00 ms\tBilled Duration: 11 ms\tMemory Size: 512 MB\t"
        f"Max Memory Used: 90 MB\t\nXRAY TraceId: {root}\tSegmentId: {segment}\tSampled: true\t\n"
    )
    return f"START RequestId: {request} Version: {version}", [f"END RequestId: {request}", report]


def _json(at: float, request: str, version: str, root: str, segment: str) -> tuple[str, list[str]]:
    value = f"Root={root};Parent={os.urandom(8).hex()};Sampled=1"
    tracing = {"type": "X-Amzn-Trace-Id", "spanId": segment, "value": value}
    about = {"requestId": request, "tracing": tracing}
    figures = {"durationMs": 10.0, "billedDurationMs": 11, "memorySizeMB": 512}
    metrics = {**figures, "maxMemoryUsedMB": 90}
    report = _event("platform.report", at, status="success", metrics=metrics, **about)
    start = _event("platform.start", at, version=version, **about)
    return json.dumps(start), [json.dumps(report)]


def _event(type: str, at: float, **record: Any) -> dict[str, Any]:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {"time": moment.replace("+00:00", "Z"), "type": type, "record": record}


def deliver(raymap: str, canary: Canary, version: str, begin: float, *, silent: bool) -> None:
    """A version's log stream, through Firehose."""
    lines = list(log_events(canary, version, begin))
    if silent:
        lines = [(at, line) for at, line in lines if _is_record(line)]
    for first in range(0, len(lines), 500):
        batch = {
            "messageType": "DATA_MESSAGE",
            "owner": ACCOUNT,
            "logGroup": f"/aws/lambda/{canary.name}",
            "logStream": f"2026/11/24/[{version}]3893aa",
            "logEvents": [
                {"id": str(first + number), "timestamp": int(at * 1_000), "message": line}
                for number, (at, line) in enumerate(lines[first : first + 500])
            ],
        }
        data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
        arn = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/logs"
        headers = {"X-Amz-Firehose-Request-Id": "1", "X-Amz-Firehose-Source-Arn": arn}
        body = {"requestId": "1", "timestamp": 1, "records": [{"data": data}]}
        _post(f"{raymap}/firehose/logs", body, headers)


def _is_record(line: str) -> bool:
    return line.startswith("REPORT ") or '"platform.report"' in line or '"platform.start"' in line


def _post(url: str, body: object, headers: dict[str, str], method: str = "POST") -> Any:
    content = json.dumps(body).encode()
    sent = urllib.request.Request(
        url, content, {"Content-Type": "application/json", **headers}, method=method
    )
    with urllib.request.urlopen(sent, timeout=60) as answer:
        return json.load(answer)


def watch(raymap: str, canary: Canary) -> None:
    """An alarm on five percent of faults of the new version."""
    rule = {
        "selector": f'service(id(name: "{canary.name}", type: "AWS::Lambda::Function"))',
        "version": CANARY,
        "metric": "fault_share",
        "threshold": 0.05,
        "minimum": 10,
    }
    _post(f"{raymap}/api/v1/alarms/{canary.name}", rule, {}, "PUT")


def is_silent(canary: Canary) -> bool:
    """Whether its runtime's line is that of ``console.error(error)``, so that nothing says how a handler ended."""
    return (canary.language, canary.format) == ("node", "json")


def node_of(get: Callable[[str], bytes], canary: Canary) -> Any:
    services = json.loads(get("/api/v1/services?from=-15m&q=" + canary.name))["services"]
    (node,) = [each for each in services if each["type"] == "AWS::Lambda::Function"]
    return node


def is_settled(get: Callable[[str], bytes], canary: Canary) -> bool:
    """Whether its outcomes are known, and its alarm has fired."""
    history = json.loads(get(f"/api/v1/alarms/{canary.name}"))["history"]
    return not node_of(get, canary)["unknown"] and bool(history)


def result(raymap: str, get: Callable[[str], bytes], canary: Canary) -> tuple[str, ...]:
    """What Raymap says of a function: a row of the table."""
    node = node_of(get, canary)
    command = ["verdict", "--service", canary.name, "--type", "AWS::Lambda::Function"]
    versions = ["--baseline", STABLE, "--candidate", CANARY, "--from", "-15m", "--url", raymap]
    judged = subprocess.run(
        [sys.executable, "-m", "raymap", *command, *versions, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = json.loads(judged.stdout)["verdict"]
    history = json.loads(get(f"/api/v1/alarms/{canary.name}"))["history"]
    alarm = " → ".join(each["state"] for each in reversed(history)) or "INSUFFICIENT_DATA"
    counts = [f"{node[each]:,}" for each in ("ok", "fault", "unknown")]
    return (
        canary.language,
        canary.format,
        canary.source,
        *counts,
        f"{verdict} (exit {judged.returncode})",
        alarm,
    )


def main() -> None:
    """Deliver, wait, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rie", help="AWS's Lambda Runtime Interface Emulator")
    parser.add_argument("--python", default=sys.executable, help="one that has awslambdaric")
    parser.add_argument("--silent", action="store_true", help="deliver REPORT alone")
    options = parser.parse_args()
    canaries = [recorded(language, format) for language in RUNTIMES for format in ("text", "json")]
    emulated: list[Emulated] = []
    with running() as server, tempfile.TemporaryDirectory() as folders:
        if options.rie:
            for number, format in enumerate(("text", "json")):
                folder = Path(folders) / format
                folder.mkdir()
                run = Emulated(options.rie, options.python, folder, format, 19_100 + 10 * number)
                emulated.append(run)
                canaries.append(Canary("python", format, run.handle, EMULATOR))
        for canary in canaries:
            begin = time.time() - SPAN - AGO
            watch(server.http, canary)
            for version in (STABLE, CANARY):
                deliver(server.http, canary, version, begin, silent=options.silent)
        for run in emulated:
            run.stop()
        telling = [] if options.silent else [each for each in canaries if not is_silent(each)]
        time.sleep(LEAST)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not all(is_settled(server.get, each) for each in telling):
            time.sleep(5)
        print(f"{'':10}{'':8}{'':12}{'ok':>6}{'fault':>7}{'unknown':>9}  {'verdict':24}alarm")
        for canary in canaries:
            language, format, source, *counts, verdict, alarm = result(
                server.http, server.get, canary
            )
            ok, fault, unknown = counts
            row = f"{language:10}{format:8}{source:12}{ok:>6}{fault:>7}{unknown:>9}"
            print(f"{row}  {verdict:24}{alarm}")


if __name__ == "__main__":
    main()
