;; Uses two memories in one module.
;; outcome: invalid
;; says: does not validate
(component
  (core module (memory 1) (memory 1))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
