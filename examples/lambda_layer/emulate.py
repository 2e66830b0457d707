"""A function under AWS's Lambda Runtime Interface Emulator, with the extension, against Raymap.

    python -m examples.lambda_layer.emulate --rie aws-lambda-rie --raymap http://127.0.0.1:2000

The emulator (Go module github.com/aws/aws-lambda-runtime-interface-emulator) starts the extension and
AWS's own runtime client, which runs `handler` with the unmodified X-Ray SDK. What it lacks is in `stand_in`:
the trace header for the runtime, and the Telemetry API, which delivers what the emulator prints, START and
REPORT, and the function's own lines, and with ``--firehose`` once more as a CloudWatch Logs subscription. The emulator
starts what is in /opt/extensions; this command puts a link there, and needs the right to. ``--check`` compares what the
server says then with what was invoked (`check`).
"""

from __future__ import annotations

import argparse
import base64
import gzip
import http.client
import json
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil

from examples.flask_shop.stand_in import create_stand_in
from examples.in_thread import running
from examples.lambda_layer.layer import FILES
from examples.lambda_layer.stand_in import FUNCTION, Platform, RuntimeApi, platform_event

HERE = Path(__file__).parent
REGION = "eu-west-1"
NAME = FUNCTION["functionName"]
QUEUE = "reminders"
GROUP, STREAM = f"/aws/lambda/{NAME}", f"2026/11/26/[{FUNCTION['functionVersion']}]emulator"
OPT = Path("/opt")
TIMEOUT = 300
"""Seconds for an invocation: a Java function takes half a minute of a busy machine to start."""
PATIENCE = 60.0
"""Seconds until the server must say what was invoked: records are joined with their traces a few seconds after both."""


class Program(NamedTuple):
    """A function's code: the command that asks the Runtime API for invocations."""

    command: tuple[str, ...]
    folder: Path
    handler: str = ""
    environment: Mapping[str, str] = {}


HANDLER = "examples.lambda_layer.handler.handle"
PYTHON = Program((sys.executable, "-m", "awslambdaric", HANDLER), HERE.parents[1])
NEEDED = ("awslambdaric", "aws_xray_sdk")
"""Packages of AWS that the function runs with, and `make run` does not install."""


class Function:
    """The emulator with a function and the extension."""

    def __init__(
        self,
        rie: str,
        raymap: str,
        platform: Platform,
        dynamodb: str,
        spool: str,
        program: Program = PYTHON,
    ) -> None:
        self._port, api = _free_port(), _free_port()
        self._runtime = RuntimeApi(f"127.0.0.1:{api}")
        udp = f"127.0.0.1:{_free_port()}"
        environ = os.environ | {
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_LAMBDA_FUNCTION_NAME": NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": FUNCTION["functionVersion"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT),
            "DYNAMODB_URL": dynamodb,
            "RAYMAP_URL": raymap,
            "RAYMAP_LAMBDA_LISTEN": udp,
            "RAYMAP_LAMBDA_SPOOL": spool,
            "RAYMAP_LAMBDA_TELEMETRY_API": platform.address,
            "RAYMAP_LAMBDA_RUNTIME_API": self._runtime.address,
        }
        command = [
            rie,
            f"--runtime-interface-emulator-address=127.0.0.1:{self._port}",
            f"--runtime-api-address=127.0.0.1:{api}",
            "env",  # the emulator sets others, or none
            f"AWS_XRAY_DAEMON_ADDRESS={udp}",
            f"LAMBDA_TASK_ROOT={program.folder}",
            f"AWS_LAMBDA_RUNTIME_API={self._runtime.address}",
            f"_HANDLER={program.handler}",
            *(f"{name}={value}" for name, value in program.environment.items()),
            str(OPT / "raymap-wrapper"),  # what Lambda does with AWS_LAMBDA_EXEC_WRAPPER
            *program.command,
        ]
        self._process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, text=True, cwd=program.folder
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        _wait_for_port(self._port)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.put(line.rstrip("\n"))

    def invoke(self, event: dict[str, Any], header: str, request_id: str) -> Any:
        """Call the function with a trace header; its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
        self._runtime.headers[request_id] = header
        headers = {"X-Amzn-Trace-Id": header, "X-Amzn-RequestId": request_id}
        path = "/2015-03-31/functions/function/invocations"
        connection.request("POST", path, json.dumps(event), headers)
        return json.loads(connection.getresponse().read())

    def report_of(self, request_id: str) -> tuple[list[str], str, float]:
        """The function's own lines, the line that the emulator printed at the end, and when it was read."""
        own: list[str] = []
        while True:
            line = self.lines.get(timeout=30)
            if line.startswith("START RequestId: "):
                own.clear()
            elif line.startswith(f"REPORT RequestId: {request_id}"):
                return own, line, time.time()
            elif not line.startswith("END RequestId: "):
                own.append(line)

    def kill_extension(self) -> None:
        """SIGKILL, as if it had crashed."""
        for child in psutil.Process(self._process.pid).children(recursive=True):
            if "/opt/raymap/raymap_lambda.py" in child.cmdline():
                child.kill()

    def stop(self) -> None:
        """End the emulator and what it started."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_for_port(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def installed_extension() -> Iterator[None]:
    """The layer's files where the emulator looks for them."""
    links = {OPT / name: HERE / source for name, source in FILES.items()}
    for link, target in links.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    try:
        yield
    finally:
        for link in links:
            link.unlink()


class Records:
    """What the platform says of an invocation, in the forms of its sources."""

    def __init__(self, request_id: str, root: str) -> None:
        self.request_id, self._root = request_id, root
        self._function_id, self._service_id = secrets.token_hex(8), secrets.token_hex(8)

    @property
    def header(self) -> str:
        """The trace header that the function is given."""
        return f"Root={self._root};Parent={self._function_id};Sampled=1"

    def events(self, own: list[str], line: str, end: float) -> list[dict[str, Any]]:
        """Of the Telemetry API, the function's own lines included."""
        fields = dict(field.split(": ") for field in line.split("\t") if ": " in field)
        names = {
            "Duration": "durationMs",
            "Billed Duration": "billedDurationMs",
            "Memory Size": "memorySizeMB",
            "Max Memory Used": "maxMemoryUsedMB",
            "Init Duration": "initDurationMs",
        }
        metrics = {
            name: float(fields[field].split()[0])
            for field, name in names.items()
            if field in fields
        }
        value = f"Root={self._root};Parent={self._service_id};Sampled=1"
        tracing = {"spanId": self._function_id, "type": "X-Amzn-Trace-Id", "value": value}
        version = FUNCTION["functionVersion"]
        begin = end - metrics["durationMs"] / 1000
        about = {"requestId": self.request_id, "tracing": tracing}
        return [
            platform_event("platform.start", begin, version=version, **about),
            *(text_event(text, begin) for text in own),
            platform_event("platform.report", end, status="success", metrics=metrics, **about),
        ]

    def log_lines(
        self, events: list[dict[str, Any]], line: str, end: float
    ) -> list[tuple[str, float]]:
        """Of the text log format: START, the function's own lines, END, REPORT; each with its time."""
        begin = seconds_of(events[0])
        own = [(each["record"], seconds_of(each)) for each in events if each["type"] == "function"]
        traced = f"XRAY TraceId: {self._root}\tSegmentId: {self._function_id}\tSampled: true\t"
        start = f"START RequestId: {self.request_id} Version: {FUNCTION['functionVersion']}"
        ended = f"END RequestId: {self.request_id}"
        return [(start, begin), *own, (ended, end), (f"{line}\n{traced}", end)]


class Invoked(NamedTuple):
    """What was invoked: the trace, whether the function raised, and the lines that it wrote."""

    trace_id: str
    request_id: str
    failed: bool
    lines: tuple[str, ...]


def text_event(text: str, at: float) -> dict[str, Any]:
    """A line of the function, as the Telemetry API delivers it in the text format."""
    return {**platform_event("function", at), "record": text}


def seconds_of(event: dict[str, Any]) -> float:
    """When an event happened, epoch seconds."""
    return datetime.fromisoformat(event["time"]).timestamp()


def queued(root: str, sender: str, number: int, at: float) -> dict[str, Any]:
    """An event with messages of a queue, as AWS's event source mapping delivers them."""
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(int(at * 1000)),
        "AWSTraceHeader": f"Root={root};Parent={sender};Sampled=1",
    }
    arn = f"arn:aws:sqs:{REGION}:{FUNCTION['accountId']}:{QUEUE}"
    message = {
        "messageId": secrets.token_hex(16),
        "body": "{}",
        "attributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }
    return {"Records": [message] * number}


def send_messages(raymap: str, number: int) -> dict[str, Any]:
    """What a service's SDK reports that has sent messages to a queue, and the event with these."""
    root, now = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}", time.time()
    url = f"https://sqs.{REGION}.amazonaws.com/{FUNCTION['accountId']}/{QUEUE}"
    call: dict[str, Any] = {
        "id": secrets.token_hex(8),
        "name": "SQS",
        "namespace": "aws",
        "start_time": now - 0.2,
        "end_time": now - 0.1,
        "aws": {"operation": "SendMessageBatch", "queue_url": url},
    }
    segment = {
        "id": secrets.token_hex(8),
        "trace_id": root,
        "name": "shop",
        "start_time": now - 0.3,
        "end_time": now,
        "subsegments": [call],
    }
    body = json.dumps({"TraceSegmentDocuments": [json.dumps(segment)]})
    connection = http.client.HTTPConnection(urlsplit(raymap).netloc, timeout=30)
    connection.request("POST", "/TraceSegments", body, {"Content-Type": "application/json"})
    connection.getresponse().read()
    return queued(root, call["id"], number, now - 0.1)


def check(raymap: str, invoked: list[Invoked], batch: int = 0) -> None:
    """Compare what the server says with what was invoked; print both, and exit with 1 if they differ.

    Each invocation is one request of the function, a cold start in the first one alone; it has the edges from the
    service and to the table, its lines once, and its REPORT on its trace. The server has no other traffic.
    """
    stored = sum(not each.failed for each in invoked)
    expected: dict[str, Any] = {
        **(_queued(len(invoked), batch) if batch else {"client → AWS::Lambda": len(invoked)}),
        "AWS::Lambda → AWS::Lambda::Function": len(invoked),
        "AWS::Lambda::Function → AWS::DynamoDB::Table": stored,
        "cold starts": [True] + [False] * (len(invoked) - 1),
        "REPORT lines": [1] * len(invoked),
        "own lines": [len(each.lines) for each in invoked],
    }
    deadline = time.monotonic() + PATIENCE
    while (found := _found(raymap, invoked)) != expected and time.monotonic() < deadline:
        time.sleep(1)
    for name, value in expected.items():
        print(f"{name}: {found.get(name)}, expected {value}")
    if found != expected:
        raise SystemExit(1)


def _queued(invocations: int, batch: int) -> dict[str, int]:
    """The edges of invocations for messages of a queue; "service" is what sent them."""
    return {
        "client → service": invocations,
        "service → AWS::SQS::Queue": invocations,
        "AWS::SQS::Queue → AWS::Lambda": invocations * batch,
    }


def _found(raymap: str, invoked: list[Invoked]) -> dict[str, Any]:
    drawn = _get(raymap, "/api/v1/map?from=-15m")
    types = {node["id"]: node["type"] or "service" for node in drawn["services"]}
    calls = {
        f"{types[edge['source']]} → {types[edge['target']]}": edge["requests"]
        for edge in drawn["edges"]
        if edge["requests"]
    }
    cold, reports, own = [], [], []
    for each in invoked:
        documents = _get(raymap, f"/api/v1/traces/{each.trace_id}").get("documents", {}).values()
        cold.append(any(d.get("annotations", {}).get("lambda_cold_start") for d in documents))
        lines = _get(raymap, f"/api/v1/traces/{each.trace_id}/logs").get("lines", [])
        reports.append(sum(line["record"] == "report" for line in lines))
        own.append(sum(not line["record"] for line in lines))
    return {
        **calls,
        "cold starts": cold,
        "REPORT lines": reports,
        "own lines": own,
    }


def _get(raymap: str, path: str) -> Any:
    connection = http.client.HTTPConnection(urlsplit(raymap).netloc, timeout=30)
    connection.request("GET", path)
    return json.loads(connection.getresponse().read())


def deliver(raymap: str, *messages: tuple[str, float]) -> int:
    """Log lines through Firehose; the status of the answer."""
    events = [
        {"id": str(number), "timestamp": int(at * 1000), "message": message}
        for number, (message, at) in enumerate(messages)
    ]
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": FUNCTION["accountId"],
        "logGroup": GROUP,
        "logStream": STREAM,
        "logEvents": events,
    }
    data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    body = {"requestId": "emulator", "timestamp": 0, "records": [{"data": data}]}
    arn = f"arn:aws:firehose:{REGION}:{FUNCTION['accountId']}:deliverystream/logs"
    headers = {"X-Amz-Firehose-Request-Id": "emulator", "X-Amz-Firehose-Source-Arn": arn}
    connection = http.client.HTTPConnection(urlsplit(raymap).netloc, timeout=30)
    connection.request("POST", "/firehose/logs", json.dumps(body), headers)
    return connection.getresponse().status


def dynamodb() -> AbstractContextManager[str]:
    """The URL of the stand-in for DynamoDB while it runs."""
    from werkzeug.serving import make_server

    return running(make_server("127.0.0.1", 0, create_stand_in(), threaded=True))


def run(options: argparse.Namespace) -> None:
    """Invoke the function some times; print what was invoked."""
    with ExitStack() as stack:
        stack.enter_context(installed_extension())
        spool = options.spool or stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(dynamodb())
        platform = Platform()
        function = Function(options.rie, options.raymap, platform, url, spool)
        stack.callback(function.stop)
        invoked = [
            _invoke(function, platform, options, number) for number in range(options.invocations)
        ]
        if options.kill:
            function.kill_extension()
        time.sleep(options.wait)
    if options.check:
        check(options.raymap, invoked, options.batch)


def _invoke(
    function: Function, platform: Platform, options: argparse.Namespace, number: int
) -> Invoked:
    request_id = f"{secrets.token_hex(4)}-0000-4000-8000-{number:012x}"
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    event: dict[str, Any] = {"fail": number % 4 == 3}
    if options.batch:
        event |= send_messages(options.raymap, options.batch)
    records = Records(request_id, root)
    function.invoke(event, records.header, request_id)
    own, line, end = function.report_of(request_id)
    end = round(end, 3)
    events = records.events(own, line, end)
    status = platform.emit(*events)
    print(f"{root}  {line}  Telemetry API: {status}")
    if options.firehose:
        text = deliver(options.raymap, *records.log_lines(events, line, end))
        platform_events = [each for each in events if each["type"] != "function"]
        as_json = deliver(options.raymap, *((json.dumps(each), end) for each in platform_events))
        print(f"  again by Firehose, as text: {text}, as JSON: {as_json}")
    return Invoked(root, request_id, event["fail"], tuple(own))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rie", required=True, help="the emulator's binary")
    parser.add_argument("--raymap", default="http://127.0.0.1:2000")
    parser.add_argument("--invocations", type=int, default=8)
    parser.add_argument(
        "--batch", type=int, default=0, help="invoke it for so many messages of a queue each time"
    )
    parser.add_argument("--firehose", action="store_true", help="deliver the records twice")
    parser.add_argument("--kill", action="store_true", help="end the extension with SIGKILL")
    parser.add_argument("--check", action="store_true", help="compare with what the server says")
    parser.add_argument("--spool", help="a folder that outlives this run")
    parser.add_argument("--wait", type=float, default=3.0, help="seconds before the end")
    options = parser.parse_args()
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        parser.error(
            f"this Python lacks {', '.join(missing)}: pip install awslambdaric aws-xray-sdk"
        )
    if options.kill and options.check:
        parser.error(
            "what --kill leaves arrives with the next run of the same --spool: --check then"
        )
    run(options)


if __name__ == "__main__":
    main()
