"""AWS X-Ray as the source of an import, by boto3: which traces there are, their documents, settings.

Every attempt, also one that botocore makes again, takes a token of the rate limit. Throttling is
botocore's: its adaptive mode retries with backoff and jitter, and sends more slowly.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from raymap.commands.import_checkpoint import Span
from raymap.errors import CommandError
from store.times import SECOND


class TokenBucket:
    """A token bucket: ``rate`` tokens a second, of which at most ``burst`` are saved."""

    def __init__(
        self, rate: float, burst: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = burst, clock()

    def reserve(self) -> float:
        """Take a token; the seconds to wait before it may be used."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)

    def wait(self) -> None:
        """Take a token and wait until it may be used."""
        if pause := self.reserve():
            time.sleep(pause)


Json = dict[str, Any]
MAX_IDS = 5
"""Trace ids in a BatchGetTraces request (docs/xray-format.md §14)."""
ATTEMPTS = 8
"""Unless AWS_MAX_ATTEMPTS says otherwise: half a minute or so of botocore's pauses."""
EXPIRED = {
    "ExpiredTokenException",
    "ExpiredToken",
    "RequestExpired",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
}
DENIED = {"AccessDeniedException", "AccessDenied", "NotAuthorized"}


class SourceOptions(NamedTuple):
    """Where X-Ray is; '' for what boto3's own configuration says."""

    profile: str = ""
    region: str = ""
    endpoint_url: str = ""
    rate: float = 5.0
    """Requests a second."""


class SourceError(CommandError):
    """X-Ray, or what is between here and it, refused."""


class TracePage(NamedTuple):
    """Traces as BatchGetTraces returns them, and ids that it did not process."""

    traces: list[Json]
    unprocessed: list[str]


class XraySource:
    """Reads one account and region."""

    def __init__(self, options: SourceOptions) -> None:
        import boto3
        from botocore.config import Config

        attempts = {} if "AWS_MAX_ATTEMPTS" in os.environ else {"total_max_attempts": ATTEMPTS}
        config = Config(
            retries={"mode": "adaptive", **attempts},
            connect_timeout=10,
            read_timeout=60,
            user_agent_extra="raymap-import",
        )
        with said_in_a_sentence():
            session = boto3.Session(
                profile_name=options.profile or None, region_name=options.region or None
            )
            self._client = session.client(
                "xray", endpoint_url=options.endpoint_url or None, config=config
            )
        bucket = TokenBucket(options.rate)
        self._client.meta.events.register("before-send.xray", lambda **_: bucket.wait())
        self.region: str = session.region_name
        self.endpoint: str = self._client.meta.endpoint_url

    def trace_ids(self, window: Span, filter: str) -> Iterator[str]:
        """Ids of the traces that began in a window, as GetTraceSummaries finds them."""
        request: Json = {"StartTime": _time(window[0]), "EndTime": _time(window[1])}
        if filter:
            request["FilterExpression"] = filter
        for page in self._pages("get_trace_summaries", **request):
            for summary in page["TraceSummaries"]:
                yield summary["Id"]

    def traces(self, ids: Sequence[str]) -> Iterator[TracePage]:
        """The traces' documents; a trace may be in several pages, each time with others."""
        for page in self._pages("batch_get_traces", TraceIds=list(ids)):
            yield TracePage(page.get("Traces", []), page.get("UnprocessedTraceIds", []))

    def sampling_rules(self) -> list[Json]:
        """Sampling rules, Default among them."""
        pages = self._pages("get_sampling_rules")
        return [record["SamplingRule"] for page in pages for record in page["SamplingRuleRecords"]]

    def groups(self) -> list[Json]:
        """Groups, Default among them."""
        return [group for page in self._pages("get_groups") for group in page["Groups"]]

    def tags(self, arn: str) -> dict[str, str]:
        """Tags of a sampling rule or group, without those that AWS itself sets."""
        pages = self._pages("list_tags_for_resource", ResourceARN=arn)
        tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        return {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}

    def sends_spans_to_logs(self) -> bool:
        """Whether the account uses Transaction Search, so that X-Ray has the indexed share only."""
        try:
            with said_in_a_sentence():
                answer = self._client.get_trace_segment_destination()
        except SourceError:  # an older policy forbids the question
            return False
        return bool(answer.get("Destination") == "CloudWatchLogs")

    def _pages(self, operation: str, **request: Any) -> Iterator[Json]:
        with said_in_a_sentence():
            yield from self._client.get_paginator(operation).paginate(**request)


@contextmanager
def said_in_a_sentence() -> Iterator[None]:
    """Raise SourceError for what boto3 raises."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise SourceError(_refusal(error)) from None
    except BotoCoreError as error:
        raise SourceError(_failure(error)) from None


def _refusal(error: Any) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", "")) or str(error)
    if code in EXPIRED:
        return f"The AWS credentials are not valid, or no longer ({code}: {message}): renew them."
    if code in DENIED:
        return f"{message} ({code}): the policy AWSXrayReadOnlyAccess permits what is needed."
    return f"X-Ray refused {error.operation_name}: {message} ({code})."


def _failure(error: Exception) -> str:
    from botocore import exceptions as botocore

    if isinstance(error, botocore.NoRegionError):
        return "Which region? Name it with --region, or set AWS_REGION."
    if isinstance(error, botocore.NoCredentialsError | botocore.PartialCredentialsError):
        return f"{error}: run  aws configure , or name a profile with --profile."
    text = f"{error}".rstrip(".") + "."
    unavailable = isinstance(error, botocore.HTTPClientError | botocore.ConnectionError)
    return f"X-Ray does not answer: {text}" if unavailable else text


def _time(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / SECOND, UTC)
