;; Asks the host for a component to run.
;; outcome: refused
;; says: a component, not an interface
;; reads: none
(component
  (import "code" (component))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
