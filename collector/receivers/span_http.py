"""What the HTTP doors for spans share: a body of one of a few types in, an answer once it is kept.

How an answer and a failure are worded is each protocol's own.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import Response

from collector.decode.rejected import Rejected
from collector.pipeline import Decoded, IngestPipeline
from collector.queue import QueueFull
from collector.receivers.body import Bodies, BodyError
from collector.receivers.http import HttpLimits
from store.model import Document

PROTOBUF, JSON = "application/x-protobuf", "application/json"
BIG = 64 << 10
"""Bodies above this are decoded in a thread, so that the event loop goes on answering."""
RETRY_AFTER = 1
"""Seconds after which to come again when there was no room."""

Decoder = Callable[[bytes, int], Iterable[Document | Rejected]]


class SpanHttpReceiver(ABC):
    """One route that takes spans, over an intake that its owner starts and stops."""

    path: ClassVar[str]
    name: ClassVar[str]
    """In the counters."""
    decoders: ClassVar[Mapping[str, Decoder]]
    """By media type; the first one is taken when nothing is said."""

    def __init__(self, pipeline: IngestPipeline, limits: HttpLimits | None = None) -> None:
        limits = limits or HttpLimits()
        self._intake = pipeline
        self._bodies = Bodies(
            max_bytes=limits.max_body, timeout=limits.read_timeout, max_held=limits.max_held
        )

    @abstractmethod
    def answer(self, media: str, decoded: Decoded, refused: tuple[Document, ...]) -> Response:
        """What to say once everything is kept but the rejected and what the store refused."""

    @abstractmethod
    def failure(self, media: str, status: int, message: str) -> Response:
        """That nothing was taken, and why."""

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter()
        router.add_api_route(
            self.path,
            self.post,
            methods=["POST"],
            response_class=Response,
            include_in_schema=False,
            name=self.name,
        )
        return router

    async def post(self, request: Request) -> Response:
        """A request, answered when its spans are kept."""
        first = next(iter(self.decoders))
        media = request.headers.get("content-type", first).partition(";")[0].strip().lower()
        decoder = self.decoders.get(media)
        if decoder is None:
            expected = " or ".join(self.decoders)
            message = f"content-type: expected {expected}, got {media[:60]!r}"
            return self._failed(first, 415, message)
        try:
            async with self._bodies.read(request) as body:
                decoded = await self._decode(decoder, body)
                refused = await asyncio.wrap_future(self._intake.submit(decoded.documents))
            return self.answer(media, decoded, refused)
        except BodyError as error:
            return self._failed(media, error.status, error.message)
        except Rejected as rejected:
            return self._failed(media, 400, rejected.message)
        except QueueFull as error:
            return self._failed(media, 503, str(error))

    async def _decode(self, decoder: Decoder, body: bytes) -> Decoded:
        """Raises Rejected as the decoder does."""
        decode = partial(self._intake.decode_request, partial(decoder, body), self.name)
        if len(body) <= BIG:
            return decode()
        return await asyncio.get_running_loop().run_in_executor(None, decode)

    def _failed(self, media: str, status: int, message: str) -> Response:
        response = self.failure(media, status, message)
        if status == 503:
            response.headers["Retry-After"] = str(RETRY_AFTER)
        elif status != 400:
            response.headers["Connection"] = "close"  # the rest of the body is not read
        return response
