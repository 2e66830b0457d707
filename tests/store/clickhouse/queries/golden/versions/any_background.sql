SELECT 1 FROM segments WHERE <rows> AND <named> AND <serves_no_request> LIMIT 1
