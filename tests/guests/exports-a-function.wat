;; Exports a function where an interface is wanted.
;; outcome: invalid
;; says: exports no check
(component
  (core module $m (func (export "check")))
  (core instance $c (instantiate $m))
  (func $f (canon lift (core func $c "check")))
  (export "modelhost:check/model-check@0.1.0" (func $f)))
