"""The sampling rules that are in force, in the order in which clients try them."""

from __future__ import annotations

from store.config import records
from store.config.protocol import Configuration
from store.config.records import SamplingRule

DEFAULT_RULE = "Default"
DEFAULT_PRIORITY = 10_000
"""After every other rule; those have 9,999 at most."""


def default_rule(rate: float) -> SamplingRule:
    """The rule that matches every request, as it is until UpdateSamplingRule changes it."""
    return SamplingRule(DEFAULT_RULE, priority=DEFAULT_PRIORITY, rate=rate, reservoir=1)


def all_rules(configuration: Configuration, rate: float) -> dict[str, SamplingRule]:
    """Rules by name in order of priority and name; ``rate`` is that of an unchanged Default."""
    stored = records.read(configuration, SamplingRule)
    rules = {DEFAULT_RULE: default_rule(rate), **stored}
    ordered = sorted(rules.values(), key=lambda rule: (rule.priority, rule.name))
    return {rule.name: rule for rule in ordered}
