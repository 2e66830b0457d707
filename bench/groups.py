"""The map of many services, drawn as boxes: what the API takes.

    python -m bench.groups                      # 10,000 services of 60 teams in three accounts
    python -m bench.groups --services 2000 --rounds 5

Chains of five services in front of tables and hosts, 4 % of them failing, are sent to a server of its own and counted;
then the map is requested as it was (`boxes=none`), in boxes, one box of it, and a service by name. Windows are of a past minute, so that nothing but
reading is measured; of one that changed, a trace was added and counted before each request, as of a map that is watched.
"""

from __future__ import annotations

import argparse
import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from bench.command_line import add_json_option, add_server_options, write_json
from bench.http_reads import HEAD, HttpReads, Read, Request, line_of
from bench.sections import table
from bench.server import Server, running

TEAMS, ACCOUNTS, DEPTH = 60, 3, 5
PER_CALL = 50
FAILING = 0.04
AGAIN = 8.0
"""Seconds in which one more trace is counted, watched or not."""


def names(services: int) -> list[list[str]]:
    """Chains of services of the teams; half of the calls stay in a team, the others go to one of the three it calls."""
    random = Random(7)
    called = [[random.randrange(TEAMS) for _ in range(3)] for _ in range(TEAMS)]
    chains = []
    for chain in range(services // DEPTH):
        teams = [chain % TEAMS]
        while len(teams) < DEPTH:
            teams.append(teams[-1] if random.random() < 0.5 else random.choice(called[teams[-1]]))
        chains.append([f"team{of:02}-{chain:04}-{step}" for step, of in enumerate(teams)])
    return chains


def documents(chain: Sequence[str], at: float, random: Random) -> Iterator[dict[str, Any]]:
    """A trace through a chain."""
    trace = f"1-{int(at):08x}-{random.getrandbits(96):024x}"
    fault = random.random() < FAILING
    parent = None
    for step, name in enumerate(chain):
        own, call, query = (f"{random.getrandbits(64):016x}" for _ in range(3))
        begin, end = at + step * 0.01, at + 0.2 - step * 0.01
        onward = chain[step + 1] if step + 1 < len(chain) else "api.stripe.com"
        yield {
            "trace_id": trace,
            "id": own,
            **({"parent_id": parent} if parent else {}),
            "name": name,
            "origin": "AWS::ECS::Container",
            "aws": {"account_id": f"{int(name[4:6]) % ACCOUNTS + 1:012}"},
            "start_time": begin,
            "end_time": end,
            "fault": fault and step > 1,
            "http": {"request": {"method": "GET", "url": f"https://{name}.example/"}},
            "subsegments": [
                {
                    "id": call,
                    "name": onward,
                    "namespace": "remote",
                    "start_time": begin + 0.001,
                    "end_time": end - 0.001,
                    "fault": fault and step > 0,
                },
                *(
                    [
                        {
                            "id": query,
                            "name": "DynamoDB",
                            "namespace": "aws",
                            "start_time": begin + 0.001,
                            "end_time": begin + 0.003,
                            "aws": {"operation": "GetItem", "table_name": f"{name[:11]}-table"},
                        }
                    ]
                    if step == 1
                    else []
                ),
            ],
        }
        parent = call


def send(server: Server, chains: Sequence[Sequence[str]], rounds: int = 2) -> tuple[int, int]:
    """Send traces through all chains; the whole minutes they are in."""
    random = Random(11)
    minute = int(time.time()) // 60 * 60 - 120
    waiting: list[dict[str, Any]] = []
    for round in range(rounds):
        for number, chain in enumerate(chains):
            at = minute + 2 + (number * rounds + round) % 50
            waiting += documents(chain, at, random)
            if len(waiting) >= PER_CALL:
                _post(server, waiting)
                waiting = []
    if waiting:
        _post(server, waiting)
    return minute, minute + 60


def _post(server: Server, found: Sequence[dict[str, Any]]) -> None:
    body = json.dumps({"TraceSegmentDocuments": [json.dumps(each) for each in found]}).encode()
    request = urllib.request.Request(f"{server.http}/TraceSegments", body)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert not json.loads(answer.read()).get("UnprocessedTraceSegments")


class GroupReads(HttpReads):
    """Reads of the map of many services."""

    def __init__(
        self, server: Server, window: tuple[int, int], rounds: int, chains: Sequence[Sequence[str]]
    ) -> None:
        super().__init__(server, rounds)
        self._chain = chains[0]
        self.window = {"from": window[0], "to": window[1]}

    def until_counted(self, services: int) -> None:
        """Until the map has all of them."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            found = json.loads(self.get("/api/map", {**self.window, "boxes": "account"}))
            if found["total_nodes"] > services:
                time.sleep(5)
                return
            time.sleep(2)
        raise SystemExit("the services were not counted within five minutes")

    def reads(self) -> Iterator[Read]:
        """Each read, measured."""
        yield self.measure("map, nodes", partial(self._request, "/api/map", boxes="none"))
        for by in ("account", "prefix"):
            yield self.measure(f"map, by {by}", partial(self._request, "/api/map", boxes=by))
            yield self.measure(
                f"map, by {by}, changed", partial(self._request, "/api/map", boxes=by), self._change
            )
        found = json.loads(self.get("/api/map", {**self.window, "boxes": "prefix"}))
        box = next((each["id"] for each in found["nodes"] if each.get("box")), None)
        if box:
            yield self.measure(
                "one box", partial(self._request, "/api/map", boxes="prefix", inside=box)
            )
        yield self.measure("search", partial(self._request, "/api/services", q="team31-0"))

    def _change(self) -> None:
        """Another trace in the window, counted: what was drawn before is not what is drawn now."""
        _post(self._server, list(documents(self._chain, self.window["from"] + 30, Random())))
        time.sleep(AGAIN)

    def _request(self, path: str, _: int, **query: str) -> Request:
        return path, {**self.window, **query}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7, help="requests of each kind")
    add_json_option(parser)
    add_server_options(parser)
    options = parser.parse_args()
    with running(options.options, options.log) as server:
        chains = names(options.services)
        window = send(server, chains)
        bench = GroupReads(server, window, options.rounds, chains)
        bench.until_counted(options.services)
        bench.settle()
        reads = []
        print("\n".join(table(HEAD, ())))
        for read in bench.reads():
            reads.append(read)
            print(line_of(read), flush=True)
    write_json(options.json, reads)


if __name__ == "__main__":
    main()
