;; Promises to read something of each file, and leaves one out.
;; outcome: error not-read
;; says: something of each file
;; reads: parts
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (import "modelhost:check/files@0.1.0" "[method]model.file" (func $file (param i32 i32) (result i32)))
  (import "modelhost:check/files@0.1.0" "[method]file.read" (func $read (param i32 i64 i32 i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (call $read (call $file (local.get $model) (i32.const 1)) (i64.const 0) (i32.const 1) (i32.const 64))
    (call $drop (local.get $model))
    (i32.const 0)))
