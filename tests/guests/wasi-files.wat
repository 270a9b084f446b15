;; Asks for WASI's files.
;; outcome: refused
;; says: wasi:filesystem/preopens@0.2.0
;; reads: none
;; wit: wasi:filesystem@0.2.0 preopens { get: func() -> u64; }
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (import "wasi:filesystem/preopens@0.2.0" "get" (func $it (result i64)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (drop (call $it))
    (call $drop (local.get $model))
    (i32.const 0)))
