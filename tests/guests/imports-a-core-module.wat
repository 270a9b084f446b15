;; Asks the host for a core module to run.
;; outcome: refused
;; says: code (a module, not an interface)
;; reads: none
(component
  (import "code" (core module))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
