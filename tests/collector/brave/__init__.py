"""What Brave 6.3.0 sent with its defaults (shared span ids, a post a second): `recorded.json.gz` has the posts of

    java -cp 'jars/*' Shop.java URL 60 300

in their order, with `io.zipkin.brave:brave:6.3.0`, `io.zipkin.reporter2:zipkin-reporter-brave:3.5.1` and
`zipkin-sender-urlconnection:3.5.1` in `jars/`. `back` works for 300 ms after its query has ended, so many queries are
posted before the requests that they belong to.
"""
