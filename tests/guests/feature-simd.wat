;; Uses SIMD.
;; outcome: invalid
;; says: does not validate
(component
  (core module (func (param v128)))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
