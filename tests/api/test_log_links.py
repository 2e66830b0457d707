"""Links to log lines elsewhere."""

from __future__ import annotations

import re

import pytest

from api.log_links import check_template, log_links
from store.trace_logs import Place
from tests.builders import T0, trace_id

ID = trace_id(1)
FUNCTION = Place(
    "f",
    "w",
    "checkout",
    T0,
    T0 + 1,
    True,
    True,
    "r-1",
    "2026/11/24/[42]3893aa",
    ("/aws/lambda/checkout",),
    "111122223333",
    "eu-west-1",
)
WEB = Place("w", "", "web & co", T0, T0 + 5, True)
CALL = Place("c", "f", "checkout", T0, T0)


def urls(template: str) -> list[tuple[str | None, str]]:
    links = log_links(template, ID, [WEB, FUNCTION, CALL])
    return [(link["segment"], link["url"]) for link in links if "aws.amazon" not in link["url"]]


def test_one_link_for_the_trace() -> None:
    start, end = (T0 - 300_000_000) // 1000, (T0 + 5 + 300_000_000) // 1000
    assert urls("https://logs.example.com/?q={w3c_trace_id}&from={from}&to={to}") == [
        (None, f"https://logs.example.com/?q={ID.hex()}&from={start}&to={end}")
    ]


def test_a_link_for_each_segment_that_has_what_the_template_names() -> None:
    assert urls("https://l/{service}?{trace_id}") == [
        ("w", f"https://l/web%20%26%20co?1-{ID.hex()[:8]}-{ID.hex()[8:]}"),
        ("f", f"https://l/checkout?1-{ID.hex()[:8]}-{ID.hex()[8:]}"),
    ]
    assert urls("https://l/{log_group}/{request_id}") == [
        ("f", "https://l/%2Faws%2Flambda%2Fcheckout/r-1")
    ]


def test_cloudwatch() -> None:
    (link,) = log_links("", ID, [WEB, FUNCTION, FUNCTION._replace(region="")])
    assert link == {
        "segment": "f",
        "label": "CloudWatch Logs /aws/lambda/checkout",
        "url": "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
        "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fcheckout"
        "/log-events/2026$252F11$252F24$252F$255B42$255D3893aa",
    }


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("https://l/{trace}", "unknown placeholder {trace}; there are {trace_id}"),
        ("javascript:alert({trace_id})", "expected a URL like https://"),
        ("https://l/{trace_id", "expected '}'"),
        ("https://l/{}", "unknown placeholder {}"),
    ],
)
def test_a_bad_template_says_why(template: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        check_template(template)


def test_a_good_template() -> None:
    check_template("https://l/{trace_id}/{log_group}")
