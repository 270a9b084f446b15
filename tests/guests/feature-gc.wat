;; Uses garbage collection.
;; outcome: invalid
;; says: does not validate
(component
  (core module (type (struct (field i32))) (func (drop (struct.new 0 (i32.const 1)))))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
