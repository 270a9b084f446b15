;; Exports a check that takes nothing and returns a number, behind a start function that
;; would run for ever: it is refused before that.
;; outcome: refused
;; says: its check is of another type
;; reads: none
(component
  (core module $m
    (func (export "check") (result i32) (i32.const 0))
    (func $start (loop $forever (br $forever)))
    (start $start))
  (core instance $c (instantiate $m))
  (func $f (result u32) (canon lift (core func $c "check")))
  (instance $i (export "check" (func $f)))
  (export "modelhost:check/model-check@0.1.0" (instance $i)))
