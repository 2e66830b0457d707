"""The base of the HTTP receivers for spans: decodes the body by media type, responds when durable.

Subclasses render success and failure in their protocol's form.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import Response

from collector.decode.rejected import Rejected
from collector.group_commit import JournalFull
from collector.journal.format import Kind
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.body import Bodies, BodyError
from collector.receivers.offload import decode_off_loop
from collector.receivers.refusals import refusal_headers
from collector.settings import HttpLimits


class SpanHttpReceiver(ABC):
    """One route for spans over a pipeline that its owner starts and stops."""

    path: ClassVar[str]
    name: ClassVar[str]
    """The label ``receiver`` of the metrics."""
    kinds: ClassVar[Mapping[str, Kind]]
    """By media type; the first one is the default."""

    def __init__(self, pipeline: IngestPipeline, limits: HttpLimits | None = None) -> None:
        limits = limits or HttpLimits()
        self._pipeline = pipeline
        self._bodies = Bodies.within(limits)

    @abstractmethod
    def success(self, media: str, decoded: Decoded) -> Response:
        """The response once the documents are durable, but for the rejected ones."""

    @abstractmethod
    def failure(self, media: str, status: int, message: str) -> Response:
        """The response when nothing was stored, with the reason."""

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
        """Decode, store and respond."""
        first = next(iter(self.kinds))
        media = request.headers.get("content-type", first).partition(";")[0].strip().lower()
        kind = self.kinds.get(media)
        if kind is None:
            expected = " or ".join(self.kinds)
            message = f"content-type: expected {expected}, got {media[:60]!r}"
            return self._failed(first, 415, message)
        try:
            async with self._bodies.read(request) as body:
                decoded = await self._decode(kind, body)
                await asyncio.wrap_future(self._pipeline.submit(decoded))
            return self.success(media, decoded)
        except BodyError as error:
            return self._failed(media, error.status, error.message)
        except Rejected as rejected:
            return self._failed(media, 400, rejected.message)
        except JournalFull as error:
            return self._failed(media, 503, str(error))

    async def _decode(self, kind: Kind, body: bytes) -> Decoded:
        """Raises Rejected as the decoder does."""
        decode = partial(self._pipeline.decode_request, kind, body, self.name)
        return await decode_off_loop(len(body), decode)

    def _failed(self, media: str, status: int, message: str) -> Response:
        response = self.failure(media, status, message)
        response.headers.update(refusal_headers(status))
        return response
