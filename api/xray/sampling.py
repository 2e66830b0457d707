"""GetSamplingRules, GetSamplingTargets and GetSamplingStatisticSummaries.

SDKs ask these without credentials, some with an empty body; OpenTelemetry's Python SDK breaks on
members it does not know, so nothing is sent that is not needed (docs/xray-format.md §8.4).
"""

from __future__ import annotations

from typing import Any

from api.context import Context
from api.request import JsonBody
from api.sampling import DEFAULT_RULE, INTERVAL, Report, Target, render_rule

MOST_DOCUMENTS = 25


def get_sampling_rules(context: Context, asked: JsonBody) -> dict[str, Any]:
    """All rules in one page: some SDKs never ask for a second."""
    return {"SamplingRuleRecords": [render_rule(context.sampler.rule)]}


def get_sampling_targets(context: Context, asked: JsonBody) -> dict[str, Any]:
    """A target for each report; a report on an unknown rule comes back as unprocessed."""
    documents = asked.objects("SamplingStatisticsDocuments", most=MOST_DOCUMENTS)
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
    # SDKs look at the first digit of the code: 4 blames the report, 5 the server.
    return {"RuleName": rule, "ErrorCode": "404", "Message": f"there is no sampling rule {rule!r}"}


def get_sampling_statistic_summaries(context: Context, asked: JsonBody) -> dict[str, Any]:
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
