;; Grows its memory in its allocator, under what the host is about to write.
;; outcome: pass
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (import "modelhost:check/files@0.1.0" "[method]model.file" (func $file (param i32 i32) (result i32)))
  (import "modelhost:check/files@0.1.0" "[method]file.read" (func $read (param i32 i64 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (drop (memory.grow (i32.const 1)))
    (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 65536)))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (local $f i32)
    (local.set $f (call $file (local.get $model) (i32.const 1)))
    (call $read (local.get $f) (i64.const 0) (i32.const 1000) (i32.const 64))
    (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 0)) (then unreachable))
    (call $drop (local.get $model))
    (i32.const 0)))
