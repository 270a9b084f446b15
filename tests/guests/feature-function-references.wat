;; Uses typed references to functions.
;; outcome: invalid
;; says: does not validate
(component
  (core module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
