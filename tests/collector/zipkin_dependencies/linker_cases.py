"""The cases of zipkin2.internal.DependencyLinkerTest: spans without times."""

from __future__ import annotations

from tests.collector.zipkin_dependencies.notation import Case

_ONE_CALL = (
    "An edge counts calls as the caller saw them: a call is one, also where two spans answer it."
)
_THROUGH = "A message goes through the broker, of which either side alone may know."
_NAMELESS = "A sender without a name is what OpenTelemetry calls it, and its work is on the map."
_DIRECT = "Who caused the work is known; that no broker is named is no reason to draw nothing."

CASES = (
    Case(
        "linksSpans",
        """
        CLIENT b>c app|db   error
        SERVER a>b app|web  shared
        CLIENT a>b web|app
        SERVER a   web|
        """,
        "web->app 1, app->db 1/1",
    ),
    Case(
        "linksSpans_serverMissingParentId",
        """
        SERVER b   link|arn shared
        CLIENT a>b arn|link
        SERVER a   arn|
        """,
        "arn->link 1",
    ),
    Case(
        "lateParentIdInSharedSpan",
        """
        CLIENT b>c app|db   error
        SERVER a>b app|web  shared
        CLIENT b   web|app
        SERVER a   web|
        """,
        "web->app 1, app->db 1/1",
    ),
    Case(
        "lostChildAndNoParentIdInSharedSpan",
        """
        CLIENT b>c app|db   error
        CLIENT b   web|app
        SERVER a   web|
        """,
        "web->app 1, app->db 1/1",
    ),
    Case(
        "messagingSpansDontLinkWithoutBroker_consumer",
        """
        PRODUCER a   producer|
        CONSUMER a>b consumer|kafka
        """,
        "kafka->consumer 1",
        ours="producer->kafka 1, kafka->consumer 1",
        why=_THROUGH,
    ),
    Case(
        "messagingSpansDontLinkWithoutBroker_producer",
        """
        PRODUCER a   producer|kafka
        CONSUMER a>b consumer|
        """,
        "producer->kafka 1",
        ours="producer->kafka 1, kafka->consumer 1",
        why=_THROUGH,
    ),
    Case(
        "messagingWithBroker_both_sides_same",
        """
        PRODUCER a   producer|kafka
        CONSUMER a>b consumer|kafka
        """,
        "producer->kafka 1, kafka->consumer 1",
    ),
    Case(
        "messagingWithBroker_different",
        """
        PRODUCER a   producer|kafka1
        CONSUMER a>b consumer|kafka2
        """,
        "producer->kafka1 1, kafka2->consumer 1",
        ours="producer->kafka1 1, kafka1->kafka2 1, kafka2->consumer 1",
        why="A message went from what its producer names to what its consumer names: a topic and its subscription.",
    ),
    Case(
        "messagingWithoutBroker_noLinks",
        """
        PRODUCER a   producer|
        CONSUMER a>b consumer|
        """,
        "",
        ours="producer->consumer 1",
        why=_DIRECT,
    ),
    Case(
        "producerLinksToServer_childSpan",
        """
        PRODUCER a   producer|
        SERVER   a>b server|
        """,
        "producer->server 1",
    ),
    Case(
        "producerLinksToServer_sameSpan",
        """
        PRODUCER a   producer|
        SERVER   a   server| shared
        """,
        "producer->server 1",
    ),
    Case(
        "clientDoesntLinkToConsumer_child",
        """
        CLIENT   a   client|
        CONSUMER a>b consumer|
        """,
        "",
        ours="client->consumer 1",
        why=_DIRECT,
    ),
    Case(
        "linksSpansDirectedByKind_server",
        "SERVER a server|client",
        "client->server 1",
    ),
    Case("linksSpansDirectedByKind_client", "CLIENT a client|server shared", "client->server 1"),
    Case(
        "callsAgainstTheSameLinkIncreasesCallCount_span",
        """
        SERVER a   client|
        CLIENT a>b |server
        CLIENT a>c |server
        """,
        "client->server 2",
    ),
    Case(
        "callsAgainstTheSameLinkIncreasesCallCount_trace",
        """
        SERVER a   client|
        CLIENT a>b |server
        SERVER a   client| trace=2
        CLIENT a>b |server trace=2
        """,
        "client->server 2",
    ),
    Case(
        "singleHostSpansResultInASingleCallCount",
        """
        CLIENT a   client|
        SERVER a>b server|
        """,
        "client->server 1",
    ),
    Case(
        "singleHostSpansResultInASingleErrorCount",
        """
        CLIENT a   client| error
        SERVER a>b server| error
        """,
        "client->server 1/1",
    ),
    Case(
        "singleHostSpansResultInASingleErrorCount_sameId",
        """
        CLIENT a   client| error
        SERVER a   server| error shared
        """,
        "client->server 1/1",
    ),
    Case(
        "singleHostSpansResultInASingleCallCount_defersNameToServer",
        """
        CLIENT a   client|server
        SERVER a>b server|
        """,
        "client->server 1",
    ),
    Case(
        "singleHostSpans_multipleChildren",
        """
        CLIENT a   client|
        SERVER a>b server|client error
        SERVER a>c server|client
        """,
        "client->server 2/1",
    ),
    Case(
        "singleHostSpans_multipleChildren_defersNameToServer",
        """
        CLIENT a   client|server
        SERVER a>b server|
        SERVER a>c server|
        """,
        "client->server 2",
        ours="client->server 1",
        why=_ONE_CALL,
    ),
    Case(
        "intermediatedClientSpansMissingLocalServiceNameLinkToNearestServer",
        """
        SERVER a   client|
        -      a>b |
        CLIENT b>c server|
        CLIENT b>d server|
        """,
        "client->server 2",
    ),
    Case(
        "errorsOnUninstrumentedLinks",
        """
        SERVER a   client|
        -      a>b |
        CLIENT b>c server| error
        CLIENT b>d server| error
        """,
        "client->server 2",
    ),
    Case(
        "errorsOnInstrumentedLinks",
        """
        SERVER a   foo|
        -      a>b |
        CLIENT b>c bar|baz error
        CLIENT b>d bar|baz
        """,
        "foo->bar 2, bar->baz 2/1",
    ),
    Case("linkWithErrorIsLogged", "CLIENT b>c foo|bar error", "foo->bar 1/1"),
    Case("annotationNamedErrorDoesntIncrementErrorCount", "CLIENT b>c foo|bar note", "foo->bar 1"),
    Case(
        "linksLoopbackSpans_server",
        "SERVER a service|service",
        "service->service 1",
    ),
    Case("linksLoopbackSpans_client", "CLIENT b service|service", "service->service 1"),
    Case(
        "noSpanKindTreatedSameAsClient",
        """
        - a   some-client|web
        - a>b web|app
        - b>c app|db
        """,
        "some-client->web 1, web->app 1, app->db 1",
    ),
    Case(
        "noSpanKindWithError",
        """
        - a   some-client|web
        - a>b web|app error
        - b>c app|db
        """,
        "some-client->web 1, web->app 1/1, app->db 1",
    ),
    Case("cannotLinkSingleSpanWithoutBothServiceNames_server", "SERVER a |", ""),
    Case("cannotLinkSingleSpanWithoutBothServiceNames_server_local", "SERVER a server|", ""),
    Case(
        "cannotLinkSingleSpanWithoutBothServiceNames_server_remote",
        "SERVER a |client",
        "",
        ours="client->unknown_service 1",
        why=_NAMELESS,
    ),
    Case("cannotLinkSingleSpanWithoutBothServiceNames_client", "CLIENT a |", ""),
    Case("cannotLinkSingleSpanWithoutBothServiceNames_client_local", "CLIENT a client|", ""),
    Case(
        "cannotLinkSingleSpanWithoutBothServiceNames_client_remote",
        "CLIENT a |server",
        "",
        ours="unknown_service->server 1",
        why=_NAMELESS,
    ),
    Case(
        "doesntLinkUnrelatedSpansWhenMissingRootSpan",
        """
        SERVER a>b service1|
        SERVER a>c service2|
        """,
        "",
    ),
    Case(
        "linksRelatedSpansWhenMissingRootSpan",
        """
        SERVER a>b service1|
        SERVER b>c service2|
        """,
        "service1->service2 1",
    ),
    Case(
        "linksSingleHostSpans",
        """
        CLIENT a   web|
        SERVER a>b app|
        """,
        "web->app 1",
    ),
    Case(
        "linksSingleHostSpans_errorOnClient",
        """
        CLIENT a   web| error
        SERVER a>b app|
        """,
        "web->app 1/1",
    ),
    Case(
        "missingSpan",
        """
        SERVER a   web|
        CLIENT a>b app|
        """,
        "web->app 1",
    ),
)
