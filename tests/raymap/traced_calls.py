"""A program with X-Ray's SDK, run by test_xray_whitelist.py: prints the document of its calls, which reach no network.

Its arguments: ``extended``, or not; and a JSON list of ``[service, operation, parameters]``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
from aws_xray_sdk.core import patch, xray_recorder
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ParamValidationError


class Emitter:
    """In place of the datagrams."""

    def send_entity(self, entity: Any) -> None:
        print(entity.serialize())


def answer(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """What a service answers; botocore takes it in place of a request."""
    return AWSResponse("", 200, {}, None), {"ResponseMetadata": {"HTTPStatusCode": 200}}


def main() -> None:
    """Make the calls in one segment."""
    extended, calls = sys.argv[1] == "extended", json.loads(sys.argv[2])
    patch(["botocore"])
    if extended:
        from raymap.xray_whitelist import extend_whitelist

        extend_whitelist()
        extend_whitelist()
    xray_recorder.configure(emitter=Emitter(), sampling=False, plugins=())
    session = boto3.session.Session("id", "secret", region_name="eu-west-1")
    with xray_recorder.in_segment("shop"):
        for service, operation, parameters in calls:
            client = session.client(service)
            client.meta.events.register("before-call", answer)
            try:
                getattr(client, operation)(**parameters)
            except ParamValidationError:
                print("refused by botocore", file=sys.stderr)


if __name__ == "__main__":
    main()
