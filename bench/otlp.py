"""How many OpenTelemetry spans a second Raymap takes in without losing one, over gRPC and HTTP.

Starts a Raymap of its own and offers OTLP requests in protobuf at growing rates from a process of
its own, each connection waiting for its answer as exporters do. A rate is sustained when every call was
answered in time and every span is stored. On a machine that others use too, the processor time
that a span costs says more than the rate.

    python -m bench.otlp [-- --workers 2]
"""

from __future__ import annotations

import argparse
import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from rich.console import Console
from rich.table import Table

from bench import ingest
from bench.command_line import add_climb_options, add_json_option, add_server_options, write_json
from bench.ingest import MIB, Step
from bench.receivers import Sent, apart, on_schedule
from bench.server import WIDTH, Server, running
from bench.spans import Requests

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass(frozen=True, slots=True)
class Offer:
    """What the sender is to do, and where."""

    receiver: str
    port: int
    rate: float
    seconds: float
    connections: int
    spans_per_call: int


Export = Callable[[bytes], int | None]
"""Sends a request; the number of spans rejected, None when all were or there was no response."""


def grpc_export(port: int) -> Export:
    channel = grpc.insecure_channel(
        f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
    )
    call = channel.unary_unary(_EXPORT, None, ExportTraceServiceResponse.FromString)

    def export(body: bytes) -> int | None:
        try:
            answer: ExportTraceServiceResponse = call(body, timeout=30)
        except grpc.RpcError:
            return None
        return answer.partial_success.rejected_spans

    return export


def http_export(port: int) -> Export:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def export(body: bytes) -> int | None:
        try:
            headers = {"Content-Type": "application/x-protobuf"}
            connection.request("POST", "/v1/traces", body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        if answer.status != 200:
            return None
        return ExportTraceServiceResponse.FromString(said).partial_success.rejected_spans

    return export


_EXPORTS = {"grpc": grpc_export, "http": http_export}


def send(offer: Offer) -> Sent:
    """Run in a process of its own (`bench.receivers.apart`)."""
    requests = Requests(offer.spans_per_call)
    requests.next()
    spans = requests.spans

    def connect() -> Callable[[], int]:
        export = _EXPORTS[offer.receiver](offer.port)

        def call() -> int:
            refused = export(requests.next())
            return 0 if refused is None else spans - refused

        return call

    return on_schedule(connect, spans, offer.rate, offer.seconds, offer.connections)


@dataclass(frozen=True, slots=True)
class SpanStep(Step):
    """With the processor time that a stored span took, microseconds by role."""

    cost: dict[str, float]


class Bench(ingest.Bench):
    """Rates of spans; climbing and counting are `bench.ingest`'s."""

    def __init__(self, server: Server, ports: dict[str, int], options: argparse.Namespace) -> None:
        super().__init__(server, options)
        self._ports = ports

    def attempt(self, receiver: str, rate: float) -> SpanStep:
        options = self._options
        offer = Offer(
            receiver,
            self._ports[receiver],
            rate,
            options.seconds,
            options.connections,
            options.spans_per_call,
        )
        stored, metric = self._stored.count(), self._metric()
        used, begun = self._server.usage(), time.monotonic()
        sent = apart(send, offer)
        offered_until = time.monotonic()
        gained = self._stored.settled(stored + sent.acknowledged) - stored
        drained = time.monotonic()
        later, after = self._server.usage(), self._metric()
        seconds = drained - begun
        cores = ingest._cpu(used, later, seconds)
        cpu = {role: value * seconds for role, value in cores.items()}
        return SpanStep(
            receiver=receiver,
            offered=rate,
            sent=sent.sent / sent.seconds,
            acknowledged=sent.acknowledged / sent.seconds,
            stored=gained / sent.seconds,
            lost=max(0, sent.acknowledged - gained),
            refused=sent.refused,
            drained_seconds=drained - offered_until,
            metric=None if metric is None or after is None else after - metric,
            cpu=cores,
            rss_mib={role: usage.rss_bytes / MIB for role, usage in later.items()},
            cost={role: spent * 1e6 / gained for role, spent in cpu.items()} if gained else {},
        )


def _print(console: Console, receiver: str, steps: list[SpanStep]) -> None:
    table = Table(title=f"OTLP over {receiver}")
    for column in ("offered/s", "ack'd/s", "stored/s", "lost", "refused", "drain", "metric"):
        table.add_column(column, justify="right")
    for column in ("cores", "µs a span", "MiB"):
        table.add_column(column)
    for step in steps:
        rates = (step.offered, step.acknowledged, step.stored, step.lost, step.refused)
        table.add_row(
            *(f"{value:,.0f}" for value in rates),
            f"{step.drained_seconds:.1f} s",
            "–" if step.metric is None else f"{step.metric:,.0f}",
            "  ".join(f"{role} {value:.2f}" for role, value in step.cpu.items()),
            "  ".join(f"{role} {cost:.0f}" for role, cost in step.cost.items()),
            "  ".join(f"{role} {value:.0f}" for role, value in step.rss_mib.items()),
            style="green" if step.sustained else "red",
        )
    console.print(table)
    sustained_rates = [step.acknowledged for step in steps if step.sustained]
    best = f"{max(sustained_rates):,.0f} spans/s" if sustained_rates else "no rate that was tried"
    console.print(f"highest rate without loss over {receiver}: {best}\n")


def _free_ports(receivers: list[str]) -> dict[str, int]:
    """One for each receiver; taken all at once, so that they differ."""
    sockets = {receiver: socket.create_server(("127.0.0.1", 0)) for receiver in receivers}
    ports = {receiver: taken.getsockname()[1] for receiver, taken in sockets.items()}
    for taken in sockets.values():
        taken.close()
    return ports


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.otlp", description=__doc__)
    parser.add_argument(
        "--receivers", default="grpc,http", help="grpc, http or both; default: both"
    )
    parser.add_argument("--connections", type=int, default=16, help="one for each exporter")
    parser.add_argument("--spans-per-call", type=int, default=500, help="SDKs send up to 512")
    add_climb_options(parser, start=4000.0, stop=500_000.0)
    add_json_option(parser)
    add_server_options(parser)
    return parser.parse_args()


def main() -> None:
    options = parse()
    console = Console(width=WIDTH)
    figures: list[SpanStep] = []
    ports = _free_ports(["grpc", "http"])
    given = ["--grpc-port", str(ports["grpc"]), "--otlp-port", str(ports["http"])]
    with running([*given, *options.options], options.log) as server:
        requests = Requests(options.spans_per_call)
        size = len(requests.next())
        console.print(
            f"ready after {server.seconds_to_ready:.2f} s; {requests.spans} spans a call, "
            f"{size / requests.spans:.0f} B each, {options.connections} connections\n"
        )
        bench = Bench(server, ports, options)
        for receiver in options.receivers.split(","):
            steps = [step for step in bench.climb(receiver) if isinstance(step, SpanStep)]
            figures += steps
            _print(console, receiver, steps)
    write_json(options.json, figures)


if __name__ == "__main__":
    main()
