;; Exports the check of a line that is not there yet.
;; outcome: invalid
;; says: modelhost:check/model-check@99.0.0
(component
  (instance $i)
  (export "modelhost:check/model-check@99.0.0" (instance $i)))
