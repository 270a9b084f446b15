;; Asks for WASI's clock.
;; outcome: refused
;; says: wasi:clocks/wall-clock@0.2.0
;; reads: none
;; wit: wasi:clocks@0.2.0 wall-clock { now: func() -> u64; }
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (result i64)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param i32 i32) (result i32)
    (drop (call $now))
    (call $drop (local.get $model))
    (i32.const 0)))
