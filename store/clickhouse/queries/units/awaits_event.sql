-- Whether what invoked a function may yet be known (store.facts.awaits_event): of Lambda's own segment that does not name
-- what its messages came from, and that was not derived, by the bits of its version above its arrival.
(type = 'AWS::Lambda' AND owner_name = '' AND bitShiftRight(ver, 54) NOT BETWEEN 191 AND 254)
