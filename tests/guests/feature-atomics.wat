;; Uses atomic instructions.
;; outcome: invalid
;; says: does not validate
(component
  (core module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))
  (instance $i)
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
