"""Central sampling over HTTP: what SDKs really send, and what they get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore
from tests.api.botocore_model import complaints, operations
from tests.vectors import files

NOW = 1_795_560_000.0
OPERATIONS = operations()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> TestClient:
    return TestClient(create_app(MemoryStore(), version="0", clock=clock))


def ask(client: TestClient, path: str, **body: Any) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    assert complaints(OPERATIONS[path], response.content) == []
    return response.json()


DOCUMENT = {
    "RuleName": "Default",
    "ClientID": "e19e72a124ec4bcaf43a0f28",
    "RequestCount": 5,
    "BorrowCount": 2,
    "SampledCount": 1,
    "Timestamp": 1795560606,
}
RULE = {
    "RuleName": "checkout",
    "ResourceARN": "*",
    "Priority": 100,
    "FixedRate": 0.05,
    "ReservoirSize": 3,
    "ServiceName": "shop*",
    "ServiceType": "*",
    "Host": "*.example.com",
    "HTTPMethod": "POST",
    "URLPath": "/checkout/?",
    "Version": 1,
}


def test_everything_is_recorded_by_default(client: TestClient) -> None:
    (record,) = ask(client, "/GetSamplingRules")["SamplingRuleRecords"]
    rule = record["SamplingRule"]
    assert (rule["FixedRate"], rule["ReservoirSize"], rule["Attributes"]) == (1.0, 1, {})
    assert (rule["RuleName"], rule["Priority"], record["CreatedAt"]) == ("Default", 10000, 0)
    assert not {"SamplingRateBoost", "Tags"} & rule.keys()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"NextToken": null}'])
def test_rules_are_given_for_whatever_sdks_send(client: TestClient, body: bytes) -> None:
    """Go sends no content type, OpenTelemetry's Python an empty body."""
    response = client.post("/GetSamplingRules", content=body)
    assert response.status_code == 200
    assert set(response.json()) == {"SamplingRuleRecords"}


def test_targets_have_only_what_clients_know(client: TestClient, clock: Clock) -> None:
    unknown = DOCUMENT | {"RuleName": "gone"}
    first = ask(client, "/SamplingTargets", SamplingStatisticsDocuments=[DOCUMENT, unknown])
    assert first["SamplingTargetDocuments"] == [
        {"RuleName": "Default", "FixedRate": 1.0, "Interval": 10}
    ]
    assert first["LastRuleModification"] == 0
    (unprocessed,) = first["UnprocessedStatistics"]
    assert (unprocessed["RuleName"], unprocessed["ErrorCode"]) == ("gone", "404")
    assert set(first) == {
        "SamplingTargetDocuments",
        "LastRuleModification",
        "UnprocessedStatistics",
    }
    clock.now += 10
    second = ask(client, "/SamplingTargets", SamplingStatisticsDocuments=[DOCUMENT])
    assert second["SamplingTargetDocuments"] == [
        {
            "RuleName": "Default",
            "FixedRate": 1.0,
            "ReservoirQuota": 1,
            "ReservoirQuotaTTL": NOW + 40,
            "Interval": 10,
        }
    ]


def test_a_report_of_awss_opentelemetry_distribution_is_counted(client: TestClient) -> None:
    """aws-opentelemetry-distro 0.21 for Python writes SampleCount, and null for no boosts."""
    report = {key: value for key, value in DOCUMENT.items() if key != "SampledCount"}
    body = {"SamplingStatisticsDocuments": [report | {"SampleCount": 3}]}
    targets = ask(client, "/SamplingTargets", **body, SamplingBoostStatisticsDocuments=[])
    assert len(targets["SamplingTargetDocuments"]) == 1
    (summary,) = ask(client, "/SamplingStatisticSummaries")["SamplingStatisticSummaries"]
    assert (summary["RequestCount"], summary["SampledCount"]) == (5, 3)
    response = client.post("/SamplingTargets", json={"SamplingStatisticsDocuments": [report]})
    assert response.status_code == 400
    assert "SampledCount is missing" in response.json()["Message"]


def test_a_changed_rule_reaches_clients_with_their_next_report(
    client: TestClient, clock: Clock
) -> None:
    ask(client, "/CreateSamplingRule", SamplingRule=RULE)
    clock.now += 5
    report = DOCUMENT | {"RuleName": "checkout"}
    update = {"RuleName": "checkout", "FixedRate": 0.5}
    ask(client, "/UpdateSamplingRule", SamplingRuleUpdate=update)
    answer = ask(client, "/SamplingTargets", SamplingStatisticsDocuments=[report])
    assert answer["SamplingTargetDocuments"][0]["FixedRate"] == 0.5
    assert answer["LastRuleModification"] == NOW + 5
    clock.now += 1
    ask(client, "/DeleteSamplingRule", RuleName="checkout")
    answer = ask(client, "/SamplingTargets", SamplingStatisticsDocuments=[report])
    assert answer["SamplingTargetDocuments"] == []
    assert answer["LastRuleModification"] == NOW + 6


def test_anomalies_boost_a_rule_that_allows_it(client: TestClient, clock: Clock) -> None:
    boost = {"MaxRate": 0.5, "CooldownWindowMinutes": 10}
    ask(client, "/CreateSamplingRule", SamplingRule=RULE | {"SamplingRateBoost": boost})
    counts = {"AnomalyCount": 40, "TotalCount": 100, "SampledAnomalyCount": 1}
    anomalies = {"RuleName": "checkout", "ServiceName": "shop", "Timestamp": NOW, **counts}
    body = {
        "SamplingStatisticsDocuments": [DOCUMENT | {"RuleName": "checkout"}],
        "SamplingBoostStatisticsDocuments": [anomalies, anomalies | {"RuleName": "Default"}],
    }
    clock.now += 2
    first = ask(client, "/SamplingTargets", **body)
    assert "SamplingBoost" not in first["SamplingTargetDocuments"][0]
    (refused,) = first["UnprocessedBoostStatistics"]
    assert (refused["RuleName"], refused["ErrorCode"]) == ("Default", "400")
    clock.now += 10
    (target,) = ask(client, "/SamplingTargets", **body)["SamplingTargetDocuments"]
    assert target["SamplingBoost"] == {"BoostRate": 0.25, "BoostRateTTL": NOW + 70}


def test_statistics_can_be_read_back(client: TestClient, clock: Clock) -> None:
    clock.now += 3
    other = DOCUMENT | {"ClientID": "f" * 24}
    ask(client, "/SamplingTargets", SamplingStatisticsDocuments=[DOCUMENT, other])
    clock.now += 10
    ask(client, "/SamplingTargets", SamplingStatisticsDocuments=[DOCUMENT])
    summaries = ask(client, "/SamplingStatisticSummaries")["SamplingStatisticSummaries"]
    assert summaries == [
        {
            "RuleName": "Default",
            "Timestamp": NOW + n * 10,
            "RequestCount": 10 // (n + 1),
            "BorrowCount": 4 // (n + 1),
            "SampledCount": 2 // (n + 1),
        }
        for n in range(2)
    ]
    clock.now += 1801
    assert ask(client, "/SamplingStatisticSummaries") == {"SamplingStatisticSummaries": []}


@pytest.mark.parametrize("file", files("http/*.http"), ids=lambda file: file.stem)
def test_requests_of_an_sdk(client: TestClient, file: Path) -> None:
    raw = file.read_bytes()
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    path = head.split()[1].decode()
    response = client.post(path, content=body.strip())
    assert response.status_code == 200
    assert complaints(operations()[path], response.content) == []
