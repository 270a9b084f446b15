;; Exports an interface of the right name with nothing in it.
;; outcome: refused
;; says: check
;; reads: none
(component
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
