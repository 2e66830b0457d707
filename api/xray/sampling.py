"""GetSamplingRules, GetSamplingTargets and GetSamplingStatisticSummaries.

SDKs call these without credentials, some with an empty body. OpenTelemetry's Python SDK fails on
unknown members, so only required ones are sent (docs/xray-format.md §8.4).
"""

from __future__ import annotations

from typing import Any

from api.context import Context
from api.request import JsonBody
from api.sampling import DEFAULT_RULE, INTERVAL, Report, Target, render_rule

MAX_DOCUMENTS = 25


def get_sampling_rules(context: Context, body: JsonBody) -> dict[str, Any]:
    """All rules in one page: some SDKs never request a second."""
    return {"SamplingRuleRecords": [render_rule(context.sampler.rule)]}


def get_sampling_targets(context: Context, body: JsonBody) -> dict[str, Any]:
    """A target for each report; reports on unknown rules are returned as unprocessed."""
    documents = body.objects("SamplingStatisticsDocuments", most=MAX_DOCUMENTS)
    targets: list[dict[str, Any]] = []
    unprocessed: list[dict[str, Any]] = []
    for report in [_report(document) for document in documents]:
        target = context.sampler.report(report)
        if target is None:
            unprocessed.append(_unknown_rule(report.rule))
        else:
            targets.append(_render_target(report.rule, target))
    return {
        "SamplingTargetDocuments": targets,
        "LastRuleModification": context.sampler.rule.modified,
        "UnprocessedStatistics": unprocessed,
    }


def _report(document: JsonBody) -> Report:
    document.instant("Timestamp")
    return Report(
        rule=document.required_text("RuleName"),
        client=document.required_text("ClientID", most=24),
        requests=document.count("RequestCount", required=True),
        sampled=document.count("SampledCount", required=True),
        borrowed=document.count("BorrowCount"),
    )


def _render_target(rule: str, target: Target) -> dict[str, Any]:
    return {
        "RuleName": rule,
        "FixedRate": target.rate,
        "ReservoirQuota": target.quota,
        "ReservoirQuotaTTL": target.expires,
        "Interval": INTERVAL,
    }


def _unknown_rule(rule: str) -> dict[str, Any]:
    # SDKs read the first digit of the code: 4 is the client's fault, 5 the server's.
    return {"RuleName": rule, "ErrorCode": "404", "Message": f"there is no sampling rule {rule!r}"}


def get_sampling_statistic_summaries(context: Context, body: JsonBody) -> dict[str, Any]:
    """Counts of all clients of this process, by ten seconds of the last half hour."""
    return {
        "SamplingStatisticSummaries": [
            {
                "RuleName": DEFAULT_RULE,
                "Timestamp": float(start),
                "RequestCount": window.requests,
                "BorrowCount": window.borrowed,
                "SampledCount": window.sampled,
            }
            for start, window in sorted(context.sampler.windows().items())
        ]
    }
