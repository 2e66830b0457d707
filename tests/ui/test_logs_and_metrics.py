"""Log lines and metrics of a Lambda function in a real browser, from what Firehose delivers."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from store.times import MINUTE
from tests.collector.decode.metrics.test_points import cloudwatch, delimited, export
from tests.lambda_samples import delivery, log_batch, record
from tests.waiting import eventually

pytestmark = pytest.mark.browser


class Function(NamedTuple):
    """An invocation with its lines, two hours ago."""

    url: str
    trace_id: str
    node: str
    window: str


@pytest.fixture(scope="module")
def function(raymap_server: Any) -> Function:
    start = int(time.time()) - 7_200
    name = f"checkout-{secrets.token_hex(3)}"
    request = f"{secrets.token_hex(4)}-9175-4dea-83b0-a71384c4f507"
    root = f"1-{start:08x}-{secrets.token_hex(12)}"
    report = (
        f"REPORT RequestId: {request}\tDuration: 100.00 ms\tBilled Duration: 101 ms\t"
        "Memory Size: 1024 MB\tMax Memory Used: 90 MB\tInit Duration: 250.00 ms\t\n"
        f"XRAY TraceId: {root}\tSegmentId: {secrets.token_hex(8)}\tSampled: true\t"
    )
    lines = [f"START RequestId: {request} Version: 42", "[ERROR]\tx\tno stock", "hello", report]
    batch = log_batch(*lines, at=start * 1_000_000, logGroup=f"/aws/lambda/{name}")
    raymap_server.post("/firehose/logs", delivery(record(batch)))
    metric = cloudwatch("IteratorAge", FunctionName=name)
    point = metric.summary.data_points[0]
    point.start_time_unix_nano = start * 1_000_000 // MINUTE * 60_000_000_000
    data = base64.b64encode(delimited(export(metric))).decode()
    raymap_server.post("/firehose/metrics", delivery({"data": data}))
    window = f"from={start - 60}&to={start + 120}"

    def nodes() -> list[str]:
        return [
            each["id"]
            for each in raymap_server.get(f"/api/map?{window}")["nodes"]
            if each["name"] == name and each["type"] == "AWS::Lambda::Function"
        ]

    (node,) = eventually(nodes)
    eventually(lambda: raymap_server.get(f"/api/v1/traces/{root}/logs")["lines"])
    return Function(raymap_server.http, root, node, window)


def test_lines_stand_under_the_function(page: Page, function: Function) -> None:
    page.goto(f"{function.url}/traces/{function.trace_id}")
    page.get_by_role("tab", name="Logs").click()
    rows = page.locator(".log-lines tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("START RequestId")
    expect(rows.nth(1)).to_contain_text("Error")
    expect(rows.nth(2)).to_contain_text("hello")
    expect(rows.nth(3)).to_contain_text("Lambda")
    page.locator(".log-lines h2 button").click()
    expect(page.get_by_label("Segment details").first).to_be_visible()


def test_a_trace_without_lines_says_how_to_send_them(page: Page, raymap_server: Any) -> None:
    now = time.time() - 3_600
    id = f"1-{int(now):08x}-{secrets.token_hex(12)}"
    document = {"trace_id": id, "id": secrets.token_hex(8), "name": "quiet"}
    raymap_server.send({**document, "start_time": now, "end_time": now + 1})
    eventually(lambda: _stored(raymap_server, id))
    page.goto(f"{raymap_server.http}/traces/{id}?tab=logs")
    expect(page.locator(".log-empty")).to_contain_text("/firehose/logs")


def _stored(server: Any, id: str) -> bool:
    try:
        server.get(f"/api/traces/{id}")
    except OSError:
        return False
    return True


def test_metrics_have_their_source(page: Page, function: Function) -> None:
    page.goto(f"{function.url}/map?{function.window}&sel={function.node}")
    metrics = page.locator(".metrics")
    expect(metrics.get_by_role("button", name="InitDuration")).to_contain_text("platform records")
    expect(metrics.get_by_role("button", name="IteratorAge")).to_contain_text("platform metrics")
    expect(metrics.get_by_role("button", name="InitDuration")).to_contain_text("250 ms")
    expect(metrics.locator("summary")).to_contain_text("DeadLetterErrors")
    metrics.get_by_role("button", name="InitDuration").click()
    expect(metrics.get_by_label("InitDuration over time")).to_be_visible()
