"""Central sampling: quotas, what SDKs really send, and what they get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.sampling import Report, Sampler, share_out
from store.memory import MemoryStore
from tests.api.botocore_model import complaints, operations
from tests.vectors import files

NOW = 1_795_560_000.0


@given(st.integers(0, 100), st.dictionaries(st.text(max_size=3), st.integers(0, 1000), min_size=1))
def test_quotas_add_up_to_the_reservoir(reservoir: int, traffic: dict[str, int]) -> None:
    quotas = share_out(reservoir, traffic)
    assert quotas.keys() == traffic.keys()
    assert sum(quotas.values()) == reservoir
    assert min(quotas.values()) >= 0


def test_quotas_follow_traffic() -> None:
    assert share_out(10, {"a": 300, "b": 100, "c": 100}) == {"a": 6, "b": 2, "c": 2}
    assert share_out(4, {"a": 0, "b": 0}) == {"a": 2, "b": 2}
    assert share_out(1, {"b": 5, "a": 5}) == {"a": 1, "b": 0}


def report(client: str = "c" * 24, rule: str = "Default", requests: int = 10) -> Report:
    return Report(rule, client, requests, sampled=1, borrowed=2)


def test_silent_clients_stop_counting() -> None:
    now = [NOW]
    sampler = Sampler(0.1, lambda: now[0])
    assert sampler.report(report("a", requests=90)) is not None
    other = sampler.report(report("b", requests=1))
    assert other is not None
    assert other.quota == 0
    now[0] += 31
    alone = sampler.report(report("b", requests=1))
    assert alone is not None
    assert (alone.quota, alone.rate) == (1, 0.1)
    assert alone.expires > now[0]


def test_statistics_are_retained_for_half_an_hour_by_ten_seconds() -> None:
    now = [NOW + 3]
    sampler = Sampler(1.0, lambda: now[0])
    sampler.report(report("a"))
    sampler.report(report("b"))
    ((start, window),) = sampler.windows().items()
    assert (start, window.requests, window.sampled, window.borrowed) == (NOW, 20, 2, 4)
    now[0] += 1801
    assert sampler.windows() == {}


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(MemoryStore(), version="0", clock=lambda: NOW))


DOCUMENT = {
    "RuleName": "Default",
    "ClientID": "e19e72a124ec4bcaf43a0f28",
    "RequestCount": 5,
    "BorrowCount": 2,
    "SampledCount": 1,
    "Timestamp": 1795560606,
}


def test_everything_is_recorded_by_default(client: TestClient) -> None:
    (record,) = client.post("/GetSamplingRules").json()["SamplingRuleRecords"]
    rule = record["SamplingRule"]
    assert (rule["FixedRate"], rule["ReservoirSize"], rule["Attributes"]) == (1.0, 1, {})
    assert not {"SamplingRateBoost", "Tags"} & rule.keys()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"NextToken": null}'])
def test_rules_are_given_for_whatever_sdks_send(client: TestClient, body: bytes) -> None:
    """Go sends no content type, OpenTelemetry's Python an empty body."""
    response = client.post("/GetSamplingRules", content=body)
    assert response.status_code == 200
    assert set(response.json()) == {"SamplingRuleRecords"}


def test_targets_have_only_what_clients_know(client: TestClient) -> None:
    unknown = DOCUMENT | {"RuleName": "gone"}
    answer = client.post(
        "/SamplingTargets", json={"SamplingStatisticsDocuments": [DOCUMENT, unknown]}
    ).json()
    assert answer["SamplingTargetDocuments"] == [
        {
            "RuleName": "Default",
            "FixedRate": 1.0,
            "ReservoirQuota": 1,
            "ReservoirQuotaTTL": NOW + 30,
            "Interval": 10,
        }
    ]
    assert answer["LastRuleModification"] == NOW
    (unprocessed,) = answer["UnprocessedStatistics"]
    assert (unprocessed["RuleName"], unprocessed["ErrorCode"]) == ("gone", "404")
    assert set(answer) == {
        "SamplingTargetDocuments",
        "LastRuleModification",
        "UnprocessedStatistics",
    }


def test_statistics_can_be_read_back(client: TestClient, xray: Any) -> None:
    xray.get_sampling_targets(SamplingStatisticsDocuments=[DOCUMENT])
    (summary,) = xray.get_sampling_statistic_summaries()["SamplingStatisticSummaries"]
    assert (summary["RequestCount"], summary["BorrowCount"], summary["SampledCount"]) == (5, 2, 1)


@pytest.mark.parametrize("file", files("http/*.http"), ids=lambda file: file.stem)
def test_requests_of_an_sdk(client: TestClient, file: Path) -> None:
    raw = file.read_bytes()
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    path = head.split()[1].decode()
    response = client.post(path, content=body.strip())
    assert response.status_code == 200
    assert complaints(operations()[path], response.content) == []
