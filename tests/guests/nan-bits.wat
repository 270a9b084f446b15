;; Looks at the bits of a NaN, which differ from machine to machine unless they are made
;; one: it traps where they are not.
;; outcome: pass
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (local $zero f64)
    (if (i64.ne (i64.reinterpret_f64 (f64.div (local.get $zero) (local.get $zero))) (i64.const 0x7ff8000000000000)) (then unreachable))
    (if (i64.ne (i64.reinterpret_f64 (f64.sqrt (f64.const -1))) (i64.const 0x7ff8000000000000)) (then unreachable))
    (call $drop (local.get $model))
    (i32.const 0)))
