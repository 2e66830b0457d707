"""Things → documents, as SDKs write them: with the flags, statuses and exceptions of their states."""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random
from typing import Any

from bench.recall.scenario import Call, Join, Letter, Step, Thing, Work
from bench.recall.topology import AWS_ACCOUNT, OUTSIDE
from store.model import NodeKey, State

_SPELLINGS = {
    "dynamodb": ("dynamodb", "DynamoDB", "AmazonDynamoDB"),
    "s3": ("s3", "S3"),
    "sqs": ("sqs", "SQS", "AmazonSQS"),
    "sns": ("sns", "SNS"),
    "lambda": ("lambda", "Lambda", "AWSLambda"),
    "secretsmanager": ("secretsmanager",),
}
_STATUSES = {State.OK: 200, State.ERROR: 404, State.THROTTLE: 429, State.FAULT: 503}


class Writer:
    """Writes letters; chance decides among the ways in which SDKs say the same."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def segment(
        self,
        work: Work,
        *,
        finished: bool,
        calls: Iterable[tuple[Call, bool]] = (),
        steps: Iterable[Step] = (),
        joins: Iterable[tuple[Join, bool]] = (),
    ) -> Letter:
        """A segment that embeds these calls (finished or not) and steps. A join is reported with
        whether this segment is its receiver."""
        calls, steps = list(calls), list(steps)
        document = self._common(work, finished)
        document |= {"trace_id": work.trace_id, "name": work.node.name}
        if work.node.type:
            document["origin"] = work.node.type
        self._locate(document, work.node)
        if work.parent is not None:
            document["parent_id"] = f"{work.parent.id:016x}"
        if finished:
            document["http"] = {
                "request": {"method": "GET", "url": "http://shop.example.com/orders"},
                "response": {"status": self._fail(document, work.state)},
            }
        embedded = [self._step(step) for step in steps]
        embedded += [self._call(call, done) for call, done in calls]
        links = [_link(join, receiver) for join, receiver in joins]
        if links and embedded and self._random.random() < 0.5:
            embedded[0]["links"] = links  # as Lambda does, on a subsegment
        elif links:
            document["links"] = links
        if embedded:
            document["subsegments"] = embedded
        shows: list[tuple[Thing, bool]] = [(work, finished), *calls]
        return Letter(_dump(document), [*shows, *((step, True) for step in steps)])

    def streamed(self, thing: Call | Step, below: Thing, *, within: Iterable[Call] = ()) -> Letter:
        """A subsegment on its own; a step may embed calls, a call may embed calls too."""
        document = self._step(thing) if isinstance(thing, Step) else self._call(thing, True)
        document |= {
            "type": "subsegment",
            "trace_id": thing.work.trace_id,
            "parent_id": f"{below.id:016x}",
        }
        inner = list(within)
        if inner:
            document["subsegments"] = [self._call(call, True) for call in inner]
        return Letter(_dump(document), [(thing, True), *((call, True) for call in inner)], below)

    def _locate(self, document: dict[str, Any], node: NodeKey) -> None:
        """Account and region of a segment, which may be named, an ARN's or a zone's."""
        aws: dict[str, Any] = {"account_id": node.account} if node.account else {}
        if node.region:
            match self._random.randrange(4):
                case 0:
                    aws["region"] = node.region
                case 1:
                    document["resource_arn"] = f"arn:aws:ecs:{node.region}::service/x"
                case 2:
                    aws["ec2"] = {"availability_zone": f"{node.region}b"}
                case _:
                    aws["cloudwatch_logs"] = [{"arn": f"arn:aws:logs:{node.region}::log-group:x"}]
        if aws:
            document["aws"] = aws

    def _common(self, thing: Thing, finished: bool) -> dict[str, Any]:
        document: dict[str, Any] = {"id": f"{thing.id:016x}", "start_time": thing.start / 1e6}
        if not finished:
            return document | {"in_progress": True}
        document["end_time"] = thing.end / 1e6
        if self._random.random() < 0.5:
            document["in_progress"] = False  # Python's SDK always says so
        return document

    def _step(self, step: Step) -> dict[str, Any]:
        document = self._common(step, True) | {"name": "## step"}
        if self._random.random() < 0.5:
            document["namespace"] = "local"
        return document

    def _call(self, call: Call, finished: bool) -> dict[str, Any]:
        document = self._common(call, finished)
        remote = call.kind in OUTSIDE
        document["namespace"] = "remote" if remote else "aws"
        document["name"] = call.host if remote else self._random.choice(_SPELLINGS[call.kind])
        if call.kind == "sql":
            document["sql"] = {"url": "postgresql://db.example.com/orders", "user": "shop"}
        elif not remote:
            document["aws"] = {"operation": "Do"} | _resource(call)
        if finished:
            status = self._fail(document, call.state, aws=not remote, sql=call.kind == "sql")
            if call.kind != "sql":
                document["http"] = {"response": {"status": status}}
            if call.kind == "http":
                document["http"]["request"] = {"method": "GET", "url": f"http://{call.host}/"}
        return document

    def _fail(
        self, document: dict[str, Any], state: State, *, aws: bool = False, sql: bool = False
    ) -> int:
        """The HTTP status of a state; its flags and exception go into the document."""
        if not (aws or sql) and self._random.random() < 0.3:
            return _STATUSES[state]  # which speaks alone when no flag is set
        match state:
            case State.ERROR:
                # Python's and Node's SDKs set both for every 4xx of AWS.
                document |= {"error": True, "fault": True} if aws else {"error": True}
                return 400 if aws else 404
            case State.THROTTLE if aws:
                name = "ProvisionedThroughputExceededException"
                exception = {"id": f"{self._random.getrandbits(64):016x}", "type": name}
                document |= {"error": True, "cause": {"exceptions": [exception]}}
                return 400
            case State.THROTTLE:
                document |= {"error": True, "throttle": True}
                return 429
            case State.FAULT:
                document["fault"] = True
                return 502
            case _:
                return 200


def _resource(call: Call) -> dict[str, Any]:
    """What names the resource of a call, and its region."""
    name, region = call.leads_to.name, call.leads_to.region
    if call.kind == "sns":
        return {"topic_arn": f"arn:aws:sns:{region}:{AWS_ACCOUNT}:{name}"}
    return {"region": region} | _name(call.kind, name, region)


def _name(kind: str, name: str, region: str) -> dict[str, Any]:
    match kind:
        case "dynamodb":
            return {"table_name": name}
        case "s3":
            return {"bucket_name": name}
        case "sqs":
            return {"queue_url": f"https://sqs.{region}.amazonaws.com/{AWS_ACCOUNT}/{name}"}
        case "lambda":
            return {"function_name": name}
        case _:
            return {}


def _link(join: Join, receiver: bool) -> dict[str, Any]:
    other, end = (join.sender, join.source) if receiver else (join.receiver, join.receiver)
    kind = "parent" if receiver else "child"
    attributes: dict[str, Any] = {"aws.xray.reserved.reference_type": kind}
    if receiver:
        attributes["aws.xray.reserved.received_event_end_time"] = join.receiver.start / 1e6
    return {"trace_id": other.trace_id, "id": f"{end.id:016x}", "attributes": attributes}


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
