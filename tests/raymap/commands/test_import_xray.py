"""`raymap import --from-xray`: what is copied, what a second run copies, and every kind of failure.

The source is a Raymap's API in this process, read by boto3; faults are put in front of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console
from typer.testing import CliRunner

from api.app import create_app
from collector.decode.document import decode_document
from collector.decode.rejected import Rejected
from collector.decode.trace_document import read_traces
from raymap.cli import app
from raymap.commands import import_xray
from raymap.commands.import_source import SourceOptions
from store.memory import MemoryStore
from store.times import DAY
from tests.http_server import serve
from tests.raymap.commands.xray_source import (
    HOURS,
    TRACES,
    Json,
    all_documents,
    set_aws_environment,
)


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_aws_environment(monkeypatch, tmp_path)


class Source:
    """X-Ray's API over some traces; ``fault`` may answer instead of it."""

    def __init__(self, now: float) -> None:
        self.store = MemoryStore()
        found = [decode_document(json.dumps(each).encode(), 1) for each in all_documents(now)]
        self.store.put(found, "a")
        self.app = create_app(self.store, version="1")
        self.requests: list[str] = []
        self.fault: Callable[[str, int], tuple[int, Json] | None] = lambda path, count: None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests.append(scope["path"])
        answer = self.fault(scope["path"], self.requests.count(scope["path"]))
        if answer is None:
            await self.app(scope, receive, send)
            return
        await reply(send, *answer)


class Target:
    """Takes traces as a server does, and remembers what it stored."""

    def __init__(self) -> None:
        self.sent = 0
        self.stored: dict[tuple[str, str], bytes] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        found, rejected = read_traces(body), []
        for raw in found.raws:
            self.sent += 1
            try:
                document = decode_document(raw, 1)
                self.stored[document.trace_id.hex(), f"{document.id:016x}"] = raw
            except Rejected as error:
                rejected.append({"code": str(error.reason), "message": error.message})
        content = {
            "stored": len(found.raws) - len(rejected),
            "skipped_inferred": found.skipped_inferred,
            "rejected": rejected[:1],
            "rejected_count": len(rejected),
        }
        await reply(send, 200, content)


async def reply(send: Any, status: int, content: Json) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if kind := content.get("__type"):
        headers.append((b"x-amzn-errortype", str(kind).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer_of(source: Source, scope: Any, receive: Any) -> Json:
    """What the source answers."""
    parts: list[Any] = []

    async def collect(message: Any) -> None:
        parts.append(message)

    await source(scope, receive, collect)
    content: Json = json.loads(b"".join(part.get("body", b"") for part in parts))
    return content


def refusal(status: int, kind: str, message: str = "no") -> tuple[int, Json]:
    return status, {"__type": kind, "message": message, "Message": message}


@pytest.fixture
def now() -> float:
    return time.time()


@pytest.fixture
def source(now: float) -> Source:
    return Source(now)


@pytest.fixture
def target() -> Target:
    return Target()


class Done(NamedTuple):
    code: int
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def invoke(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; what it printed, by whichever way, is one text."""

    def command(*words: str) -> Done:
        done = CliRunner().invoke(app, list(words))
        return Done(done.exit_code, done.stderr + capfd.readouterr().err)

    return command


@pytest.fixture
def run(invoke: Run) -> Run:
    """Runs an import from one app to another."""

    def command(source: Any, target: Any, *more: str, region: str = "eu-west-1") -> Done:
        with serve(source) as at, serve(target) as to:
            return invoke(*arguments(at, to, *more, region=region))

    return command


def arguments(at: str, to: str, *more: str, region: str = "eu-west-1") -> list[str]:
    words = ["import", "--from-xray", "--from", f"-{HOURS}h", "--endpoint-url", at, "--url", to]
    words += ["--no-settings", "--rate", "1000", *more]
    return words + (["--region", region] if region else [])


def test_throttled_requests_are_repeated(source: Source, target: Target, run: Run) -> None:
    throttled = refusal(429, "ThrottledException", "Rate exceeded")
    source.fault = lambda path, count: throttled if path == "/Traces" and count == 2 else None
    done = run(source, target)
    assert done.code == 0, done.stderr
    assert len({trace for trace, _ in target.stored}) == TRACES


def test_a_source_that_dies_is_continued_where_it_ended(
    source: Source, target: Target, invoke: Run
) -> None:
    """Windows that were complete are not requested again, and nothing is missing at the end."""
    gone = refusal(503, "ServiceUnavailable", "gone")
    source.fault = lambda path, count: gone if path == "/Traces" and count > 6 else None
    with serve(source) as at, serve(target) as to:
        first = invoke(*arguments(at, to))
        assert first.code == 1
        assert "X-Ray refused BatchGetTraces: gone (ServiceUnavailable)." in first.stderr
        assert "The same command continues:" in first.stderr
        before = target.sent
        assert 0 < before < 2 * TRACES
        source.fault = lambda path, count: None
        second = invoke(*arguments(at, to))
        assert second.code == 0, second.stderr
    assert len(target.stored) == 2 * TRACES
    window = 2 * TRACES // HOURS
    assert target.sent <= 2 * TRACES + window, "at most the window in which it ended is sent again"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            refusal(403, "ExpiredTokenException", "The security token is expired"),
            "The AWS credentials are not valid, or no longer (ExpiredTokenException",
        ),
        (
            refusal(403, "AccessDeniedException", "User: x may not xray:GetTraceSummaries"),
            "the policy AWSXrayReadOnlyAccess permits what is needed",
        ),
        (
            refusal(400, "InvalidRequestException", "Invalid filter"),
            "X-Ray refused GetTraceSummaries: Invalid filter",
        ),
    ],
)
def test_a_refusal_is_one_sentence(
    source: Source, target: Target, fault: tuple[int, Json], said: str, run: Run
) -> None:
    source.fault = lambda path, count: fault if path == "/TraceSummaries" else None
    done = run(source, target)
    assert done.code == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert target.sent == 0


def test_a_refused_document_costs_itself_only(source: Source, target: Target, run: Run) -> None:
    async def damaged(scope: Any, receive: Any, send: Any) -> None:
        """The first document of each page has lost its id."""
        if scope["path"] != "/Traces":
            await source(scope, receive, send)
            return
        content = await answer_of(source, scope, receive)
        segment = content["Traces"][0]["Segments"][0]
        document = json.loads(segment["Document"])
        del document["id"]
        segment["Document"] = json.dumps(document)
        await reply(send, 200, content)

    done = run(damaged, target)
    assert done.code == 1
    pages = TRACES // 5
    assert f"{2 * TRACES - pages} segments stored" in done.stderr
    assert f"{pages} refused" in done.stderr
    assert "MissingId" in done.stderr
    assert "The same command continues" not in done.stderr, "it would be refused again"


def test_traces_that_are_not_returned_are_tried_again(
    source: Source, target: Target, invoke: Run
) -> None:
    """First within the run, then by the next one: their window is not complete."""
    waiting: list[int] = []

    async def unprocessed(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/Traces" or len(waiting) >= 30:
            await source(scope, receive, send)
            return
        waiting.append(1)
        body = json.loads((await receive())["body"])
        await reply(send, 200, {"Traces": [], "UnprocessedTraceIds": body["TraceIds"]})

    with serve(unprocessed) as at, serve(target) as to:
        first = invoke(*arguments(at, to))
        assert first.code == 1
        assert "traces named and not returned by X-Ray" in first.stderr
        second = invoke(*arguments(at, to))
        assert second.code == 0, second.stderr
    assert len(target.stored) == 2 * TRACES


def test_a_window_with_too_many_traces_is_halved(
    source: Source, target: Target, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setattr(import_xray, "MOST_IDS", 7)
    done = run(source, target)
    assert done.code == 0, done.stderr
    assert len(target.stored) == 2 * TRACES


def test_a_filter_selects(source: Source, target: Target, run: Run) -> None:
    done = run(source, target, "--filter", 'annotation.tenant = "t1"')
    assert done.code == 0, done.stderr
    assert len({trace for trace, _ in target.stored}) == TRACES // 3


def test_an_interrupted_import_says_how_to_continue(
    source: Source, target: Target, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_xray, "_copy_window", interrupted)
    done = run(source, target)
    assert done.code == 130
    assert "Interrupted. The same command continues:" in done.stderr


def test_a_second_run_copies_what_may_have_grown_and_nothing_else(
    source: Source, target: Target, invoke: Run, now: float
) -> None:
    with serve(source) as at, serve(target) as to:
        assert invoke(*arguments(at, to)).code == 0
        assert target.sent == 2 * TRACES
        source.requests.clear()
        assert invoke(*arguments(at, to)).code == 0
    recent = [each for each in all_documents(now) if each["start_time"] > now - 600]
    assert target.sent == 2 * TRACES + len({each["trace_id"] for each in recent}) * 2
    assert source.requests.count("/TraceSummaries") == 1


def test_traces_that_x_ray_cuts_off_are_counted(source: Source, target: Target, run: Run) -> None:
    async def cutting(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/Traces":
            await source(scope, receive, send)
            return
        content = await answer_of(source, scope, receive)
        content["Traces"][0]["LimitExceeded"] = True
        await reply(send, 200, content)

    done = run(cutting, target)
    assert done.code == 0, done.stderr
    assert f"{TRACES // 5} traces above X-Ray's limit of size, returned in part" in done.stderr


def test_transaction_search_is_mentioned(source: Source, target: Target, run: Run) -> None:
    elsewhere = {"Destination": "CloudWatchLogs", "Status": "ACTIVE"}
    source.fault = lambda path, _: (200, elsewhere) if "SegmentDestination" in path else None
    done = run(source, target)
    assert done.code == 0, done.stderr
    assert "(Transaction Search): X-Ray's API has the indexed ones only" in done.stderr


def test_older_than_x_ray_retains_is_said_but_not_of_another_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = time.time_ns() // 1000
    job = import_xray.Job("http://127.0.0.1:2000", now - 60 * DAY, now)
    start, _ = import_xray._window_of(job, Console(stderr=True))
    assert start == pytest.approx(now - 30 * DAY, abs=5e6)
    assert "X-Ray retains traces for 30 days" in capsys.readouterr().err
    other = job._replace(source=SourceOptions(endpoint_url="http://127.0.0.1:1"))
    assert import_xray._window_of(other, Console(stderr=True)) == (job.since, now)
    assert capsys.readouterr().err == ""


def test_a_server_that_is_not_there_is_named(source: Source, target: Target, invoke: Run) -> None:
    with serve(source) as at:
        done = invoke(*arguments(at, "http://127.0.0.1:9"))
        assert done.code == 1
        assert "No Raymap answers at http://127.0.0.1:9" in done.stderr
        assert "The same command continues:" in done.stderr
        with serve(target) as to:
            assert invoke(*arguments(at, to)).code == 0
    assert len(target.stored) == 2 * TRACES


def test_a_missing_region_is_requested(source: Source, target: Target, run: Run) -> None:
    done = run(source, target, region="")
    assert done.code == 1
    assert "Which region? Name it with --region, or set AWS_REGION." in done.stderr


def test_missing_credentials_are_named(
    source: Source, target: Target, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    done = run(source, target)
    assert done.code == 1
    assert "Unable to locate credentials: run  aws configure" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Name either files, or X-Ray with --from-xray."),
        (["--from-xray", __file__], "Name either files, or X-Ray with --from-xray."),
        ([__file__, "--from", "-3d"], "--from belongs to --from-xray."),
        ([__file__, "--no-settings"], "--settings belongs to --from-xray."),
        (["--from-xray", "--from", "soon"], "--from: 'soon' is no time"),
        (["--from-xray", "--profile", "nowhere"], "nowhere"),
        (["--from-xray", "--region", "r", "--from", "-1h", "--to", "-2h"], "before --to"),
        (["--from-xray", "--region", "r", "--from", "-90d", "--to", "-40d"], "for 30 days"),
    ],
)
def test_what_is_wrong_with_a_command_is_named(words: list[str], said: str, invoke: Run) -> None:
    done = invoke("import", *words)
    assert done.code == 1
    assert said in done.stderr


def test_without_boto3_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, invoke: Run
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = invoke("import", "--from-xray")
    assert done.code == 1
    assert 'needs the package boto3: run  pip install "raymap[xray]"' in done.stderr
