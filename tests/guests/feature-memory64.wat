;; Uses a memory of 64 bits.
;; outcome: invalid
;; says: does not validate
(component
  (core module (memory i64 1))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
