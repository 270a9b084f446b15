;; Uses relaxed SIMD, whose results differ from machine to machine.
;; outcome: invalid
;; says: does not validate
(component
  (core module (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2))))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
