"""The fixed requests, and the five services put together for them."""

from __future__ import annotations

from contextlib import closing

from examples.two_sdks.cloud import Database, Queue, Table
from examples.two_sdks.shop import Front, Inventory, Orders
from examples.two_sdks.tracer import Sdk
from examples.two_sdks.wire import Request
from examples.two_sdks.worker import Mailer, Worker

VISITS: tuple[tuple[str, dict[str, str], int], ...] = (
    ("/", {}, 200),
    ("/", {}, 200),
    ("/", {}, 200),
    ("/nothing", {}, 404),
    ("/nothing", {}, 404),
    ("/login", {}, 429),
    ("/crash", {}, 500),
    ("/orders", {"order": "first"}, 201),
    ("/orders", {"order": "second"}, 201),
    ("/orders", {"order": "third"}, 201),
    ("/orders", {"order": "bounced"}, 201),  # the mailer fails, and with it the worker
    ("/orders", {"order": "later-1"}, 201),  # these stay in the queue
    ("/orders", {"order": "later-2"}, 201),
    ("/orders", {"order": "first"}, 409),  # DynamoDB 400: the condition
    ("/orders", {"order": "second"}, 409),
    ("/orders", {"order": "hot"}, 429),  # DynamoDB 400: a throttle
    ("/orders", {"order": "flood"}, 429),  # SQS 400: a throttle without a class of its own
    ("/orders", {"order": "ill"}, 500),  # DynamoDB 500
    ("/orders", {"order": "a", "sku": "not_found"}, 404),
    ("/orders", {"order": "b", "sku": "not_found"}, 404),
    ("/orders", {"order": "c", "sku": "aborted"}, 409),
    ("/orders", {"order": "d", "sku": "resource_exhausted"}, 429),
    ("/orders", {"order": "e", "sku": "internal"}, 500),
    ("/orders", {"order": "f", "sku": "unpriced"}, 500),  # the SQL fails
    ("/quote", {"answer": "200"}, 200),
    ("/quote", {"answer": "200"}, 200),
    ("/quote", {"answer": "404"}, 404),
    ("/quote", {"answer": "429"}, 429),
    ("/quote", {"answer": "503"}, 503),
    ("/quote", {"answer": "0"}, 500),  # cannot be reached
)
"""Path, query, and the status the front answers."""


def run(sdk: Sdk, mark: str = "") -> None:
    """Every visit once, then the worker until its queue is empty. ``mark`` ends all names."""

    def named(name: str) -> str:
        return f"{name}-{mark}" if mark else name

    def host(name: str) -> str:
        return f"{named(name)}.example.com"

    with closing(Database(named("shop"), host("db"))) as database:
        table, queue = Table(named("orders-table")), Queue(named("orders-queue"))
        inventory = Inventory(sdk.tracer(named("inventory")))
        orders = Orders(
            sdk.tracer(named("orders")), inventory, host("inventory"), database, table, queue
        )
        front = Front(sdk.tracer(named("front")), orders, host("orders"), host("carrier"))
        mailer = Mailer(sdk.tracer(named("mailer")))
        worker = Worker(sdk.tracer(named("worker")), queue, mailer, host("mailer"))
        for path, query, expected in VISITS:
            method = "POST" if path == "/orders" else "GET"
            answer = front.serve(Request(method, host("www"), path, query))
            if answer.status_code != expected:
                raise AssertionError(f"{path} {query}: {answer.status_code}, not {expected}")
        worker.run()
    sdk.close()
