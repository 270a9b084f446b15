;; Exports one name twice.
;; outcome: invalid
;; says: more than once
(component
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i))
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
