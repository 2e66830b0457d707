"""Two shapes of made-up traffic, as SQL expressions over the number of a trace.

Everything is a function of the trace's number and the seed, so that a data set can be made again,
in parts and in parallel. Rows obey what `store.clickhouse.write.rows` writes: `ver` is `store.model.rank`
of the arrival, `received` its second, a call's `document_id` is a segment of its trace, the segment
that answers a call names it as its parent, `members` are subsegments that are no calls, annotations
are `store.rules.annotations` items.

`shop`: 8 rows a trace (3 segments, 5 calls) over 57 services and their tables, queues and partners,
after the shape measured before: entry → middle → leaf, errors, throttles and faults at each level.
Trace ids carry their epoch, but for
one in 64 in the first 24th of the time, whose ids are random. `jaeger`: the shape of Jaeger's published ClickHouse measurement, 10
spans a trace and 11 attributes on each; trace ids are random, as OpenTelemetry's are.
"""

from __future__ import annotations

from dataclasses import dataclass

from store.model import COMPLETE

T0 = 1_795_132_800
"""Where a data set begins, epoch seconds: 2026-11-20T00:00:00Z."""

_EPOCH_ID = """toFixedString(concat(reverse(reinterpretAsFixedString(toUInt32(intDiv(at, 1000000)))),
    reinterpretAsFixedString(cityHash64(t, {seed}, 1)), reinterpretAsFixedString(xxHash32(t, {seed}))), 16)"""
_RANDOM_ID = """toFixedString(concat(reinterpretAsFixedString(cityHash64(t, {seed}, 1)),
    reinterpretAsFixedString(cityHash64(t, {seed}, 2))), 16)"""


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of traffic: rows of each table per trace, and the SQL that makes them.

    ``common`` is of the trace, ``segment`` and ``call`` add what is of the j-th row in it;
    ``columns`` of each table by name, ``body`` a segment's raw document.
    """

    name: str
    segments: int
    calls: int
    common: dict[str, str]
    segment: dict[str, str]
    segment_columns: dict[str, str]
    call: dict[str, str]
    call_columns: dict[str, str]
    body: str

    @property
    def rows(self) -> int:
        """Rows of segments and calls in a trace."""
        return self.segments + self.calls


def _id(k: str) -> str:
    return f"cityHash64(t, {k}, {{seed}})"


def _service(number: str) -> str:
    return f"concat('svc-', leftPad(toString({number}), 2, '0'))"


_SHOP_COMMON = {
    "at": "toInt64({t0} * 1000000 + toFloat64(t) * {step} + cityHash64(t, 3, {seed}) % 1000)",
    "trace": f"if(t % 64 = 0 AND t < {{traces}} / 24, {_RANDOM_ID}, {_EPOCH_ID})",
    "r": "cityHash64(t, 77, {seed})",
    "s0": "r % 6",
    "s1": "(s0 * 7 + bitShiftRight(r, 8) % 4 + 6) % 60",
    "s2": "(s1 * 11 + bitShiftRight(r, 16) % 3) % 60",
    "d2": "toInt64(20000 * -log((r % 9973 + 1) / 9975)) + 400",
    "d1": "d2 + 2000 + toInt64(bitShiftRight(r, 20) % 20000)",
    "d0": "d1 + 3000 + toInt64(bitShiftRight(r, 24) % 30000)",
    # A thousand kinds of trace: where it fails, if it does.
    "u": "bitShiftRight(r, 32) % 1000",
    "x0": "multiIf(u < 4, 4, u BETWEEN 20 AND 40, 2, u BETWEEN 50 AND 53, 3, 1)",
    "x1": "if(u < 6, 4, 1)",
    "x2": "if(u < 8, 4, 1)",
    "types": "['AWS::ECS::Container', 'AWS::EC2::Instance', 'AWS::Lambda::Function', "
    "'AWS::ElasticBeanstalk::Environment']",
}
_CODE = "[0, 200, 404, 429, 500][state + 1]"
_EXCEPTION = (
    "if(state = 4 AND u % 3 = 0, ['TimeoutError', 'ConnectionError', 'KeyError'][r % 3 + 1], '')"
)

_CALL = {
    "kind": "multiIf(k IN (1, 3), 0, k = 7, 1, k = 6, if(s1 % 2 = 0, 2, 3), [1, 4, 5][s2 % 3 + 1])",
    "begin": "at + multiIf(k = 1, 1000, k = 3, 2500, k = 5, 3500, k = 6, d1 - 500, 4000)",
    "took": "greatest(1, multiIf(k = 1, d1 + 800, k = 3, d2 + 700, k = 5, intDiv(d2 * 2, 3), "
    "toInt64(800 + cityHash64(t, k, 5, {seed}) % 3000)))",
    "state": "multiIf(k = 1, x1, k IN (3, 5), x2, cityHash64(t, k, 5, {seed}) % 4000 = 0, 3, 1)",
}
"""Of the call with number ``k`` of a trace."""
_CALLEE = _service("if(k = 1, s1, s2)")
_TARGET = f"""multiIf({_CALL["kind"]} = 0, concat({_CALLEE}, '.internal'),
    {_CALL["kind"]} = 1, concat(['orders', 'carts', 'items', 'sessions'][sv % 4 + 1], if(sv < 30, '', '-archive')),
    {_CALL["kind"]} = 2, concat('jobs-', toString(s1 % 3)), {_CALL["kind"]} = 3, concat('events-', toString(s1 % 3)),
    {_CALL["kind"]} = 4, concat('assets-', toString(s2 % 4)), 'api.partner.com')"""


def _flags(state: str) -> str:
    """The members of a document that say how it ended."""
    return f"['', '', '\"error\":true,', '\"error\":true,\"throttle\":true,', '\"fault\":true,'][{state} + 1]"


def _subsegment(name: str, begin: str, took: str, more: str) -> str:
    return f"""concat('{{"id":"', lower(leftPad(hex({_id("k")}), 16, '0')), '","name":"', {name},
        '","start_time":', toString(({begin}) / 1000000), ',"end_time":', toString(({begin} + {took}) / 1000000),
        {more}, '}}')"""


_AWS_CALL = f"""concat(',"namespace":"aws",', {_flags(_CALL["state"])}, '"http":{{"response":{{"status":200}}}},"aws":{{"operation":"',
    ['GetItem', 'Query'][q % 2 + 1], '","region":"eu-west-1","request_id":"', hex(cityHash64(q, k)), hex(cityHash64(k, q)),
    '","', ['table_name', 'queue_url', 'topic_arn', 'bucket_name'][{_CALL["kind"]}], '":"', {_TARGET}, '"}}')"""
_REMOTE_CALL = f"""concat(',"namespace":"remote",', {_flags(_CALL["state"])}, '"http":{{"request":{{"method":"GET","url":"https://',
    {_TARGET}, '/"}},"response":{{"status":', toString([0, 200, 404, 429, 500][{_CALL["state"]} + 1]), '}}}}')"""
_SUBSEGMENT = f"""multiIf(
    k = 8, {_subsegment("'## render'", "begin + 100", "intDiv(took, 10)", "''")},
    {_CALL["kind"]} IN (0, 5), {_subsegment(_TARGET, _CALL["begin"], _CALL["took"], _REMOTE_CALL)},
    {_subsegment(f"['DynamoDB', 'SQS', 'SNS', 'S3'][{_CALL['kind']}]", _CALL["begin"], _CALL["took"], _AWS_CALL)})"""

_SHOP_SEGMENT = {
    "q": "cityHash64(t, j, 5, {seed})",
    "sv": "[s0, s1, s2][j + 1]",
    "own": _id("[0, 2, 4][j + 1]"),
    "parent": f"if(j = 0, 0, {_id('[0, 1, 3][j + 1]')})",
    "begin": "at + [0, 1500, 3000][j + 1]",
    "took": "[d0, d1, d2][j + 1]",
    "state": "[x0, x1, x2][j + 1]",
    "service": _service("sv"),
    "arrival": "begin + took + 200000 + toInt64(q % 1500000)",
    "code": _CODE,
    "url": "concat('https://', if(j = 0, 'shop.example.com', concat(service, '.internal')), "
    "['/cart/', '/order/', '/item/', '/user/profile/'][r % 4 + 1], toString(q % if(j = 0, 100000, 10000)))",
    "agent": "if(j = 0, ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145', "
    "'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36', "
    "'okhttp/5.1.0'][r % 3 + 1], 'python-requests/2.34')",
    "who": "if(j = 0, concat('user-', toString(cityHash64(t, 9, {seed}) % 20000)), '')",
    "address": "if(j = 0, concat('192.0.2.', toString(q % 254 + 1)), concat('10.1.', toString(sv), '.', toString(q % 8)))",
    "failure": _EXCEPTION,
}
SHOP = Shape(
    name="shop",
    segments=3,
    calls=5,
    common=_SHOP_COMMON,
    segment=_SHOP_SEGMENT,
    segment_columns={
        "trace_id": "trace",
        "id": "own",
        "parent_id": "parent",
        "start": "begin",
        "duration": "took",
        "last_duration": "0",
        "independent": "0",
        "inferred": "0",
        "sampled": "1",
        "state": "state",
        "account": "''",
        "name": "service",
        "type": "types[sv % 4 + 1]",
        "service": "service",
        "method": "if(q % 5 = 0, 'POST', 'GET')",
        "url": "url",
        "status": "code",
        "client_ip": "address",
        "user_agent": "agent",
        "user": "who",
        "resource_arn": "''",
        "instance_id": "if(sv % 4 = 1, concat('i-0', lower(hex(cityHash64(sv, q % 4)))), '')",
        "availability_zone": "if(sv % 4 = 1, ['eu-1a', 'eu-1b', 'eu-1c'][q % 3 + 1], '')",
        "service_version": "''",
        "environment": "''",
        "operation": "concat(if(q % 5 = 0, 'POST', 'GET'), ' /', service)",
        "exception": "failure",
        "annotations": """multiIf(
            j = 0, [concat('customer_tier="', ['gold', 'silver', 'free'][r % 3 + 1], '"'),
                    concat('order_id=', toString(r % 1000000)),
                    concat('beta=', if(r % 10 = 0, 'true', 'false'))],
            j = 1, [concat('cache="', if(q % 4 = 0, 'miss', 'hit'), '"')], [])""",
        "members": f"if(j = 0, [{_id('8')}], CAST([] AS Array(UInt64)))",
        "received": "toDateTime(intDiv(arrival, 1000000), 'UTC')",
        "ver": f"toUInt64(arrival) + {COMPLETE}",
    },
    call={
        "k": "[1, 3, 5, 6, 7][j + 1]",
        "q": "cityHash64(t, k, 5, {seed})",
        "o": "[0, 1, 2, 1, 0][j + 1]",
        "sv": "[s0, s1, s2][o + 1]",
        "owner": _service("sv"),
        **_CALL,
        "target": _TARGET,
        "code": _CODE,
        "failure": "if(state = 4 AND k = 5, 'TimeoutError', '')",
        "arrival": "at + [0, 1500, 3000][o + 1] + [d0, d1, d2][o + 1] + 200000 "
        "+ toInt64(cityHash64(t, o, 5, {seed}) % 1500000)",
    },
    call_columns={
        "trace_id": "trace",
        "id": _id("k"),
        "document_xor": f"bitXor({_id('k')}, {_id('[0, 2, 4][o + 1]')})",
        "independent": "0",
        "start": "begin",
        "duration": "took",
        "state": "state",
        "owner_account": "''",
        "owner_name": "owner",
        "owner_type": "types[sv % 4 + 1]",
        "account": "''",
        "name": "target",
        "type": "['remote', 'AWS::DynamoDB::Table', 'AWS::SQS::Queue', 'AWS::SNS', 'AWS::S3::Bucket', 'remote'][kind + 1]",
        "service": "if(kind IN (0, 5), target, ['DynamoDB', 'SQS', 'SNS', 'S3'][kind])",
        "host": "if(kind IN (0, 5), target, ['dynamodb', 'sqs', 'sns', 's3'][kind])",
        "status": "code",
        "traced": "kind = 0",
        "exception": "failure",
        "received": "toDateTime(intDiv(arrival, 1000000), 'UTC')",
        "ver": f"toUInt64(arrival) + {COMPLETE}",
    },
    body="""concat('{"name":"', service, '","id":"', lower(leftPad(hex(own), 16, '0')), '","trace_id":"1-',
        lower(hex(substring(trace, 1, 4))), '-', lower(hex(substring(trace, 5))), '",',
        if(parent = 0, '', concat('"parent_id":"', lower(leftPad(hex(parent), 16, '0')), '",')),
        '"start_time":', toString(begin / 1000000), ',"end_time":', toString((begin + took) / 1000000),
        ',"in_progress":false,', """
    + _flags("state")
    + """, if(failure = '', '', concat('"cause":{"exceptions":[{"id":"',
        lower(leftPad(hex(q), 16, '0')), '","type":"', failure, '","message":"', service, ' gave up"}]},')), '"http":{"request":{"url":"', url, '","method":"GET","user_agent":"', agent,
        '","client_ip":"', address, '"},"response":{"status":', toString(code), ',"content_length":',
        toString(q % 9000), '}},"user":"', who, '","aws":{"xray":{"sdk":"X-Ray for Python","sdk_version":"2.15.0"},',
        '"ecs":{"container":"', service, '-', toString(q % 8), '"}},"service":{"version":"', toString(sv), '.4.',
        toString(sv % 7), '","runtime":"CPython","runtime_version":"3.13.1"},"annotations":{"customer_tier":"',
        ['gold', 'silver', 'free'][r % 3 + 1], '","order_id":', toString(r % 1000000), '},"metadata":{"default":{"cart":[',
        toString(q % 99), ',', toString(q % 97), ',', toString(q % 89), '],"took":', toString(took / 7),
        '}},"subsegments":[', arrayStringConcat(arrayMap(k -> """
    + _SUBSEGMENT
    + """,
            [[1, 7, 8], [3, 6], [5]][j + 1]), ','), ']}')""",
)

_JAEGER_COMMON = {
    "at": "toInt64({t0} * 1000000 + toFloat64(t) * {step} + cityHash64(t, 3, {seed}) % 1000)",
    "trace": _RANDOM_ID,
    "r": "cityHash64(t, 77, {seed})",
}
JAEGER = Shape(
    name="jaeger",
    segments=5,
    calls=5,
    common=_JAEGER_COMMON,
    segment={
        "q": "cityHash64(t, j, 5, {seed})",
        "own": _id("j * 2"),
        "parent": f"if(j = 0, 0, {_id('j * 2 - 1')})",
        "begin": "at + toInt64(j) * 1000",
        "took": "60000 - toInt64(j) * 4000 + toInt64(q % 2000)",
        "state": "if(q % 100 = 0, 4, 1)",
        "sv": "(r + j * 7) % 40",
        "service": _service("sv"),
        "arrival": "begin + took + 200000 + toInt64(q % 1500000)",
    },
    segment_columns={
        "trace_id": "trace",
        "id": "own",
        "parent_id": "parent",
        "start": "begin",
        "duration": "took",
        "last_duration": "0",
        "independent": "0",
        "inferred": "0",
        "sampled": "1",
        "state": "state",
        "account": "''",
        "name": "service",
        "type": "'AWS::ECS::Container'",
        "service": "service",
        "method": "'GET'",
        "url": "concat('http://', service, '/api/', toString(q % 1000))",
        "status": "if(state = 4, 500, 200)",
        "client_ip": "''",
        "user_agent": "''",
        "user": "''",
        "resource_arn": "''",
        "instance_id": "''",
        "availability_zone": "''",
        "service_version": "''",
        "environment": "''",
        "operation": "''",
        "exception": "''",
        "annotations": "arrayMap(i -> concat('attribute_', toString(i), '=\"', "
        "['alpha', 'beta', 'gamma', 'delta', 'epsilon'][cityHash64(q, i) % 5 + 1], '-', "
        "toString(cityHash64(q, i) % if(i < 3, 100000, 50)), '\"'), range(11))",
        "members": "CAST([] AS Array(UInt64))",
        "received": "toDateTime(intDiv(arrival, 1000000), 'UTC')",
        "ver": f"toUInt64(arrival) + {COMPLETE}",
    },
    call={
        "q": "cityHash64(t, j, 5, {seed})",
        "owner": _service("(r + j * 7) % 40"),
        "callee": _service("(r + j * 7 + 7) % 40"),
        "begin": "at + toInt64(j) * 1000 + 500",
        "took": "57000 - toInt64(j) * 4000",
        "arrival": "at + toInt64(j) * 1000 + 60000 - toInt64(j) * 4000 + toInt64(q % 2000) + 200000 "
        "+ toInt64(q % 1500000)",
    },
    call_columns={
        "trace_id": "trace",
        "id": _id("j * 2 + 1"),
        "document_xor": f"bitXor({_id('j * 2 + 1')}, {_id('j * 2')})",
        "independent": "0",
        "start": "begin",
        "duration": "took",
        "state": "1",
        "owner_account": "''",
        "owner_name": "owner",
        "owner_type": "'AWS::ECS::Container'",
        "account": "''",
        "name": "if(j = 4, 'db.internal', concat(callee, '.internal'))",
        "type": "'remote'",
        "service": "if(j = 4, 'db.internal', concat(callee, '.internal'))",
        "host": "if(j = 4, 'db.internal', concat(callee, '.internal'))",
        "status": "200",
        "traced": "j < 4",
        "exception": "''",
        "received": "toDateTime(intDiv(arrival, 1000000), 'UTC')",
        "ver": f"toUInt64(arrival) + {COMPLETE}",
    },
    body="''",
)

SHAPES = {shape.name: shape for shape in (SHOP, JAEGER)}
