;; Holds what the host would have to collect.
;; outcome: invalid
;; says: does not validate
(component
  (core module (table 1 externref))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
