"""The store over several cells: ClickHouses with whole traces each."""
