"""The map of `tests.aws.account`, written by hand from X-Ray's documentation (docs/xray-format.md §4 and §5) before
it was drawn: of one round in one place, ok, error, throttle and fault."""

from __future__ import annotations

from typing import Any

from store.model import NodeKey
from tests.aws.account import bucket_of
from tests.aws.recording import PLACES, REGION, Place

Counts = tuple[int, int, int, int]
OK: Counts = (1, 0, 0, 0)
TWO: Counts = (2, 0, 0, 0)
FAULT: Counts = (0, 0, 0, 1)
OK_AND_THROTTLE: Counts = (1, 0, 1, 0)
STAGE: Counts = (1, 0, 1, 1)
Nodes = dict[NodeKey, Counts]
Edges = dict[tuple[NodeKey, NodeKey], Counts]


class Names:
    """The nodes of a place."""

    def __init__(self, place: Place) -> None:
        def node(type: str, name: str) -> NodeKey:
            return NodeKey(place.account, place.name(name), type, REGION)

        self.stage = NodeKey(
            place.account, f"parcels/{place.stage}", "AWS::ApiGateway::Stage", REGION
        )
        self.quote, self.quote_code = (
            node("AWS::Lambda", "quote"),
            node("AWS::Lambda::Function", "quote"),
        )
        self.book, self.book_code = (
            node("AWS::Lambda", "book"),
            node("AWS::Lambda::Function", "book"),
        )
        self.label, self.label_code = (
            node("AWS::Lambda", "label"),
            node("AWS::Lambda::Function", "label"),
        )
        self.scan, self.scan_code = (
            node("AWS::Lambda", "scan"),
            node("AWS::Lambda::Function", "scan"),
        )
        self.thumb, self.thumb_code = (
            node("AWS::Lambda", "thumb"),
            node("AWS::Lambda::Function", "thumb"),
        )
        self.ship = node("AWS::StepFunctions::StateMachine", "ship")
        self.shipments = node("AWS::DynamoDB::Table", "shipments")
        self.rates = node("AWS::DynamoDB::Table", "rates")
        self.labels = node("AWS::SQS::Queue", "labels")
        self.scans = node("AWS::Kinesis::Stream", "scans")
        self.bucket = NodeKey("", bucket_of(place), "AWS::S3::Bucket", REGION)


def client(node: NodeKey) -> NodeKey:
    return NodeKey("", node.name, "client")


def nodes_of(place: Place) -> Nodes:
    n = Names(place)
    return {
        n.stage: STAGE,
        n.quote: TWO, n.quote_code: TWO,
        n.book: FAULT, n.book_code: FAULT,
        n.ship: OK,
        n.shipments: OK_AND_THROTTLE,
        n.labels: OK, n.scans: OK, n.bucket: OK,
        n.label: OK, n.label_code: OK,
        n.scan: OK, n.scan_code: OK,
        n.thumb: OK, n.thumb_code: OK,
    }  # fmt: skip


def edges_of(place: Place) -> Edges:
    """Behind the stream and the bucket X-Ray draws a client: neither writes a link."""
    n = Names(place)
    return {
        (client(n.stage), n.stage): STAGE,
        (n.stage, n.quote): OK, (n.stage, n.book): FAULT,
        (n.quote, n.quote_code): TWO, (n.book, n.book_code): FAULT,
        (client(n.ship), n.ship): OK,
        (n.ship, n.quote): OK, (n.ship, n.shipments): OK_AND_THROTTLE,
        (n.ship, n.labels): OK, (n.ship, n.scans): OK, (n.ship, n.bucket): OK,
        (n.label, n.label_code): OK,
        (client(n.scan), n.scan): OK, (n.scan, n.scan_code): OK,
        (client(n.thumb), n.thumb): OK, (n.thumb, n.thumb_code): OK,
    }  # fmt: skip


def links_of(place: Place) -> Edges:
    """By the trace header of the message."""
    n = Names(place)
    return {(n.labels, n.label): OK}


def times(counts: Counts, rounds: int) -> Counts:
    return tuple(each * rounds for each in counts)  # type: ignore[return-value]


def whole(of_one: Any) -> Any:
    """Of all rounds in all places."""
    return {
        key: times(counts, place.rounds)
        for place in PLACES
        for key, counts in of_one(place).items()
    }


def with_rates(of_one: Any) -> Any:
    """With an SDK in the function quote, whose table has its function's account."""

    def found(place: Place) -> Any:
        n = Names(place)
        added = {n.rates: TWO} if of_one is nodes_of else {(n.quote_code, n.rates): TWO}
        return of_one(place) | added

    return found


def with_sources(of_one: Any) -> Any:
    """With what the layer sees of the events behind the stream and the bucket, of three messages each."""

    def found(place: Place) -> Any:
        n = Names(place)
        if of_one is links_of:
            three = (3, 0, 0, 0)
            return links_of(place) | {(n.scans, n.scan): three, (n.bucket, n.thumb): three}
        return {
            edge: counts
            for edge, counts in of_one(place).items()
            if edge not in ((client(n.scan), n.scan), (client(n.thumb), n.thumb))
        }

    return found
