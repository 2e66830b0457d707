"""A few mutated inputs for every decoder and parser, the same in every run; `python -m bench.fuzz` runs millions."""

from __future__ import annotations

import os
from random import Random

import pytest

from bench.fuzz.__main__ import fuzz
from bench.fuzz.mutations import mutate_json, mutate_protobuf
from bench.fuzz.targets import CORPUS, TARGETS, Target

INPUTS = int(os.environ.get("RAYMAP_TEST_MUTATIONS", "300"))


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_nothing_but_the_documented_error(target: Target) -> None:
    outcome = fuzz(target, INPUTS, seed=7)
    assert not outcome.failures, outcome.failures[0]


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


def test_mutations_depend_on_the_seed_alone_and_are_mostly_well_formed() -> None:
    shop = (CORPUS / "otlp-traces" / "shop.bin").read_bytes()
    first = [mutate_protobuf(shop, shop, random) for random in [Random(3)] for _ in range(50)]
    again = [mutate_protobuf(shop, shop, random) for random in [Random(3)] for _ in range(50)]
    assert first == again
    assert len(set(first)) > 40


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 100_000
