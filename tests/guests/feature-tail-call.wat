;; Uses tail calls.
;; outcome: invalid
;; says: does not validate
(component
  (core module (func $f (return_call $f)))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
