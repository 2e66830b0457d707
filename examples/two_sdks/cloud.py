"""What the shop keeps things in: a table and a queue that answer as AWS does, and a SQL database.

Their failures are botocore's own exceptions, so that the SDKs see what they would see.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Mapping
from typing import Any

import botocore.session

from examples.two_sdks.wire import Headers, Message

Response = dict[str, Any]
_OK: Response = {
    "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "4MD5R7", "RetryAttempts": 0}
}


def client(service: str) -> Any:
    """A client of botocore; nothing is called through it, it knows names and errors."""
    return botocore.session.get_session().create_client(
        service, region_name="eu-west-1", aws_access_key_id="local", aws_secret_access_key="local"
    )


class Table:
    """A DynamoDB table. An order that is there is refused; some orders' names bring failures."""

    FAILURES = (
        ("hot", "ProvisionedThroughputExceededException", 400),
        ("ill", "InternalServerError", 500),
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.client = client("dynamodb")
        self._orders: set[str] = set()

    def put(self, parameters: Mapping[str, Any]) -> Response:
        order = parameters["Item"]["order"]["S"]
        if order in self._orders:
            raise self._error("ConditionalCheckFailedException", 400)
        for name, code, status in self.FAILURES:
            if order.startswith(name):
                raise self._error(code, status)
        self._orders.add(order)
        return _OK

    def _error(self, code: str, status: int) -> Exception:
        response = {
            "Error": {"Code": code, "Message": "said the table"},
            "ResponseMetadata": {**_OK["ResponseMetadata"], "HTTPStatusCode": status},
        }
        error: Exception = self.client.exceptions.from_code(code)(response, "PutItem")
        return error


class Queue:
    """A queue of SQS. A message that is to come later never comes in the time of a run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = f"https://sqs.eu-west-1.amazonaws.com/123456789012/{name}"
        self.client = client("sqs")
        self._waiting: deque[Message] = deque()
        self._count = 0

    def send(self, parameters: Mapping[str, Any], headers: Headers) -> Response:
        if parameters["MessageBody"].startswith("flood"):
            raise self._throttle()
        self._count += 1
        message = Message(f"receipt-{self._count}", parameters["MessageBody"], headers)
        if not parameters.get("DelaySeconds"):
            self._waiting.append(message)
        return {**_OK, "MessageId": f"message-{self._count}"}

    def _throttle(self) -> Exception:
        """SQS has no modelled throttle: botocore's ClientError has the code in its message only."""
        response = {
            "Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"},
            "ResponseMetadata": {**_OK["ResponseMetadata"], "HTTPStatusCode": 400},
        }
        error: Exception = self.client.exceptions.from_code("ThrottlingException")(
            response, "SendMessage"
        )
        return error

    def receive(self, most: int) -> Response:
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return {**_OK, "Messages": taken} if taken else _OK

    def delete(self) -> Response:
        return _OK


class Database:
    """SQLite in the part of a PostgreSQL server."""

    user = "shop"
    port = 5432

    def __init__(self, name: str, host: str) -> None:
        self.name, self.host = name, host
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute("CREATE TABLE prices (sku TEXT, price REAL)")
        self._connection.execute("INSERT INTO prices VALUES ('book', 19.9)")

    def ask(self, statement: str, *values: str) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        self._connection.close()
