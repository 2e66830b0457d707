-- The last error of each kind that a damaged file causes, in any process since the server started: in
-- queries, merges and mutations. The message names the part.
SELECT code, toUnixTimestamp(last_error_time), last_error_message
FROM system.errors
WHERE name IN ('CHECKSUM_DOESNT_MATCH', 'CANNOT_DECOMPRESS', 'CORRUPTED_DATA', 'CANNOT_READ_ALL_DATA',
               'UNKNOWN_CODEC', 'TOO_LARGE_SIZE_COMPRESSED', 'BAD_SIZE_OF_FILE_IN_DATA_PART',
               'FILE_DOESNT_EXIST', 'NO_FILE_IN_DATA_PART', 'INCORRECT_DATA', 'POTENTIALLY_BROKEN_DATA_PART')
