-- The account of store.model.client_of where the cause of a root that began at `start` is not stored.
concat('unconfirmed ', toString(intDiv(start, 10000000)))
