;; Uses the asynchronous part of the component model.
;; outcome: invalid
;; says: does not validate
(component
  (type (stream u8))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
