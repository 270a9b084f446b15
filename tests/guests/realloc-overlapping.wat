;; Has its allocator hand out the same place each time, so that what it is told overwrites
;; itself: its own harm, and nobody else's.
;; outcome: pass
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (import "modelhost:check/files@0.1.0" "[method]model.file" (func $file (param i32 i32) (result i32)))
  (import "modelhost:check/files@0.1.0" "[method]file.read" (func $read (param i32 i64 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (i32.const 4096))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (local $f i32)
    (local.set $f (call $file (local.get $model) (i32.const 0)))
    (call $read (local.get $f) (i64.const 0) (i32.const 9) (i32.const 4096))
    (call $read (local.get $f) (i64.const 0) (i32.const 9) (i32.const 4096))
    (call $drop (local.get $model))
    (i32.const 0)))
