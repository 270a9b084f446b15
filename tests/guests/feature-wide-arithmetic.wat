;; Uses arithmetic of 128 bits.
;; outcome: invalid
;; says: does not validate
(component
  (core module (func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
