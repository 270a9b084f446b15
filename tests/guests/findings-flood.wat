;; Returns a list of 50 million findings, more than its memory holds.
;; outcome: error trap
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\00\00\00\00\80\f0\fa\02")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param i32 i32) (result i32)
    (call $drop (local.get $model))
    (i32.const 0)))
