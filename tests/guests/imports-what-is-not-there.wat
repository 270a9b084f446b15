;; Asks the granted log for a function that writes files.
;; outcome: refused
;; reads: none
(component
  (import "modelhost:check/log@0.1.0" (instance (export "write" (func (param "path" string)))))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
