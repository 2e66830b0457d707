// Generated from store/filters by `python -m ui.codegen.filter_language`. Do not edit.

export type Kind = 'flag' | 'number' | 'text'
export type Scope = 'trace' | 'service' | 'edge' | 'root_cause'

export interface Keyword {
  kind: Kind
  scope: readonly Scope[]
  meaning: string
}

/** The terminals of the grammar in the order in which they are tried. */
export const TERMINALS: readonly (readonly [name: string, source: string, flags: string])[] = [
  [
    "ROOT_CAUSE",
    "rootcause\\.(fault|error|responsetime)\\.(service|entity|exception)(?=\\s*\\{)",
    "i"
  ],
  [
    "OPERATOR",
    "=~|<=|>=|!=|=|<|>|(contains|beginswith|endswith)(?![\\w.])",
    "i"
  ],
  [
    "ANNOTATION",
    "annotation(\\.[^\\s=!<>()\\[\\]{}\",]+|\\[[^\\]]+\\])",
    "i"
  ],
  [
    "NUMBER",
    "[-+]?(\\d+(\\.\\d*)?|\\.\\d+)(e[-+]?\\d+)?(?![\\w.])",
    "i"
  ],
  [
    "ID_MEMBER",
    "(name|type|account\\.id)(?=\\s*:)",
    "i"
  ],
  [
    "_ROOT_CAUSE_JSON",
    "rootcause\\.json(?=\\s*=)",
    "i"
  ],
  [
    "_SERVICE",
    "service(?=\\s*\\()",
    "i"
  ],
  [
    "_EXISTS",
    "exists(?![\\w.])",
    "i"
  ],
  [
    "_EDGE",
    "edge(?=\\s*\\()",
    "i"
  ],
  [
    "_AND",
    "and(?![\\w.])",
    "i"
  ],
  [
    "_NOT",
    "not(?![\\w.])",
    "i"
  ],
  [
    "_ID",
    "id(?=\\s*\\()",
    "i"
  ],
  [
    "_IN",
    "in(?=\\s*\\()",
    "i"
  ],
  [
    "_OR",
    "or(?![\\w.])",
    "i"
  ],
  [
    "WORD",
    "[A-Za-z_][\\w.:\\/-]*",
    ""
  ],
  [
    "STRING",
    "\"([^\"\\\\]|\\\\.)*\"",
    ""
  ],
  [
    "JSON",
    "#\\d+",
    ""
  ],
  [
    "BANG",
    "!",
    ""
  ],
  [
    "COLON",
    ":",
    ""
  ],
  [
    "COMMA",
    ",",
    ""
  ],
  [
    "EQUAL",
    "=",
    ""
  ],
  [
    "LBRACE",
    "\\{",
    ""
  ],
  [
    "LPAR",
    "\\(",
    ""
  ],
  [
    "RBRACE",
    "\\}",
    ""
  ],
  [
    "RPAR",
    "\\)",
    ""
  ]
]

/** Every keyword: its values, where it may stand, what it means. */
export const KEYWORDS: Readonly<Record<string, Keyword>> = {
  "account.id": {
    "kind": "text",
    "scope": [
      "trace",
      "service",
      "root_cause"
    ],
    "meaning": "Account of any node of the trace."
  },
  "availabilityzone": {
    "kind": "text",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "Availability zone of any segment."
  },
  "background": {
    "kind": "flag",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "Some unit of the trace (in service(): the unit) is background work, which serves no request; not in X-Ray."
  },
  "coverage": {
    "kind": "number",
    "scope": [
      "root_cause"
    ],
    "meaning": "Share of the response time that the entity covers, 0 to 1."
  },
  "duration": {
    "kind": "number",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "Seconds from the first start to the last end."
  },
  "environment": {
    "kind": "text",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "Environment of any segment; not in X-Ray."
  },
  "error": {
    "kind": "flag",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "It was answered with a 4xx; throttles included."
  },
  "fault": {
    "kind": "flag",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "It failed with a 5xx."
  },
  "first": {
    "kind": "flag",
    "scope": [
      "root_cause"
    ],
    "meaning": "The element is the first of its path."
  },
  "group.arn": {
    "kind": "text",
    "scope": [
      "trace"
    ],
    "meaning": "The same, by the group's ARN."
  },
  "group.name": {
    "kind": "text",
    "scope": [
      "trace"
    ],
    "meaning": "Name of a group: the trace satisfies the group's expression."
  },
  "http.clientip": {
    "kind": "text",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "Address of the client."
  },
  "http.method": {
    "kind": "text",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "Method of the request."
  },
  "http.status": {
    "kind": "number",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "Status code of the response."
  },
  "http.url": {
    "kind": "text",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "URL of the request."
  },
  "http.useragent": {
    "kind": "text",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "User agent of the client."
  },
  "index": {
    "kind": "number",
    "scope": [
      "root_cause"
    ],
    "meaning": "Position of the element in its path, from 0."
  },
  "inferred": {
    "kind": "flag",
    "scope": [
      "trace",
      "service",
      "edge",
      "root_cause"
    ],
    "meaning": "Some node (in a block: the unit's node, an edge's target) is inferred from calls."
  },
  "instance.id": {
    "kind": "text",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "EC2 instance of any segment."
  },
  "last": {
    "kind": "flag",
    "scope": [
      "root_cause"
    ],
    "meaning": "The element is the last of its path."
  },
  "message": {
    "kind": "text",
    "scope": [
      "root_cause"
    ],
    "meaning": "Message of the exception."
  },
  "name": {
    "kind": "text",
    "scope": [
      "trace",
      "service",
      "root_cause"
    ],
    "meaning": "Name of any node of the trace; in a block: of the node, entity or exception."
  },
  "ok": {
    "kind": "flag",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "The entry segment (in a block: the unit) succeeded."
  },
  "operation": {
    "kind": "text",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "What any segment, span or call of the trace (in a block: the unit) did, such as GET /orders/{id} or GetItem; not in X-Ray."
  },
  "partial": {
    "kind": "flag",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "Something of the trace has still to arrive; in service(): the unit is in progress."
  },
  "region": {
    "kind": "text",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "Region of any node of the trace; not in X-Ray."
  },
  "remote": {
    "kind": "flag",
    "scope": [
      "root_cause"
    ],
    "meaning": "The entity is a call to another service."
  },
  "resource.arn": {
    "kind": "text",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "ARN on any segment."
  },
  "responsetime": {
    "kind": "number",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "Seconds the entry segment (in a block: the unit) took."
  },
  "root": {
    "kind": "flag",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "The unit is the entry of the trace; of an edge: its source is."
  },
  "throttle": {
    "kind": "flag",
    "scope": [
      "trace",
      "service",
      "edge"
    ],
    "meaning": "Anything in the trace (in a block: the unit) was throttled, 429."
  },
  "type": {
    "kind": "text",
    "scope": [
      "trace",
      "service",
      "root_cause"
    ],
    "meaning": "Type of any node of the trace, such as AWS::DynamoDB::Table."
  },
  "user": {
    "kind": "text",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "User on any segment (in a block: on the unit)."
  },
  "version": {
    "kind": "text",
    "scope": [
      "trace",
      "service"
    ],
    "meaning": "Deployed version of any segment; not in X-Ray."
  }
}

/** What a keyword of a kind may be compared by. */
export const OPERATORS: Readonly<Record<Kind, readonly string[]>> = {
  "flag": [
    "=",
    "!="
  ],
  "number": [
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">="
  ],
  "text": [
    "=",
    "!=",
    "contains",
    "beginswith",
    "endswith",
    "=~"
  ]
}

/** Keywords whose values the server lists. */
export const VALUE_FIELDS: readonly string[] = [
  "http.url",
  "http.method",
  "http.status",
  "http.useragent",
  "http.clientip",
  "user",
  "availabilityzone",
  "instance.id",
  "resource.arn",
  "version",
  "environment",
  "operation"
]
