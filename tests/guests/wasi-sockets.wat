;; Asks for WASI's sockets.
;; outcome: refused
;; says: wasi:sockets/tcp-create-socket@0.2.0
;; reads: none
;; wit: wasi:sockets@0.2.0 tcp-create-socket { create: func() -> u64; }
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (import "wasi:sockets/tcp-create-socket@0.2.0" "create" (func $it (result i64)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (drop (call $it))
    (call $drop (local.get $model))
    (i32.const 0)))
