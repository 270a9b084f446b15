;; Asks for the clock as if it returned a number.
;; outcome: refused
;; reads: none
(component
  (import "modelhost:check/clock@0.1.0" (instance (export "now" (func (result u64)))))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
