"""A stand-in for SAM CLI, which needs Docker: its command line, its lines, functions that are traced.

The lines are those of SAM CLI 1.170 and of AWS's emulator 1.34. The functions run X-Ray's SDK as in
Lambda and send their segments by UDP to the address that SAM would pass on.

    sam_stand_in.py local invoke HelloWorldFunction [--add-host host.docker.internal:host-gateway]
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import uuid
from contextlib import suppress
from types import FrameType

HOST = "host.docker.internal"


def resolved(address: str, words: list[str]) -> str:
    """The address as a container would resolve it: by --add-host alone."""
    host, _, port = address.rpartition(":")
    if host == HOST:
        assert f"{HOST}:host-gateway" in words, "no container on Linux knows this name"
        host = "127.0.0.1"
    return f"{host}:{port}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def handler(request_id: str) -> None:
    """What the documentation says a function does, then a call."""
    digits = request_id.replace("-", "")
    os.environ["_X_AMZN_TRACE_ID"] = (
        f"Root=1-{digits[:8]}-{digits[8:]};Parent={digits[16:]};Sampled=1"
    )
    from aws_xray_sdk.core import xray_recorder

    with xray_recorder.in_subsegment("DynamoDB", namespace="aws") as subsegment:
        subsegment.set_aws({"operation": "GetItem", "table_name": "sam-table"})
        time.sleep(0.02)


def invoke(name: str) -> None:
    request_id = str(uuid.uuid4())
    say("Invoking app.lambda_handler (python3.12)")
    say("Local image is up-to-date")
    say(
        f"Mounting /home/me/app/.aws-sam/build/{name} as /var/task:ro,delegated, inside runtime "
        "container"
    )
    say("SAM_CONTAINER_ID: 2a1f5a9d0e1c")
    say(f"START RequestId: {request_id} Version: $LATEST")
    began = time.perf_counter()
    say("hello from the function")
    handler(request_id)
    took = (time.perf_counter() - began) * 1000
    say(f"END RequestId: {request_id}")
    say(
        f"REPORT RequestId: {request_id}\tInit Duration: 120.50 ms\tDuration: {took:.2f} ms\t"
        f"Billed Duration: {took + 0.5:.0f} ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t"
    )
    say("")
    print(json.dumps({"statusCode": 200}), flush=True)


def main() -> None:
    words = sys.argv[1:]
    address = resolved(os.environ["AWS_XRAY_DAEMON_ADDRESS"], words)
    os.environ |= {"AWS_XRAY_DAEMON_ADDRESS": address, "LAMBDA_TASK_ROOT": "/var/task"}
    os.environ.pop("_X_AMZN_TRACE_ID", None)
    if words[1] == "invoke":
        invoke(words[-1])
        sys.exit(3)

    def stop(number: int, _: FrameType | None) -> None:
        """Only that the signal does not end the process."""

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)  # a byte for each, where calls of handlers may coincide
    say("2026-11-28 15:00:00 Press CTRL+C to quit")
    received = os.read(reader, 1)
    time.sleep(0.5)  # one that comes twice is seen
    os.set_blocking(reader, False)
    with suppress(BlockingIOError):
        received += os.read(reader, 100)
    say(f"stopped by {' '.join(signal.Signals(number).name for number in received)}.")
    sys.exit(7)


if __name__ == "__main__":
    main()
