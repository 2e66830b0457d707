"""What lists of traces and a trace cost over HTTP in a dense hour, and which statements they consist of.

A server is sent the shop of `bench.peers` at a steady rate, and counts it. Then each read is requested for the whole
time, again and again; ``--statements`` asks once more in this process and lists what each statement of it takes.
``--data`` keeps the folder: with another version of the code the same spans are read again.

    python -m bench.search.dense_hour --spans 300000 --data /tmp/hour --statements
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.command_line import add_json_option, add_server_options, write_json
from bench.http_reads import HEAD, HttpReads, Request, line_of
from bench.map_reads import SETTLED
from bench.peers.load import Offer, Sent, send
from bench.receivers import apart_all
from bench.search.statements import statements_of
from bench.sections import table
from bench.server import Server, running
from bench.shop import Shop

SERVICES = "cart", "gateway", "payment", "quote"
FAILING = "gateway"
USER_KEY = "enduser.id"
TIER = "annotation[shop.tier]"
LIMIT = 20
Reads = Mapping[str, Callable[[int], Request]]
"""What each round requests, by name."""


@dataclass(frozen=True, slots=True)
class Hour:
    """When the last span was sent, epoch seconds, and the ids of some traces."""

    end: float
    traces: list[str]

    @property
    def window(self) -> dict[str, float]:
        """The hour that ends then."""
        return {"from": round(self.end - 3600, 3), "to": round(self.end, 3)}


def main() -> None:
    """Print the table, and the statements below."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=300_000)
    parser.add_argument("--rate", type=float, default=4000.0, help="spans a second")
    parser.add_argument("--rounds", type=int, default=12, help="requests of each kind")
    parser.add_argument("--only", default="", help="reads, separated by commas; all by default")
    parser.add_argument("--data", type=Path, help="a folder for the data, and used again")
    parser.add_argument("--statements", action="store_true", help="list the statements of each")
    add_json_option(parser)
    add_server_options(parser)
    options = parser.parse_args()
    with running(options.options, options.log, options.data) as server:
        hour = _filled(server, options)
        bench = HttpReads(server, options.rounds)
        reads = reads_of(_nodes(bench, hour), hour)
        only = set(filter(None, options.only.split(","))) or reads.keys()
        bench.settle()
        chosen = {name: read for name, read in reads.items() if name in only}
        measured = []
        print("\n".join(table(HEAD, ())))
        for name, read in chosen.items():
            measured.append(bench.measure(name, read))
            print(line_of(measured[-1]), flush=True)
        print(
            f"SELECT 1 by the driver: {bench.floor():.1f} ms; an empty answer of the API: {bench.empty():.1f} ms"
        )
        if options.statements:
            for name, (path, params) in ((name, read(0)) for name, read in chosen.items()):
                print("\n".join(("", name, *statements_of(server.data_dir, path, params))))
    write_json(options.json, measured)


def reads_of(nodes: Mapping[str, str], hour: Hour) -> Reads:
    """Each read; the window is the whole hour, the attribute's value another one in each round."""
    page = {**hour.window, "limit": LIMIT}
    users = _users()

    def listed(**params: Any) -> Request:
        return "/api/traces", {**page, **params}

    def v1(**params: Any) -> Request:
        return "/api/v1/traces", {**page, **params}

    def service(round: int) -> str:
        return SERVICES[round % len(SERVICES)]

    def of_user(round: int) -> str:
        return f'annotation[{USER_KEY}] = "{users[round % len(users)]}"'

    def trace(round: int) -> str:
        return hour.traces[(round * 37) % len(hour.traces)]

    return {
        "newest": lambda round: listed(),
        "service": lambda round: listed(node=nodes[service(round)]),
        "service + fault": lambda round: listed(node=nodes[FAILING], status="fault"),
        "attribute": lambda round: listed(filter=of_user(round)),
        "common attribute": lambda round: listed(filter=f'{TIER} = "gold"'),
        "service + attribute": lambda round: listed(node=nodes[FAILING], filter=of_user(round)),
        "service as a filter": lambda round: listed(filter=f'service("{service(round)}")'),
        "v1: service": lambda round: v1(node=nodes[service(round)]),
        "v1: service + fault": lambda round: v1(node=nodes[FAILING], status="fault"),
        "v1: attribute": lambda round: v1(filter=of_user(round)),
        "v1: common attribute": lambda round: v1(filter=f'{TIER} = "gold"'),
        "trace": lambda round: (f"/api/traces/{trace(round)}", {}),
        "v1: trace": lambda round: (f"/api/v1/traces/{trace(round)}", {}),
    }


def _filled(server: Server, options: argparse.Namespace) -> Hour:
    """Send the spans, and wait until all of them are counted, unless the folder has them."""
    mark = server.data_dir / "bench-dense-hour.json"
    if mark.exists():
        return Hour(**json.loads(mark.read_text()))
    (sent,) = apart_all(send, [Offer(server.grpc, options.spans, rate=options.rate)])  # type: ignore[arg-type]
    assert isinstance(sent, Sent)
    hour = Hour(time.time(), [id.hex() for id in sent.trace_ids])
    print(f"{sent.acknowledged:,} spans in {sent.seconds:.0f} s", flush=True)
    time.sleep(SETTLED)
    mark.write_text(json.dumps(asdict(hour)))
    return hour


def _nodes(bench: HttpReads, hour: Hour) -> dict[str, str]:
    """The ids of nodes by name; the map is watched from now on."""
    found = json.loads(bench.get("/api/map", hour.window))
    services = [each for each in found["nodes"] if not each["type"].startswith("client")]
    return {each["name"]: each["id"] for each in services}


def _users() -> list[str]:
    """Values of an attribute that few traces have: each user of the shop's."""
    found = dict[str, None]()
    for body in Shop(Offer("", 0).traces, 800).bodies:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for span in resource.scope_spans[0].spans:
                found.update(
                    (each.value.string_value, None)
                    for each in span.attributes
                    if each.key == USER_KEY
                )
    return [*found]


if __name__ == "__main__":
    main()
