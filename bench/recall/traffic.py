"""What happens in a world: requests walk through it and leave letters behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from bench.recall.scenario import Call, Join, Letter, Step, Story, Thing, Work
from bench.recall.topology import AWS_ACCOUNT, OUTSIDE, REGION, Need, Service, World
from bench.recall.writing import Writer
from store.model import NodeKey, State

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_DEEPEST = 5
_LARGEST = 14
_RESOURCES = {
    "dynamodb": "AWS::DynamoDB::Table",
    "s3": "AWS::S3::Bucket",
    "sqs": "AWS::SQS::Queue",
    "sns": "AWS::SNS",
    "sql": "Database::SQL",
    "remote": "remote",
    "http": "remote",
    "lambda": "AWS::Lambda",
    "secretsmanager": "AWS::SecretsManager",
}
_OUTCOMES = (State.OK, State.ERROR, State.THROTTLE, State.FAULT)


@dataclass(slots=True)
class Happened:
    """All stories, and the events between them."""

    stories: list[Story] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)

    @property
    def letters(self) -> Iterable[Letter]:
        return (letter for story in self.stories for letter in story.letters)


@dataclass(slots=True)
class _Message:
    """Something sent to a queue: by which call, when."""

    queue: str
    call: Call
    time: int


class Traffic:
    """Requests through a world. ``skew``: how far a service's clock may be off, microseconds."""

    def __init__(self, world: World, random: Random, skew: int) -> None:
        self._world = world
        self._random = random
        self._writer = Writer(random)
        names = [*world.services, *(f"function-{number}" for number in range(4))]
        self._skews = {name: random.randint(-skew, skew) for name in names}
        self._latest = 0
        self._story = Story(0)
        self._trace_id = ""
        self._works = 0
        self._messages: list[_Message] = []
        self._joins_of: dict[Work, list[tuple[Join, bool]]] = {}
        self._pending: list[tuple[Story, Work, str]] = []

    def happen(self, count: int, begin: int, end: int) -> Happened:
        """``count`` requests spread over ``[begin, end)``, and what their messages set off."""
        happened = Happened()
        self._latest = end
        for _ in range(count):
            self._messages = []
            self._joins_of = {}
            self._pending = []
            self._open(self._random.randrange(begin, end))
            entry = self._world.services[self._random.choice(self._world.entries)]
            self._visit(entry, None, self._story.time, 0)
            happened.stories.append(self._story)
            for group in self._consumed(self._messages):
                happened.joins += self._consume(group)
                happened.stories.append(self._story)
            for story, work, style in self._pending:
                self._story = story
                self._write(work, style)
        return happened

    def _open(self, time: int) -> None:
        self._story = Story(time)
        seconds = time // SECOND
        self._trace_id = f"1-{seconds:08x}-{self._random.getrandbits(96):024x}"
        self._works = 0

    def _consumed(self, messages: list[_Message]) -> list[list[_Message]]:
        """Messages by who receives them together: alone, or all of one queue as a batch."""
        groups: list[list[_Message]] = []
        for message in messages:
            if message.queue not in self._world.consumers or self._random.random() < 0.2:
                continue
            same = [g for g in groups if g[0].queue == message.queue]
            if same and self._random.random() < 0.5:
                same[0].append(message)
            else:
                groups.append([message])
        return groups

    def _consume(self, messages: list[_Message]) -> list[Join]:
        """A trace of the consumer, soon or hours after. One joins one pair of traces: X-Ray knows
        the message, and so does this store, by the sending call."""
        delay = self._random.choice((SECOND, MINUTE, 3 * HOUR))
        self._open(min(messages[-1].time + self._random.randrange(delay), self._latest))
        service = self._world.services[self._world.consumers[messages[0].queue]]
        work = self._visit(service, None, self._story.time, _DEEPEST - 2)
        joins: list[Join] = []
        reporter = self._random.choices(("receiver", "both", "sender"), (6, 2, 2))[0]
        if reporter != "receiver":
            messages = messages[:1]
        for message in messages:
            source: Call | Work = message.call
            if self._random.random() < 0.2:
                source = message.call.work  # OpenTelemetry's producers may name their own span
            join = Join(
                source, message.call.work, work, reporter != "receiver", reporter != "sender"
            )
            if any(j.source is source for j in joins):
                continue
            joins.append(join)
            if join.reported_by_receiver:
                self._joins_of.setdefault(work, []).append((join, True))
            if join.reported_by_sender:
                self._joins_of.setdefault(join.sender, []).append((join, False))
        return joins

    def _visit(self, service: Service, parent: Thing | None, at: int, depth: int) -> Work:
        """A segment of a service and all it sets off; ``at`` is true time."""
        work = self._work(service.node, parent, at, service.node.name)
        now = at + self._some(2)
        needs = [need for need in service.needs if need.kind != "http" or depth < _DEEPEST]
        for need in self._random.sample(needs, min(len(needs), self._random.randint(1, 3))):
            now = self._meet(service, work, need, now, depth)
        return self._end(work, now, service)

    def _end(self, work: Work, now: int, service: Service) -> Work:
        work.end = now + self._some(3) + self._skews[service.node.name]
        self._pending.append((self._story, work, service.style))
        return work

    def _work(self, node: NodeKey, parent: Thing | None, at: int, clock: str) -> Work:
        self._works += 1
        start = at + self._skews[clock]
        return Work(self._id(), self._trace_id, node, start, start, self._outcome(), parent)

    def _meet(self, service: Service, work: Work, need: Need, now: int, depth: int) -> int:
        """One need met, with retries; the true time afterwards."""
        skew = self._skews[service.node.name]
        now = self._pause(now)
        if need.kind == "http" and self._works >= _LARGEST:
            return now
        if need.kind == "http" and service.steps_lead:
            step = Step(self._id(), work, now + skew, 0)
            work.steps.append(step)
            callee = self._visit(self._world.services[need.service], step, now, depth + 1)
            now = self._true_end(callee, need.service)
            step.end = max(step.start, now + skew)
            return now
        for _ in range(self._random.choices((1, 2, 3), (85, 10, 5))[0]):
            call = self._call(service, work, need, now + skew)
            now = self._answer(call, need, now + self._some(1), depth) + self._some(1)
            call.end = now + skew
        return now

    def _call(self, service: Service, work: Work, need: Need, start: int) -> Call:
        name = need.name
        if need.kind == "http":
            name = self._world.services[need.service].host
        elif need.kind == "secretsmanager":
            name = "SecretsManager"
        account = service.node.account
        if need.kind in (*OUTSIDE, "s3"):
            account = ""
        elif need.kind in ("sns", "sqs"):
            account = AWS_ACCOUNT
        region = "" if need.kind in OUTSIDE else service.node.region or REGION
        target = NodeKey(account, name, _RESOURCES[need.kind], region)
        call = Call(self._id(), work, target, need.kind, name, start, start, self._outcome())
        work.calls.append(call)
        return call

    def _answer(self, call: Call, need: Need, now: int, depth: int) -> int:
        """The work that answers a call, if any; the true time afterwards."""
        if need.kind == "sqs":
            self._messages.append(_Message(need.name, call, now))
        if need.kind == "lambda" and self._random.random() < 0.9:
            return self._invoke(call, need.name, now)
        if need.kind != "http" or self._random.random() < 0.08:
            return now + self._some(20)  # an inferred node, or a host that did not answer
        now = self._pause(now)
        callees = [need.service]
        if self._random.random() < 0.04:  # requested twice at once, or passed on after a failure
            callees.append(self._random.choice((need.service, *self._world.services)))
        for name in callees:
            callee = self._visit(self._world.services[name], call, now, depth + 1)
            now = self._true_end(callee, name)
        return now

    def _invoke(self, call: Call, name: str, now: int) -> int:
        """The Lambda pair: the service's segment, and below it the function's own."""
        front = self._work(call.leads_to, call, now, name)
        node = NodeKey(AWS_ACCOUNT, name, "AWS::Lambda::Function", call.leads_to.region)
        function = self._work(node, front, now + self._some(1), name)
        needs = (Need("dynamodb", "table-0"), Need("sqs", "queue-0"), Need("s3", "bucket-1"))
        style = self._random.choice(("streamed", "deep", "embedded"))
        service = Service(node, 0, needs, style, steps_lead=False)
        now += self._some(2)
        for need in self._random.sample(needs, self._random.randint(1, 2)):
            now = self._meet(service, function, need, now, _DEEPEST)
        self._end(function, now, service)
        self._end(front, now, service)
        return now + self._some(2)

    def _write(self, work: Work, style: str) -> None:
        """The letters of a segment: perhaps one in progress first, perhaps nothing after it."""
        joins, letters = self._joins_of.get(work, ()), self._story.letters
        direct = [] if style in ("deep", "under a step") else work.calls
        begun = self._random.random() < 0.3
        if begun:
            some = [(call, True) for call in direct[: len(direct) // 2]]
            some += [(call, False) for call in direct[len(some) : len(some) + 1]]
            letters.append(self._writer.segment(work, finished=False, calls=some, joins=joins))
        embedded, steps = list(work.calls), list(work.steps)
        if style != "embedded":
            embedded = []
            letters += self._stream(work, style, steps)
        if begun and self._random.random() < 0.1:
            return  # the process died
        calls = [(call, True) for call in embedded]
        letters.append(
            self._writer.segment(work, finished=True, calls=calls, steps=steps, joins=joins)
        )

    def _stream(self, work: Work, style: str, steps: list[Step]) -> Iterable[Letter]:
        """The subsegments that travel alone; a step that the segment embeds joins ``steps``."""
        below: Thing = work
        if style == "under a step" and work.calls:
            below = self._step(work)
            steps.append(below)
        elif style == "deep" and work.calls:
            for _ in range(self._random.randint(1, 3)):
                step = self._step(work)
                yield self._writer.streamed(step, below)
                below = step
        calls = list(work.calls)
        while calls:
            call = calls.pop()
            inner = [calls.pop()] if calls and style == "deep" else []
            if self._random.random() < 0.3:
                step = self._step(work)
                yield self._writer.streamed(step, below, within=[call, *inner])
            else:
                yield self._writer.streamed(call, below, within=inner)

    def _step(self, work: Work) -> Step:
        return Step(self._id(), work, work.start, max(work.start, work.end))

    def _true_end(self, work: Work, name: str) -> int:
        return work.end - self._skews[name]

    def _outcome(self) -> State:
        return self._random.choices(_OUTCOMES, (86, 5, 3, 6))[0]

    def _pause(self, now: int) -> int:
        """Sometimes minutes or hours go by inside a trace, as in workflows and asynchronous calls."""
        if self._random.random() >= 0.04:
            return now
        later = now + self._random.randrange(self._random.choice((2 * MINUTE, 4 * HOUR)))
        return later if later < self._latest else now

    def _some(self, milliseconds: int) -> int:
        """A time of about so many milliseconds."""
        return self._random.randint(1, 2 * milliseconds * MILLISECOND)

    def _id(self) -> int:
        return self._random.getrandbits(64) or 1
