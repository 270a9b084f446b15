;; Grows its memory and writes to all of it, and then says that all is well.
;; outcome: error limit/memory
;; says: bytes of memory
;; reads: none
;; limits: memory = "16MiB"
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
    (local $at i32)
    (call $drop (local.get $model))
    (loop $more
      (local.set $at (i32.mul (memory.size) (i32.const 65536)))
      (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1))
        (then
          (memory.fill (local.get $at) (i32.const 1) (i32.const 1048576))
          (br $more))))
    (i32.const 0)))
