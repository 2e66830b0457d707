"""Four samplers at once against two API processes: is what they record what the rules say?

    python -m examples.clients.samplers http://127.0.0.1:2000 http://127.0.0.1:2001 \
        --node FOLDER --adot PYTHON

FOLDER has `npm install` of samplers/package.json; PYTHON has aws-opentelemetry-distro. Sampling rules
of the server are created and deleted. Exits with 1 if anything is off.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from examples.clients.samplers.proxy import Recorded, start_proxy

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
RULES: dict[str, dict[str, Any]] = {
    "checkout": {"Priority": 10, "URLPath": "/checkout/*", "FixedRate": 0.05, "ReservoirSize": 10},
    "health": {"Priority": 11, "URLPath": "/health", "FixedRate": 0.0, "ReservoirSize": 0},
    "rest": {"Priority": 12, "URLPath": "*", "FixedRate": 0.2, "ReservoirSize": 21},
}
ROUTES = {"checkout": "/checkout/7", "health": "/health", "rest": "/products/3"}
SETTLED, CHANGE = 55, 85
"""Seconds after the begin from which quotas are distributed, and at which a rule changes."""
CHANGED_RATE = 0.6
SLOW_SDK = "xray_node"
"""It reads the expiry of a quota, and the time of the last change, as milliseconds: it borrows one
request a second whatever its quota is, and reads changed rules only every five minutes."""

Counts = list[tuple[int, dict[str, tuple[int, int]]]]


def post(api: str, path: str, **body: Any) -> Any:
    """The JSON of an operation."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(api + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def create_rules(api: str) -> None:
    """The rules, new."""
    known = post(api, "/GetSamplingRules")["SamplingRuleRecords"]
    for name in {each["SamplingRule"]["RuleName"] for each in known} & RULES.keys():
        post(api, "/DeleteSamplingRule", RuleName=name)
    for name, values in RULES.items():
        everywhere = dict.fromkeys(("ResourceARN", "ServiceName", "ServiceType", "Host"), "*")
        rule = {"RuleName": name, "HTTPMethod": "*", "Version": 1, **everywhere, **values}
        post(api, "/CreateSamplingRule", SamplingRule=rule)


def commands(node: Path, adot: str) -> dict[str, tuple[list[str], Path]]:
    """How each sampler is run, and where."""
    return {
        "xray_python": ([sys.executable, "-m", f"{__package__}.xray_python"], ROOT),
        "adot_python": ([adot, "-m", f"{__package__}.adot_python"], ROOT),
        "xray_node": (["node", str(HERE / "xray_node.mjs")], node),
        "otel_js": (["node", str(HERE / "otel_js.mjs")], node),
    }


def taken(client: str, quota: int | None) -> int:
    """Requests a second that a client takes from the reservoir, given its quota."""
    if quota is None or client == SLOW_SDK:
        return 1
    return quota


def deviation(
    rule: str, begin: float, counts: dict[str, Counts], recorded: dict[str, Recorded]
) -> tuple[int, int, float, float]:
    """Requests, sampled, expected, and by how many standard deviations they differ."""
    rate, size = float(RULES[rule]["FixedRate"]), int(RULES[rule]["ReservoirSize"])
    requests = sampled = 0
    expected = variance = 0.0
    for client, seconds in counts.items():
        for second, routes in seconds:
            if not SETTLED <= second < CHANGE:
                continue
            n, s = routes[ROUTES[rule]]
            quota = recorded[client].quota(rule, begin + second)
            first = min(n, taken(client, quota)) if size else 0
            requests, sampled = requests + n, sampled + s
            expected += first + rate * (n - first)
            variance += rate * (1 - rate) * (n - first)
    off = (sampled - expected) / math.sqrt(variance) if variance else float(sampled)
    return requests, sampled, expected, off


def quotas_distributed(rule: str, begin: float, recorded: dict[str, Recorded]) -> set[int]:
    """Sums of the quotas that the clients had, second by second."""
    times = [begin + second + 0.5 for second in range(SETTLED, CHANGE)]
    return {sum(each.quota(rule, at) or 0 for each in recorded.values()) for at in times}


def polls_until_changed(changed: float, recorded: Recorded) -> tuple[int, float]:
    """After how many answers a client had the new rate, and how many seconds that took."""
    later = [(at, documents) for at, documents in recorded.targets if at > changed]
    for number, (at, documents) in enumerate(later, 1):
        if documents.get("rest", {}).get("FixedRate") == CHANGED_RATE:
            return number, at - changed
    return 0, math.inf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("apis", nargs="+")
    parser.add_argument("--node", type=Path, required=True)
    parser.add_argument("--adot", required=True)
    parser.add_argument("--seconds", type=int, default=115)
    parser.add_argument("--rate", type=int, default=80, help="requests a second, route and client")
    given = parser.parse_args()
    create_rules(given.apis[0])
    begin = time.time() + 8
    running, recorded = {}, {}
    for number, (name, (command, folder)) in enumerate(commands(given.node, given.adot).items()):
        address, recorded[name] = start_proxy(given.apis[number % len(given.apis)])
        arguments = [address, str(begin), str(given.seconds), str(given.rate)]
        running[name] = subprocess.Popen(
            [*command, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True
        )
    time.sleep(max(0.0, begin + CHANGE - time.time()))
    changed = time.time()
    update = {"RuleName": "rest", "FixedRate": CHANGED_RATE}
    post(given.apis[-1], "/UpdateSamplingRule", SamplingRuleUpdate=update)
    moved = {"RuleName": "checkout", "URLPath": "/closed/*"}
    post(given.apis[-1], "/UpdateSamplingRule", SamplingRuleUpdate=moved)
    output = {name: process.communicate()[0] for name, process in running.items()}
    counts: dict[str, Counts] = {
        name: [json.loads(line) for line in text.splitlines()] for name, text in output.items()
    }
    good = report(begin, changed, counts, recorded)
    for name in RULES:
        post(given.apis[0], "/DeleteSamplingRule", RuleName=name)
    raise SystemExit(0 if good else 1)


def report(
    begin: float, changed: float, counts: dict[str, Counts], recorded: dict[str, Recorded]
) -> bool:
    """Print what came out; whether all of it is as it must be."""
    whole = {
        name: sum(n for _, routes in seconds for n, _ in routes.values())
        for name, seconds in counts.items()
    }
    print("requests:", sum(whole.values()), whole)
    good = all(whole.values())
    for rule in RULES:
        requests, sampled, expected, off = deviation(rule, begin, counts, recorded)
        sums = quotas_distributed(rule, begin, recorded)
        fine = abs(off) <= 3 and sums == {RULES[rule]["ReservoirSize"]}
        good &= fine
        print(
            f"{rule}: {sampled} of {requests} sampled, expected {expected:.0f} ({off:+.2f} sigma); "
            f"quotas add up to {sorted(sums)} of {RULES[rule]['ReservoirSize']}"
        )
    for name, each in recorded.items():
        polls, seconds = polls_until_changed(changed, each)
        read = [at - changed for at in each.rules if at > changed]
        good &= 0 < polls <= 2 and (bool(read) or name == SLOW_SDK)
        again = f"rules read again after {read[0]:.1f} s" if read else "rules not read again"
        print(f"{name}: changed rate after {polls} polls, {seconds:.1f} s; {again}")
    return good


if __name__ == "__main__":
    main()
