;; Uses memory that threads share.
;; outcome: invalid
;; says: does not validate
(component
  (core module (memory 1 1 shared))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
