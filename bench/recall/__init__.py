"""A known true graph, delivered badly, and what the map makes of it.

`world` is what exists, `traffic` what happens in it, `writing` the documents that tell of it,
`truth` the graph that what arrived has to give, `delivery` everything that goes wrong on the way,
`score` the comparison. Nothing here uses store/edges.py or its SQL.
"""
