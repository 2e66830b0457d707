"""The messages of gRPC calls, within the budget of the process.

gRPC for Python reads a message as a whole, and says how large it is only then: before it is read, room
for the largest is reserved, and what it did not need is released. Therefore every method is registered
as one that takes a stream: nothing is read beyond the flow control window before the handler wants it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from traceback import clear_frames
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from collector.budget import MAX_BODY, PROCESS, Budget, NoRoom
from collector.charges import SENDER
from collector.receivers.otlp_response import abort_without_room

READ_TIMEOUT = 30.0
"""Seconds for a message to arrive."""
STREAM_MESSAGE = 4 << 20
"""Bytes of a message of a stream, for which room is reserved as long as the stream is open."""


class BoundedMessages(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Around every method; inside what authenticates, so that no message is read without a key."""

    def __init__(self, max_message: int = MAX_BODY, budget: Budget = PROCESS) -> None:
        self._max_message = max_message
        self._budget = budget

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """The handler of a call, which reads its messages within the budget."""
        handler = await continuation(details)
        if handler is None:
            return None
        serialize = handler.response_serializer
        if handler.request_streaming:
            if handler.response_streaming:  # reflection's
                return handler
            return grpc.stream_unary_rpc_method_handler(
                self._streaming(handler), response_serializer=serialize
            )
        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        return make(self._single(handler), response_serializer=serialize)

    def _single(self, handler: grpc.RpcMethodHandler) -> Callable[[Any, Any], Awaitable[Any]]:
        """Of a method that takes one message."""
        behaviour = handler.unary_stream if handler.response_streaming else handler.unary_unary
        parse = handler.request_deserializer or bytes

        async def answer(context: grpc.aio.ServicerContext) -> Any:
            async with self._message(context) as body:
                try:
                    request = parse(body)
                except DecodeError as error:
                    await context.abort(
                        grpc.StatusCode.INVALID_ARGUMENT, f"not a valid message: {error}"
                    )
                    raise
                return await behaviour(request, context)

        async def call(_: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> Any:
            try:
                return await answer(context)
            except grpc.aio.AbortError as aborted:
                # The context has the error, whose frames have the context and the message: a cycle.
                clear_frames(aborted.__traceback__)
                aborted.__context__ = None
                raise

        return call

    def _streaming(self, handler: grpc.RpcMethodHandler) -> Callable[[Any, Any], Awaitable[Any]]:
        """Of a method that takes many messages as bytes."""

        async def call(messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> Any:
            size = min(STREAM_MESSAGE, self._max_message)
            async with self._room(size, context):
                return await handler.stream_unary(_bounded(messages, size, context), context)

        return call

    @asynccontextmanager
    async def _message(self, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        """The message of a call, whose bytes are reserved until it is answered."""
        sender, reserved = SENDER.get(), self._max_message
        try:
            await self._budget.wait(reserved, sender)
        except NoRoom as error:
            await abort_without_room(context, grpc.StatusCode.UNAVAILABLE, error)
        try:
            body = await _read(context)
            self._budget.release(reserved - len(body), sender)
            reserved = len(body)
            yield body
        finally:
            self._budget.release(reserved, sender)
            self._budget.note(reserved)

    @asynccontextmanager
    async def _room(self, size: int, context: grpc.aio.ServicerContext) -> AsyncIterator[None]:
        sender = SENDER.get()
        try:
            await self._budget.wait(size, sender)
        except NoRoom as error:
            await abort_without_room(context, grpc.StatusCode.RESOURCE_EXHAUSTED, error)
        try:
            yield
        finally:
            self._budget.release(size, sender)


async def _read(context: grpc.aio.ServicerContext) -> bytes:
    """The first message; the iterator over messages would have it in a cycle."""
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            body = await context.read()
    except TimeoutError:
        message = f"the message did not arrive within {READ_TIMEOUT:g} seconds"
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, message)
        raise
    if body is grpc.aio.EOF:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expected a message")
    return bytes(body)


async def _bounded(
    messages: AsyncIterator[bytes], size: int, context: grpc.aio.ServicerContext
) -> AsyncIterator[bytes]:
    async for body in messages:
        if len(body) > size:
            message = f"a message of a stream has at most {size:,} bytes, got {len(body):,}"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, message)
        yield body
