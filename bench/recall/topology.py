"""What exists: services in layers, what each depends on, and how each of them writes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from store.model import NodeKey

TYPES = ("", "AWS::EC2::Instance", "AWS::ECS::Container", "AWS::ElasticBeanstalk::Environment")
ACCOUNTS = ("", "", "111122223333", "444455556666")
REGIONS = ("", "eu-west-1", "us-west-2")
REGION = "eu-west-1"
"""Where the AWS resources are that a service without a region calls."""
AWS_ACCOUNT = "111122223333"
"""The account of functions, and of topics and queues, which are called by ARN and by URL."""
OUTSIDE = ("http", "remote", "sql")
"""Kinds of calls that lead to no AWS service: they have no region."""
AREAS = (
    "shop",
    "cart",
    "pay",
    "ship",
    "stock",
    "user",
    "mail",
    "risk",
    "price",
    "tax",
    "find",
    "log",
)
STYLES = ("embedded", "streamed", "under a step", "deep")
"""How a service sends its calls: in its segment; each on its own below the segment; below a step
that the segment embeds; or below steps that are themselves sent on their own."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a service calls. ``name``: of the resource; ``service``: who answers."""

    kind: str
    name: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    node: NodeKey
    layer: int
    needs: tuple[Need, ...]
    style: str
    steps_lead: bool
    """Hands the id of a local step, not of a call, to whom it calls (hand-made instrumentation)."""

    @property
    def host(self) -> str:
        return f"{self.node.name}.internal.example.com"


@dataclass(frozen=True, slots=True)
class World:
    services: dict[str, Service]
    entries: tuple[str, ...]
    consumers: dict[str, str]
    """Queue → the service that reads it; a queue may have none."""


def build(random: Random, *, layers: int = 4, width: int = 6) -> World:
    """A world of ``layers × width`` services and what they share."""
    names = [[f"{area}-{layer}" for area in AREAS[:width]] for layer in range(layers)]
    services = {}
    for layer, row in enumerate(names):
        for name in row:
            node = NodeKey(
                random.choice(ACCOUNTS), name, random.choice(TYPES), random.choice(REGIONS)
            )
            needs = tuple(_needs(random, names, layer, name))
            style = random.choice((*STYLES, "embedded", "embedded"))
            services[name] = Service(node, layer, needs, style, random.random() < 0.15)
    consumers = {f"queue-{number}": random.choice(names[-1]) for number in range(4)}
    return World(services, (*names[0], names[1][0]), consumers)


def _needs(random: Random, names: list[list[str]], layer: int, own: str) -> list[Need]:
    needs = []
    if layer + 1 < len(names):
        below = random.sample(names[layer + 1], min(3, len(names[layer + 1])))
        needs += [Need("http", "", name) for name in below]
    if random.random() < 0.2:
        needs.append(Need("http", "", own))  # calls itself
    if random.random() < 0.2 and layer:
        needs.append(Need("http", "", random.choice(names[layer - 1])))  # and back up: a circle
    resources = [
        Need("dynamodb", f"table-{random.randrange(6)}"),
        Need("s3", f"bucket-{random.randrange(4)}"),
        Need("sqs", f"queue-{random.randrange(5)}"),
        Need("sns", f"topic-{random.randrange(3)}"),
        Need("sql", f"orders{random.randrange(3)}@db.example.com"),
        Need("remote", f"partner{random.randrange(4)}.example.net"),
        Need("lambda", f"function-{random.randrange(4)}"),
        Need("secretsmanager", ""),
    ]
    return needs + random.sample(resources, random.randint(1, 4))
