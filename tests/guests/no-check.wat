;; A component that exports no check.
;; outcome: invalid
;; says: check
(component)
