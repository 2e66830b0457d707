"""Inputs that are almost valid: a sample with a few changes, of its bytes or of its structure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from collector.decode.limits import fields_of
from store.varint import varint

BYTES = (
    b"", b"\0", b"\xff", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\x80" * 10, b"\xff" * 9 + b"\1", b"\n",
    b'"', b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-1", b"1e400",
    b"0" * 40, b"[" * 200, b'{"a":' * 200, b"${", b"!Ref ", b"&a ", b"*a", b"<<: ", b"\t", b"\r\n", b"(", b"=~",
    b" AND ", b" IN (", b"#[", b"%00", b"=", b";", b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8", b"\xcc\x81" * 20,
)  # fmt: skip
"""What is put into bytes."""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 5, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 0.5, -0.0, 1e308, 1e-308, "",
    "0", "\0", "\ud800", "x" * 300, "x" * 5000, "é" * 200, "1-6b061440-000000000000000000000001", "0" * 16,
    "ffffffffffffffff", "6b061440000000000000000000000001", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "arn:aws:lambda:::", "NaN", "Infinity", "-1", "1e400", [], {}, [[]], [None], {"": None}, [0] * 300,
    {"a": {"a": {"a": []}}},
)  # fmt: skip
"""What takes the place of a value in JSON."""
_NUMBERS = (0, 1, 2, 127, 128, 2**31, 2**32 - 1, 2**53, 2**63, 2**64 - 1)

Mutate = Callable[[bytes, bytes, Random], bytes]
"""A sample and another of the same kind → an input."""


def mutate_bytes(sample: bytes, other: bytes, random: Random) -> bytes:
    """Bytes replaced, added, removed, doubled, moved, flipped, or taken from another sample."""
    for _ in range(random.randint(1, 4)):
        at, end = sorted(random.randint(0, len(sample)) for _ in range(2))
        if random.random() < 0.5:
            end = min(end, at + random.randint(0, 8))
        match random.randrange(6):
            case 0:
                sample = sample[:at] + random.choice(BYTES) + sample[end:]
            case 1:
                sample = sample[:at] + sample[end:]
            case 2:
                sample = sample[:end] + sample[at:]
            case 3 if sample:
                place = random.randrange(len(sample))
                flipped = sample[place] ^ 1 << random.randrange(8)
                sample = sample[:place] + bytes([flipped]) + sample[place + 1 :]
            case 4:
                begin = random.randint(0, len(other))
                sample = sample[:at] + other[begin : begin + end - at] + sample[end:]
            case _:
                sample = sample[:at] + random.randbytes(random.randint(1, 8)) + sample[end:]
    return sample


def mutate_json(sample: bytes, other: bytes, random: Random) -> bytes:
    """Values, keys and elements replaced, removed, doubled or nested; sometimes bytes, too."""
    if random.random() < 0.25:
        return mutate_bytes(sample, other, random)
    try:
        head, root = _parsed(sample)
        _, donor = _parsed(other)
    except ValueError:
        return mutate_bytes(sample, other, random)
    for _ in range(random.randint(1, 3)):
        root = _changed(root, donor, random)
    text = json.dumps(root, ensure_ascii=random.random() < 0.5)
    body = text.encode(errors="surrogatepass")
    if random.random() < 0.1:
        body = mutate_bytes(body, other, random)
    return head + body


def _parsed(sample: bytes) -> tuple[bytes, Any]:
    """The value, which may have several lines, and a datagram's line before it."""
    try:
        return b"", json.loads(sample)
    except ValueError:
        head, line_feed, body = sample.partition(b"\n")
        return head + line_feed, json.loads(body)


def _changed(root: Any, donor: Any, random: Random) -> Any:
    places = list(_places(root))
    if not places or random.random() < 0.02:
        return deepcopy(random.choice(VALUES))
    container, key = random.choice(places)
    value = container[key]
    match random.randrange(8):
        case 0 | 1 | 2:
            container[key] = deepcopy(random.choice(VALUES))
        case 3:
            del container[key]
        case 4:
            container[key] = [deepcopy(value) for _ in range(random.choice((1, 2, 60)))]
        case 5:
            container[key] = {random.choice(("", "key", "a.b")): value}
        case 6 if isinstance(value, str):
            container[key] = _text(value, random)
        case 6 if isinstance(value, int | float):
            container[key] = random.choice((-value, value * 1e9, str(value), value + 1))
        case _:
            others = list(_places(donor))
            if others:
                owner, name = random.choice(others)
                container[key] = deepcopy(owner[name])
    return root


def _places(root: Any) -> list[tuple[Any, Any]]:
    found, rest = [], [root]
    while rest:
        container = rest.pop()
        keys: Sequence[Any] = ()
        if isinstance(container, dict):
            keys = list(container)
        elif isinstance(container, list):
            keys = range(len(container))
        for key in keys:
            found.append((container, key))
            rest.append(container[key])
    return found


def _text(value: str, random: Random) -> str:
    piece = random.choice(BYTES).decode("latin-1")
    at = random.randint(0, len(value))
    return value[:at] + piece + value[at + random.randint(0, 3) :]


def mutate_protobuf(sample: bytes, other: bytes, random: Random) -> bytes:
    """Fields replaced, removed, doubled, renumbered or of another type, at any depth; lengths stay right
    unless they are what is changed."""
    if random.random() < 0.25:
        return mutate_bytes(sample, other, random)
    for _ in range(random.randint(1, 3)):
        sample = _changed_message(sample, other, random, 0)
    return sample


def _changed_message(message: bytes, other: bytes, random: Random, depth: int) -> bytes:
    fields = list(fields_of(message, 0, len(message)))
    if not fields:
        return mutate_bytes(message, other, random)
    number, begin, end = random.choice(fields)
    head = _head(message, begin, end)
    content = message[begin:end]
    if depth < 8 and content and random.random() < 0.7:
        inner = _changed_message(content, other, random, depth + 1)
        return message[:head] + _field(number, inner) + message[end:]
    match random.randrange(8):
        case 0:
            return message[:head] + message[end:]
        case 1:
            return message[:end] + message[head:end] * random.choice((1, 2, 60)) + message[end:]
        case 2:
            renumbered = _field(random.randint(1, 20), content)
            return message[:head] + renumbered + message[end:]
        case 3:
            scalar = varint(number << 3) + varint(random.choice(_NUMBERS))
            return message[:head] + scalar + message[end:]
        case 4:
            fixed = varint(number << 3 | 1) + random.randbytes(8)
            return message[:head] + fixed + message[end:]
        case 5:
            length = varint(random.choice(_NUMBERS))
            return message[:head] + varint(number << 3 | 2) + length + content + message[end:]
        case 6:
            nested = content
            for _ in range(random.choice((1, 2, 120))):
                nested = _field(number, nested)
            return message[:head] + nested + message[end:]
        case _:
            changed = mutate_bytes(content, other, random)
            return message[:head] + _field(number, changed) + message[end:]


def _head(message: bytes, begin: int, end: int) -> int:
    """Where the field begins whose content is there."""
    length = len(varint(end - begin))
    tag = begin - length - 1
    return tag - 1 if tag > 0 and message[tag - 1] >= 0x80 and message[tag] < 0x80 else max(tag, 0)


def _field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content
