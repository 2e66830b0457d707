-- Of the rows of units/references with one key: whether a row elsewhere decides, or may come and decide (`leaves`), and
-- whether looking the id up once does not resolve it (`doubtful`).
groupBitOr(role) AS roles,
countIf(bitAnd(role, 263) > 0) AS holders, countIf(bitAnd(role, 32) > 0) AS segments, bitAnd(roles, 16) > 0 AS has_calls,
minIf(version, version > 0) != max(version) AS is_mixed,
bitAnd(roles, 128) > 0 OR (bitAnd(roles, 96) > 0 AND holders = 0) OR (has_calls AND bitAnd(roles, 1) = 0) AS leaves,
holders > 1 OR (segments > 1 AND bitAnd(roles, 13) > 0)
    OR bitAnd(roles, 68) = 68 OR (has_calls AND is_mixed) OR bitAnd(roles, 1536) = 1536 AS doubtful
