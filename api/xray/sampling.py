"""GetSamplingTargets and GetSamplingStatisticSummaries.

SDKs call these without credentials. Some samplers fail on unknown members, so only those that mean
something are sent (docs/xray-format.md §8.4).
"""

from __future__ import annotations

from typing import Any

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from api.sampling import INTERVAL, Boost, render_target
from api.xray.paging import paged
from store.config.protocol import AnomalyReport, SamplingReport, SamplingSum
from store.config.records import KINDS, SamplingRule
from store.model import TimeRange

Json = dict[str, Any]

MAX_DOCUMENTS = 25
MAX_NAME, MAX_SERVICE = 32, 64
CLIENT_ID = 24
"""Characters of a ClientID."""
STATISTICS_SECONDS = 1800
"""How far GetSamplingStatisticSummaries looks back."""
PAGE = 1000
SECOND = 1_000_000


def get_sampling_targets(context: Context, body: JsonBody) -> Json:
    """A target for each report; reports on unknown rules are returned as unprocessed."""
    now = round(context.clock() * SECOND)
    reports = [_report(d, now) for d in _documents(body, "SamplingStatisticsDocuments")]
    boosts = "SamplingBoostStatisticsDocuments"
    anomalies = [_anomalies(d, now) for d in _documents(body, boosts)] if body.has(boosts) else []
    configuration = context.sampler.configuration()
    rules = context.sampler.rules(configuration)
    known = [report for report in reports if report.rule in rules]
    boosted = [a for a in anomalies if a.rule in rules and rules[a.rule].boost is not None]
    context.store.add_sampling_reports(known, [a for a in boosted if a.sampled < a.anomalies])
    services = {each.rule: each.service for each in boosted}
    answer: Json = {
        "SamplingTargetDocuments": [
            render_target(
                report.rule,
                context.sampler.target(rules[report.rule], report.client),
                _boost(context, rules[report.rule], services),
            )
            for report in known
        ],
        "LastRuleModification": configuration.changed.get(KINDS[SamplingRule], 0) / SECOND,
        "UnprocessedStatistics": [_unknown(r.rule) for r in reports if r.rule not in rules],
    }
    if len(boosted) < len(anomalies):
        answer["UnprocessedBoostStatistics"] = [
            _no_boost(a.rule) if a.rule in rules else _unknown(a.rule)
            for a in anomalies
            if a not in boosted
        ]
    return answer


def get_sampling_statistic_summaries(context: Context, body: JsonBody) -> Json:
    """Counts of all clients, by rule and ten seconds of the last half hour."""
    now = round(context.clock() * SECOND)
    window = TimeRange(now - STATISTICS_SECONDS * SECOND, now + 1)
    sums = context.store.sampling_sums(window, INTERVAL * SECOND)
    return paged(
        "SamplingStatisticSummaries",
        sums,
        body,
        key=lambda each: f"{each.start:020}{each.rule}",
        size=PAGE,
        render=_summary,
    )


def _documents(body: JsonBody, name: str) -> list[JsonBody]:
    return body.objects(name, most=MAX_DOCUMENTS)


def _report(document: JsonBody, now: int) -> SamplingReport:
    document.instant("Timestamp")
    client = document.required_text("ClientID", most=CLIENT_ID)
    if len(client) < CLIENT_ID:
        raise ApiError(f"ClientID has {CLIENT_ID} characters, got {client!r}")
    return SamplingReport(
        rule=document.required_text("RuleName", most=MAX_NAME),
        client=client,
        at=now,
        requests=document.whole("RequestCount", least=0),
        sampled=_sampled(document),
        borrowed=document.count("BorrowCount"),
    )


def _sampled(document: JsonBody) -> int:
    # AWS's distribution of OpenTelemetry for Python misnames the member.
    misnamed = "SampleCount"
    if document.has(misnamed) and not document.has("SampledCount"):
        return document.whole(misnamed, least=0)
    return document.whole("SampledCount", least=0)


def _anomalies(document: JsonBody, now: int) -> AnomalyReport:
    document.instant("Timestamp")
    document.whole("TotalCount", least=0)
    return AnomalyReport(
        rule=document.required_text("RuleName", most=MAX_NAME),
        service=document.required_text("ServiceName", most=MAX_SERVICE),
        at=now,
        anomalies=document.whole("AnomalyCount", least=0),
        sampled=document.whole("SampledAnomalyCount", least=0),
    )


def _boost(context: Context, rule: SamplingRule, services: dict[str, str]) -> Boost | None:
    service = services.get(rule.name)
    return None if service is None else context.sampler.boost(rule, service)


def _unknown(rule: str) -> Json:
    # SDKs read the first digit of the code: 4 is the client's fault, 5 the server's.
    return {"RuleName": rule, "ErrorCode": "404", "Message": f"there is no sampling rule {rule!r}"}


def _no_boost(rule: str) -> Json:
    message = f"the sampling rule {rule!r} has no SamplingRateBoost"
    return {"RuleName": rule, "ErrorCode": "400", "Message": message}


def _summary(each: SamplingSum) -> Json:
    return {
        "RuleName": each.rule,
        "Timestamp": each.start / SECOND,
        "RequestCount": each.requests,
        "BorrowCount": each.borrowed,
        "SampledCount": each.sampled,
    }
