"""Invokes one function in three languages with two tracers, under AWS's emulator; prints each map.

    python -m examples.lambda_functions --rie ~/go/bin/aws-lambda-rie

A client, boto3 with X-Ray's SDK, invokes the function four times; the function writes to DynamoDB, but for the last
time, when it raises. X-Ray's SDKs send to the layer's extension, OpenTelemetry's to Raymap; the extension passes the
platform's records on. Each run has a `raymap serve` of its own. Printed are nodes and edges with their
``ok error throttle fault``, and each difference from the first run. The exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
from aws_xray_sdk.core import patch, xray_recorder
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from examples.lambda_functions import plan
from examples.lambda_functions.programs import RUNS, Run, prepare, program
from examples.lambda_functions.record import write
from examples.lambda_functions.service import LambdaService, serving
from examples.lambda_layer.emulate import (
    NAME,
    PATIENCE,
    REGION,
    TIMEOUT,
    Function,
    Invoked,
    dynamodb,
    installed_extension,
)
from examples.lambda_layer.stand_in import Platform
from examples.two_sdks.diff import Figures, read_graph
from examples.two_sdks.live.programs import prepare_each
from examples.two_sdks.live.record import Recorder
from examples.two_sdks.live.servers import Addresses, raymap

BUILD = Path.home() / ".cache" / "raymap-lambda-functions"


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rie", required=True, help="the emulator's binary")
    parser.add_argument("--only", default="", help="runs whose names contain this")
    parser.add_argument("--build", type=Path, default=BUILD, help="folder for builds")
    parser.add_argument("--record", type=Path, help="folder for what is sent, as samples for tests")
    options = parser.parse_args()
    options.build.mkdir(parents=True, exist_ok=True)
    selected = [run for run in RUNS if options.only.lower() in str(run).lower()]
    skipped = prepare_each((run.language for run in selected), options.build, prepare)
    unexplained = 0
    patch(("botocore",))
    with installed_extension(), dynamodb() as table:
        for run in selected:
            if run.language in skipped:
                print(f"{run}: SKIPPED: {skipped[run.language]}\n")
                continue
            try:
                unexplained += _say(run, _run(run, options, table))
            except (OSError, RuntimeError, queue.Empty, BotoCoreError, ClientError) as error:
                unexplained += 1
                print(f"{run}: FAILED: {error!r}\n")
    sys.exit(1 if unexplained or len(skipped) == len(selected) else 0)


def _run(run: Run, options: argparse.Namespace, table: str) -> plan.Result:
    print(f"running {run}", file=sys.stderr)
    began = time.time()
    with ExitStack() as stack:
        server = stack.enter_context(raymap())
        recorder = stack.enter_context(Recorder(server))
        to = recorder.addresses
        spool = stack.enter_context(tempfile.TemporaryDirectory())
        platform = Platform()
        stack.callback(platform.close)
        code = program(run, options.build, to.http)
        function = Function(options.rie, to.http, platform, table, spool, code)
        stack.callback(function.stop)
        service = LambdaService(function, platform)
        _invoke(stack.enter_context(serving(service)), to)
        result = _settled(server, began, run, service.invoked)
        if options.record:
            write(options.record, run, recorder, options.build)
    return result


def _invoke(url: str, to: Addresses) -> None:
    """The client, traced by X-Ray's SDK."""
    xray_recorder.configure(service="web", daemon_address=to.udp, sampling=False)
    client = boto3.client(
        "lambda",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=TIMEOUT),
    )
    for event in plan.EVENTS:
        with xray_recorder.in_segment("web"):
            client.invoke(FunctionName=NAME, Payload=json.dumps(event))


def _settled(server: Addresses, since: float, run: Run, invoked: list[Invoked]) -> plan.Result:
    """What the server says as soon as it is what is expected, or when time is up."""
    expected = plan.expected()
    deadline = time.monotonic() + PATIENCE
    while (found := _found(server, since, invoked)) != expected and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def _found(server: Addresses, since: float, invoked: list[Invoked]) -> plan.Result:
    cold, reports = [], []
    for each in invoked:
        documents = _get(server, f"/api/v1/traces/{each.trace_id}").get("documents", {}).values()
        cold.append(any(d.get("annotations", {}).get("lambda_cold_start") for d in documents))
        lines = _get(server, f"/api/v1/traces/{each.trace_id}/logs").get("lines", [])
        reports.append(sum(line["record"] == "report" for line in lines))
    return plan.Result(read_graph(server.graph(since)), cold, reports)


def _get(server: Addresses, path: str) -> Any:
    try:
        with urllib.request.urlopen(server.http + path, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError:  # a trace that has not arrived
        return {}


def _say(run: Run, result: plan.Result) -> int:
    """Print a run's map and how it differs; how many differences there are."""
    print(f"{run}")
    for what in (*_lines(result.graph.nodes), *_lines(result.graph.edges)):
        print(f"  {what}")
    print(f"  cold starts {result.cold}, REPORT lines {result.reports}")
    found = plan.compared(run, result)
    for difference in found:
        print(f"  {difference}: UNEXPECTED")
    print()
    return len(found)


def _lines(figures: Mapping[Any, Figures]) -> list[str]:
    return [f"{what}: {' '.join(map(str, counts[:4]))}" for what, counts in sorted(figures.items())]


if __name__ == "__main__":
    main()
