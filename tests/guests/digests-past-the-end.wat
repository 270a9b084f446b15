;; Asks for digests of ranges that are not in the file, and is told so.
;; outcome: pass
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (import "modelhost:check/files@0.1.0" "[method]model.file" (func $file (param i32 i32) (result i32)))
  (import "modelhost:check/digest@0.1.0" "of" (func $of (param i32 i32 i32 i64 i64 i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  ;; Traps where there was a digest.
  (func $nothing (param $f i32) (param $offset i64) (param $length i64)
    (call $of (local.get $f) (i32.const 0) (i32.const 1) (local.get $offset) (local.get $length) (i32.const 64))
    (if (i32.eqz (i32.load8_u (i32.const 64))) (then unreachable)))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (local $f i32)
    (local.set $f (call $file (local.get $model) (i32.const 0)))
    (call $nothing (local.get $f) (i64.const -1) (i64.const 1))
    (call $nothing (local.get $f) (i64.const -1) (i64.const -1))
    (call $nothing (local.get $f) (i64.const 0) (i64.const -1))
    (call $nothing (local.get $f) (i64.const 5) (i64.const 1000000))
    (call $drop (local.get $model))
    (i32.const 0)))
