"""Behind the queue: a worker that takes messages, and the mailer it asks over HTTP."""

from __future__ import annotations

from examples.two_sdks.cloud import Queue
from examples.two_sdks.tracer import Tracer
from examples.two_sdks.wire import Answer, Headers, Message, Request


class Mailer:
    """Sends mail; an order's name says how that ends."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def serve(self, request: Request) -> Answer:
        status = 503 if request.query["order"].startswith("bounced") else 202
        return self._tracer.http_server(request, lambda: Answer(status))


class Worker:
    """Tells customers; a message it fails on stays undeleted."""

    def __init__(self, tracer: Tracer, queue: Queue, mailer: Mailer, mailer_host: str) -> None:
        self._tracer = tracer
        self._queue, self._mailer, self._mailer_host = queue, mailer, mailer_host

    def run(self) -> None:
        """Take messages until there are none."""
        parameters = {"QueueUrl": self._queue.url, "MaxNumberOfMessages": 3}
        while messages := self._tracer.poll(
            self._queue.client, parameters, lambda _: self._queue.receive(3)
        ).get("Messages"):
            for message in messages:
                self._take(message)

    def _take(self, message: Message) -> None:
        self._tracer.message(self._queue.name, message, lambda: self._tell(message))

    def _tell(self, message: Message) -> None:
        to = Request("POST", self._mailer_host, "/mail", {"order": message.body})
        answer = self._tracer.http_client(to, lambda headers: self._mail(to, headers))
        if answer.status_code >= 400:
            raise RuntimeError(f"the mailer said {answer.status_code}")
        parameters = {"QueueUrl": self._queue.url, "ReceiptHandle": message.receipt}
        self._tracer.aws(
            self._queue.client, "DeleteMessage", parameters, lambda _: self._queue.delete()
        )

    def _mail(self, request: Request, headers: Headers) -> Answer:
        arrived = Request(request.method, request.host, request.path, request.query, headers)
        return self._mailer.serve(arrived)
