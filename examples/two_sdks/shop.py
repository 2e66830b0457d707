"""The shop: a front and orders over HTTP, an inventory over gRPC. Nothing here knows an SDK."""

from __future__ import annotations

from grpc import StatusCode

from examples.two_sdks.cloud import Database, Queue, Table
from examples.two_sdks.tracer import Tracer
from examples.two_sdks.wire import Answer, Headers, Request, RpcFailed

RESERVE = "/shop.Inventory/Reserve"
_HTTP = {
    StatusCode.NOT_FOUND: 404,
    StatusCode.ABORTED: 409,
    StatusCode.RESOURCE_EXHAUSTED: 429,
}


class Inventory:
    """The inventory: the name of an item decides how a request for it ends."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def reserve(self, sku: str, headers: Headers) -> None:
        self._tracer.rpc_server(RESERVE, headers, lambda: self._reserve(sku))

    def _reserve(self, sku: str) -> None:
        code = getattr(StatusCode, sku.upper(), None)
        if code is not None:
            raise RpcFailed(code)


class Orders:
    """Reserves, prices, keeps and announces an order."""

    def __init__(
        self,
        tracer: Tracer,
        inventory: Inventory,
        inventory_host: str,
        database: Database,
        table: Table,
        queue: Queue,
    ) -> None:
        self._tracer = tracer
        self._inventory, self._inventory_host = inventory, inventory_host
        self._database, self._table, self._queue = database, table, queue

    def serve(self, request: Request) -> Answer:
        return self._tracer.http_server(request, lambda: self._order(request))

    def _order(self, request: Request) -> Answer:
        order, sku = request.query["order"], request.query.get("sku", "book")
        try:
            self._tracer.rpc_client(
                self._inventory_host, RESERVE, lambda headers: self._inventory.reserve(sku, headers)
            )
        except RpcFailed as failed:
            return Answer(_HTTP.get(failed.code, 500))
        self._tracer.work("price", lambda: self._price(sku))
        errors = self._table.client.exceptions
        try:
            self._keep(order)
        except errors.ConditionalCheckFailedException:
            return Answer(409)
        except errors.ProvisionedThroughputExceededException:
            return Answer(429)
        try:
            self._announce(order)
        except self._queue.client.exceptions.ClientError:
            return Answer(429)
        return Answer(201)

    def _price(self, sku: str) -> None:
        table = "prices" if sku == "book" else "prices_of_tomorrow"
        statement = f"SELECT price FROM {table} WHERE sku = ?"
        self._tracer.sql(self._database, statement, lambda: self._database.ask(statement, sku))

    def _keep(self, order: str) -> None:
        item = {"TableName": self._table.name, "Item": {"order": {"S": order}}}
        self._tracer.aws(self._table.client, "PutItem", item, lambda _: self._table.put(item))

    def _announce(self, order: str) -> None:
        delay = 900 if order.startswith("later") else 0
        message = {"QueueUrl": self._queue.url, "MessageBody": order, "DelaySeconds": delay}
        self._tracer.aws(
            self._queue.client,
            "SendMessage",
            message,
            lambda headers: self._queue.send(message, headers),
        )


class Front:
    """Where visitors enter."""

    def __init__(self, tracer: Tracer, orders: Orders, orders_host: str, carrier: str) -> None:
        self._tracer = tracer
        self._orders, self._orders_host, self._carrier = orders, orders_host, carrier

    def serve(self, request: Request) -> Answer:
        return self._tracer.http_server(request, lambda: self._route(request))

    def _route(self, request: Request) -> Answer:
        match request.path:
            case "/":
                return Answer(200)
            case "/login":
                return Answer(429)
            case "/crash":
                return Answer(200 // len(request.query))
            case "/orders":
                to = Request("POST", self._orders_host, "/orders", request.query)
                return self._tracer.http_client(to, lambda headers: self._pass_on(to, headers))
            case "/quote":
                to = Request("GET", self._carrier, "/quote", request.query)
                return self._tracer.http_client(to, lambda _: _carrier(to))
        return Answer(404)

    def _pass_on(self, request: Request, headers: Headers) -> Answer:
        arrived = Request(request.method, request.host, request.path, request.query, headers)
        return self._orders.serve(arrived)


def _carrier(request: Request) -> Answer:
    """A carrier that reports nothing and is sometimes unreachable."""
    status = int(request.query["answer"])
    if not status:
        raise ConnectionError("connection refused")
    return Answer(status)
