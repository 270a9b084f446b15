;; Uses exceptions.
;; outcome: invalid
;; says: does not validate
(component
  (core module (tag) (func (throw 0)))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
