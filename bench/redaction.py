"""What redaction costs payloads without secrets, and how many numbers that are no cards it masks. One
process, no ClickHouse.

    python -m bench.redaction
    python -m bench.redaction --numbers 1000000
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table

from bench.decode import cost
from bench.shop import Shop
from collector.journal.format import Kind
from collector.redaction.redactor import Redactor
from tests.collector.samples import segment_bytes

TRACES = 400
YEARS = timedelta(days=3650)


def documents() -> list[bytes]:
    """Segments with a call, annotations and metadata."""
    return [
        segment_bytes(
            f"{number:016x}",
            user="ana",
            annotations={"order": f"o-{number}", "stage": "live", "items": number % 9},
            metadata={"default": {"cart": [{"sku": f"s{n}", "price": n} for n in range(9)]}},
            http={"request": {"url": f"https://shop/pay/{number}?page=2", "method": "GET"}},
        )
        for number in range(2_000)
    ]


def numbers(count: int) -> Iterator[tuple[str, str]]:
    """Of each kind so many: the name of the kind, and digits."""
    draw = random.Random(1)
    for _ in range(count):
        length = draw.randrange(13, 20)
        yield "13 to 19 random digits", str(draw.randrange(10 ** (length - 1), 10**length))
    for _ in range(count):
        at = datetime(2020, 1, 1, tzinfo=UTC) + YEARS * draw.random()
        yield "yyyymmddhhmmssSSS", f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}"


def masked(redactor: Redactor, texts: list[str]) -> int:
    """How many of them are changed where they are the value of an annotation."""
    raw = json.dumps({"id": "0" * 15 + "1", "name": "n", "annotations": {"order": texts}}).encode()
    (redacted,), _ = redactor.documents([raw])
    left = json.loads(redacted)["annotations"]["order"]
    return sum(before != after for before, after in zip(texts, left, strict=True))


def shares(count: int) -> Table:
    table = Table("digits", "of", "alone, %", "in a text, %", title="masked")
    redactor = Redactor()
    by_kind: dict[str, list[str]] = {}
    for kind, digits in numbers(count):
        by_kind.setdefault(kind, []).append(digits)
    for kind, found in by_kind.items():
        alone = texts = 0
        for first in range(0, len(found), 1_000):
            part = found[first : first + 1_000]
            alone += masked(redactor, part)
            texts += masked(redactor, [f"order {digits} is late" for digits in part])
        table.add_row(
            kind,
            f"{len(found):,}",
            f"{100 * alone / len(found):.2f}",
            f"{100 * texts / len(found):.2f}",
        )
    return table


def costs() -> Table:
    """Of payloads that stay as they are."""
    redactor, shop, raws = Redactor(), Shop(TRACES, 50), documents()

    def spans() -> list[bool]:
        return [redactor.request(Kind.OTLP, body)[0] is body for body in shop.bodies]

    def segments() -> list[bool]:
        return [redactor.documents([raw])[0][0] is raw for raw in raws]

    table = Table("payloads without secrets", "bytes each", "CPU, µs each", "ns a byte")
    for name, work, bodies, count in (
        ("OTLP spans", spans, shop.bodies, shop.spans),
        ("segment documents", segments, raws, len(raws)),
    ):
        if not all(work()):
            raise SystemExit(f"{name}: something was masked")
        size = sum(map(len, bodies))
        each = min(cost(work, count) for _ in range(3))
        table.add_row(
            name, f"{size / count:.0f}", f"{each:.3f}", f"{each * 1e3 * count / size:.2f}"
        )
    return table


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=100_000, help="of each kind")
    options = parser.parse_args()
    console = Console()
    console.print(costs())
    console.print(shares(options.numbers))


if __name__ == "__main__":
    main()
