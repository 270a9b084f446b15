;; Uses a table of 64 bits.
;; outcome: invalid
;; says: does not validate
(component
  (core module (table i64 1 funcref))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
