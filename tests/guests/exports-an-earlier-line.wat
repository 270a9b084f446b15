;; Exports the check of a line that never was.
;; outcome: invalid
;; says: modelhost:check/model-check@0.0.1
(component
  (instance $i)
  (export "modelhost:check/model-check@0.0.1" (instance $i)))
