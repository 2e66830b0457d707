-- Whether a segment is background work of its node (store.draw), if no link names its cause: BACKGROUND_KINDS of store.model.
(parent_id = 0 AND kind IN (1, 3, 4) AND before_name = '')
