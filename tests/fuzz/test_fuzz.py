"""A few mutated inputs for every decoder and parser, the same in every run; `python -m bench.fuzz` runs millions."""

from __future__ import annotations

import json
import time
from random import Random

import pytest

from bench.fuzz import __main__ as module
from bench.fuzz.__main__ import MAX_GROWTH, MAX_SECONDS, fuzz
from bench.fuzz.mutations import mutate_json, mutate_protobuf
from bench.fuzz.targets import CORPUS, TARGETS, Target
from tests.tiers import cases

INPUTS = cases(300, "RAYMAP_TEST_MUTATIONS")


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_nothing_but_the_documented_error(target: Target) -> None:
    outcome = fuzz(target, INPUTS, seed=7)
    assert not outcome.failures, outcome.failures[0]
    assert outcome.slowest <= MAX_SECONDS, outcome.slowest_input[:2000]
    assert outcome.growth <= MAX_GROWTH
    assert not outcome.failed


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_samples_are_valid(target: Target) -> None:
    """Most of them: mutations of what is invalid anyway find nothing."""
    valid = 0
    for sample in target.samples():
        try:
            target.run(sample)
            valid += 1
        except target.documented:
            pass
    assert valid * 2 > len(target.samples())


def test_a_failure_is_found_and_counted() -> None:
    """The fuzzer itself can fail."""

    def run(data: bytes) -> None:
        if b"null" in data:
            raise KeyError("null")

    outcome = fuzz(Target("broken", mutate_json, run, corpus="document"), 500, seed=1)
    assert outcome.failed
    assert b"null" in outcome.failures[0][0]
    assert "KeyError" in outcome.failures[0][1]


def test_what_is_slow_or_grows_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """In CPU seconds of the input alone, and in memory that stays."""
    monkeypatch.setattr(module, "MAX_SECONDS", 0.02)
    monkeypatch.setattr(module, "MAX_GROWTH", 8 << 20)
    monkeypatch.setattr(module, "MAX_BYTES", 1000)

    def spin(data: bytes) -> None:
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            pass

    slow = fuzz(Target("slow", mutate_json, spin, corpus="document"), 2, seed=1)
    assert slow.failed
    assert (slow.slowest > 0.02, slow.failures) == (True, [])
    monkeypatch.setattr(module, "MAX_SECONDS", 60.0)
    remembered: list[bytearray] = []
    leak = Target(
        "leak",
        mutate_json,
        lambda _: remembered.append(bytearray(b"x" * (1 << 20))),
        corpus="document",
    )
    grown = fuzz(leak, 60, seed=1)
    assert grown.failed
    assert grown.growth > 20 << 20


def test_mutations_depend_on_the_seed_alone_and_are_mostly_well_formed() -> None:
    shop = (CORPUS / "otlp-traces" / "shop.bin").read_bytes()
    first = [mutate_protobuf(shop, shop, random) for random in [Random(3)] for _ in range(50)]
    again = [mutate_protobuf(shop, shop, random) for random in [Random(3)] for _ in range(50)]
    assert first == again
    assert len(set(first)) > 40


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 100_000


@pytest.mark.parametrize("head", [b"", b'{"format": "json", "version": 1}\n'])
def test_values_are_changed_also_in_json_of_several_lines(head: bytes) -> None:
    """Behind a datagram's line as well; a quarter has other bytes instead, and a tenth of the others, too."""
    random, sample = (
        Random(1),
        b'{\n "id": "1",\n "name": "shop",\n "calls": [\n  {"id": "2"}\n ]\n}\n',
    )
    changed = [mutate_json(head + sample, head + sample, random) for _ in range(400)]
    assert sum(is_json(each.removeprefix(head)) for each in changed) > 200


def is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
