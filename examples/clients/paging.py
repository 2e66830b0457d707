"""Pages through GetTraceSummaries while traces arrive: is each trace listed once?

    python -m examples.clients.paging http://127.0.0.1:2000 [--pages 100] [--rate 500]

Sends enough traces to fill the pages, waits until they are stored, and pages while further ones
arrive, half of them up to 20 s late. Exits with 1 unless every trace that existed at the
first call is listed exactly once, and no trace twice.
"""

from __future__ import annotations

import argparse
import json
import secrets
import threading
import time
import urllib.request
from collections import Counter
from typing import Any

PAGE = 100
"""Summaries in a page of GetTraceSummaries."""
BATCH = 50
"""Segments in a request of PutTraceSegments."""


def request(url: str, body: object = None) -> Any:
    """The JSON of a GET, or of a POST with a body."""
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=120) as answer:
        return json.load(answer)


def send(api: str, starts: list[float], mark: str) -> list[str]:
    """One-segment traces that start then; their ids, once acknowledged."""
    ids = [f"1-{int(start):08x}-{secrets.token_hex(12)}" for start in starts]
    documents = [
        {
            "trace_id": id,
            "id": secrets.token_hex(8),
            "name": f"paging-{mark}",
            "start_time": start,
            "end_time": start + 0.01,
            "annotations": {"paging": mark},
        }
        for id, start in zip(ids, starts, strict=True)
    ]
    for at in range(0, len(documents), BATCH):
        texts = [json.dumps(document) for document in documents[at : at + BATCH]]
        answer = request(f"{api}/TraceSegments", {"TraceSegmentDocuments": texts})
        assert not answer.get("UnprocessedTraceSegments"), answer
    return ids


def wait_until_stored(api: str) -> None:
    """Until what was acknowledged can be read."""
    while request(f"{api}/api/status")["ingest"]["queued"]:
        time.sleep(0.05)


def arrive(api: str, rate: int, begin: float, mark: str, ended: threading.Event) -> int:
    """Send traces until the end, half of them up to 20 s late; how many a second."""
    started, sent = time.monotonic(), 0
    while not ended.is_set():
        now = time.time()
        starts = [now if n % 2 else now - n * 0.4 for n in range(BATCH)]
        sent += len(send(api, [max(start, begin) for start in starts], mark))
        ended.wait(max(0.0, sent / rate - (time.monotonic() - started)))
    return round(sent / (time.monotonic() - started))


def pages(api: str, begin: float, mark: str, most: int) -> list[list[str]]:
    """Ids of the summaries, page by page."""
    body = {
        "StartTime": begin - 1,
        "EndTime": time.time() + 3600,
        "FilterExpression": f'annotation.paging = "{mark}"',
    }
    found: list[list[str]] = []
    while len(found) < most:
        page = request(f"{api}/TraceSummaries", body)
        found.append([summary["Id"] for summary in page["TraceSummaries"]])
        if "NextToken" not in page:
            break
        body["NextToken"] = page["NextToken"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("api")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rate", type=int, default=500, help="traces a second")
    given = parser.parse_args()
    begin, mark = time.time() - 3000, secrets.token_hex(4)
    count = given.pages * PAGE
    before = send(given.api, [begin + 2900 * n / count for n in range(count)], mark)
    wait_until_stored(given.api)
    ended, rates = threading.Event(), []
    sender = threading.Thread(
        target=lambda: rates.append(arrive(given.api, given.rate, begin, mark, ended))
    )
    sender.start()
    started = time.monotonic()
    found = pages(given.api, begin, mark, 10 * given.pages)
    took = time.monotonic() - started
    ended.set()
    sender.join()
    times = Counter(id for page in found for id in page)
    missing = [id for id in before if not times[id]]
    twice = [id for id, n in times.items() if n > 1]
    print(
        f"{len(found)} pages in {took:.1f} s while {rates[0]} traces/s arrived: of {len(before)} "
        f"traces before, {len(missing)} missing; {len(twice)} of {len(times)} listed twice"
    )
    raise SystemExit(1 if missing or twice or len(found) < given.pages else 0)


if __name__ == "__main__":
    main()
