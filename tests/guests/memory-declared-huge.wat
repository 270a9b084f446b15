;; Wants all the memory that 32 bits address before it starts.
;; outcome: error limit/memory
;; says: 4294967296 bytes of memory
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 65536)
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (call $drop (local.get $model))
    (i32.const 0)))
