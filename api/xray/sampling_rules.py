"""GetSamplingRules, CreateSamplingRule, UpdateSamplingRule, DeleteSamplingRule (docs/xray-format.md §8.1)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from api.sampling_rules import DEFAULT_RULE
from api.xray import tags
from api.xray.arn import rule_arn
from api.xray.changes import change
from store.config import records
from store.config.protocol import Change, Configuration
from store.config.records import RateBoost, SamplingRule

Json = dict[str, Any]

MAX_RULES = 25
"""Rules besides Default, as in AWS (docs/xray-format.md §14)."""
MAX_NAME = 32
MAX_PRIORITY = 9_999
MAX_COOLDOWN = 24 * 60
"""Minutes; anomalies are remembered for two days."""
PATTERNS = {
    "ServiceName": ("service_name", 64),
    "ServiceType": ("service_type", 64),
    "Host": ("host", 64),
    "HTTPMethod": ("method", 10),
    "URLPath": ("path", 128),
    "ResourceARN": ("resource_arn", 500),
}
"""Members with a pattern, in which * and ? are wildcards: field and greatest length."""
NUMBERS = ("Priority", "FixedRate", "ReservoirSize")
MAX_ATTRIBUTES, MAX_ATTRIBUTE = 5, 32
DEFAULT_MAY_CHANGE = {"RuleName", "RuleARN", "FixedRate", "ReservoirSize"}


def get_sampling_rules(context: Context, body: JsonBody) -> Json:
    """All rules in one page: some SDKs never request a second."""
    rules = context.sampler.rules(context.sampler.configuration())
    return {"SamplingRuleRecords": [render(rule) for rule in rules.values()]}


def create_sampling_rule(context: Context, body: JsonBody) -> Json:
    """CreateSamplingRule: clients follow it from their next request for rules on."""
    given = _document(body, "SamplingRule")
    for member in (*PATTERNS, *NUMBERS, "Version"):
        if not given.has(member):
            raise ApiError(f"SamplingRule.{member} is missing")
    if given.whole("Version", least=1) != 1:
        raise ApiError("SamplingRule.Version must be 1, the only version of the format")
    name = _name(given)
    if not name.isprintable():
        raise ApiError("SamplingRule.RuleName must be printable text")
    rule = _changed(SamplingRule(name, priority=1, rate=0.0, reservoir=0), given)
    labels = tags.from_body(body, "Tags", required=False)

    def decide(configuration: Configuration, now: int) -> tuple[SamplingRule, list[Change]]:
        rules = context.sampler.rules(configuration)
        if name in rules:
            raise ApiError(f"SamplingRule.RuleName: there is a rule {name!r} already")
        if len(rules) > MAX_RULES:
            raise ApiError(
                f"there are {MAX_RULES} sampling rules, which is the limit: delete some",
                code="RuleLimitExceeded",
            )
        made = replace(rule, created=now, modified=now)
        return made, [records.put(name, made), *tags.initial(rule_arn(name), labels)]

    return {"SamplingRuleRecord": render(change(context, decide))}


def update_sampling_rule(context: Context, body: JsonBody) -> Json:
    """UpdateSamplingRule: members that are absent stay; of Default only rate and reservoir change."""
    given = _document(body, "SamplingRuleUpdate")
    name = _name(given)

    def decide(configuration: Configuration, now: int) -> tuple[SamplingRule, list[Change]]:
        rule = _find(context, configuration, name)
        if name == DEFAULT_RULE and (refused := given.names() - DEFAULT_MAY_CHANGE):
            raise ApiError(
                f"of the rule Default only FixedRate and ReservoirSize may change, got {sorted(refused)}"
            )
        made = _changed(rule, given)
        if made == rule:
            return rule, []
        made = replace(made, modified=now)
        return made, [records.put(name, made)]

    return {"SamplingRuleRecord": render(change(context, decide))}


def delete_sampling_rule(context: Context, body: JsonBody) -> Json:
    """DeleteSamplingRule: the rule and its tags; answers the rule as it was."""
    name = _name(body)

    def decide(configuration: Configuration, _: int) -> tuple[SamplingRule, list[Change]]:
        rule = _find(context, configuration, name)
        if name == DEFAULT_RULE:
            raise ApiError("the sampling rule Default cannot be deleted")
        untag = tags.removal(configuration, rule_arn(name))
        return rule, [records.remove(name, SamplingRule), *untag]

    return {"SamplingRuleRecord": render(change(context, decide))}


def render(rule: SamplingRule) -> Json:
    """A SamplingRuleRecord, limited to members that every SDK knows (docs/xray-format.md §8.4)."""
    document: Json = {
        "RuleName": rule.name,
        "RuleARN": rule_arn(rule.name),
        "ResourceARN": rule.resource_arn,
        "Priority": rule.priority,
        "FixedRate": rule.rate,
        "ReservoirSize": rule.reservoir,
        "ServiceName": rule.service_name,
        "ServiceType": rule.service_type,
        "Host": rule.host,
        "HTTPMethod": rule.method,
        "URLPath": rule.path,
        "Version": 1,
        "Attributes": rule.attributes,
    }
    if rule.boost is not None:
        document["SamplingRateBoost"] = {
            "MaxRate": rule.boost.max_rate,
            "CooldownWindowMinutes": rule.boost.cooldown_minutes,
        }
    return {
        "SamplingRule": document,
        "CreatedAt": rule.created / 1_000_000,
        "ModifiedAt": rule.modified / 1_000_000,
    }


def _document(body: JsonBody, name: str) -> JsonBody:
    given = body.inner(name)
    if given is None:
        raise ApiError(f"{name} is missing; expected an object")
    return given


def _name(given: JsonBody) -> str:
    """The rule that either RuleName or RuleARN names."""
    name, arn = given.text("RuleName", most=MAX_NAME), given.text("RuleARN")
    if bool(name) == bool(arn):
        raise ApiError("expected either RuleName or RuleARN")
    prefix = rule_arn("")
    if arn and not arn.startswith(prefix):
        raise ApiError(f"RuleARN must begin with {prefix}, got {arn!r}")
    name = name or arn.removeprefix(prefix)
    if not 1 <= len(name) <= MAX_NAME:
        raise ApiError(f"RuleName has 1 to {MAX_NAME} characters, got {len(name)}")
    return name


def _find(context: Context, configuration: Configuration, name: str) -> SamplingRule:
    rule = context.sampler.rules(configuration).get(name)
    if rule is None:
        raise ApiError(f"there is no sampling rule {name!r}")
    return rule


def _changed(rule: SamplingRule, given: JsonBody) -> SamplingRule:
    """The rule with the members that are given, each checked against the model's limits."""
    fields: dict[str, Any] = {}
    for member, (field, most) in PATTERNS.items():
        if given.has(member):
            fields[field] = given.required_text(member, most=most)
    if given.has("Priority"):
        fields["priority"] = given.whole("Priority", least=1, most=MAX_PRIORITY)
    if given.has("FixedRate"):
        fields["rate"] = given.fraction("FixedRate")
    if given.has("ReservoirSize"):
        fields["reservoir"] = given.whole("ReservoirSize", least=0)
    if given.has("Attributes"):
        fields["attributes"] = _attributes(given)
    if boost := given.inner("SamplingRateBoost"):
        fields["boost"] = RateBoost(
            boost.fraction("MaxRate"),
            boost.whole("CooldownWindowMinutes", least=0, most=MAX_COOLDOWN),
        )
    return replace(rule, **fields)


def _attributes(given: JsonBody) -> dict[str, str]:
    attributes = given.text_map("Attributes")
    if len(attributes) > MAX_ATTRIBUTES:
        raise ApiError(f"Attributes may have {MAX_ATTRIBUTES} entries, got {len(attributes)}")
    for text in (*attributes, *attributes.values()):
        if not 1 <= len(text) <= MAX_ATTRIBUTE:
            raise ApiError(
                f"Attributes: keys and values have 1 to {MAX_ATTRIBUTE} characters, got {text!r}"
            )
    return attributes
