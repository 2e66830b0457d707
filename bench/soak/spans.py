"""The half of the load that is OTLP: spans of the shop (`bench.shop`) over gRPC, with random trace ids."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from api.graph.build import build_graph
from api.xray.service_graph_json import render_services
from bench.peers.load import Offer, Sender
from bench.shop import Shop
from bench.soak.traces import Count, count
from collector.decode.otlp.request import decode_otlp
from store.memory import MemoryStore
from store.model import Document
from store.service_graph import build_service_graph

TRACES = 600
"""Of 10 spans in a round, 12 requests; a round is never interrupted."""
_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Sent:
    """Spans so far, in whole rounds; ``refused`` is known at the end."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0


def run(target: str, rate: float, out: Connection, stop: threading.Event) -> None:
    """A sender's process: rounds at a rate until stopped, and after each what was sent."""
    load = Sender(Offer(target, 0, _CONNECTIONS, rate, TRACES))
    out.send(Sent())
    with load.connected() as begun:
        while not stop.is_set():
            load.round(begun)
            out.send(Sent(load.sent.sent, load.sent.acknowledged))
    sent, acknowledged = load.sent.sent, load.sent.acknowledged
    out.send(Sent(sent, acknowledged, sent - acknowledged))
    out.close()


def expected(sent: int) -> Count:
    """What the map has to count of so many spans, in whole rounds."""
    round, total = count(services()), Count()
    rounds, rest = divmod(sent, Shop(TRACES, 800).spans)
    assert not rest, "a round was interrupted"
    for node, units in round.nodes.items():
        total.nodes[node] = units * rounds
    for edge, units in round.edges.items():
        total.edges[edge] = units * rounds
    return total


def services() -> list[dict[str, Any]]:
    """GetServiceGraph's services for one round, by the store's specification in Python."""
    store = MemoryStore()
    bodies = Shop(TRACES, 800).bodies
    found = [each for body in bodies for each in decode_otlp(body, 1)]
    documents = [each for each in found if isinstance(each, Document)]
    store.put(documents, "round")
    traces = store.get_traces(list({document.trace_id for document in documents}))
    return render_services(build_graph(build_service_graph(traces.values())))
