;; Burns its fuel with one instruction over many bytes, again and again.
;; outcome: error limit/fuel
;; says: fuel
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 64)
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (loop $more
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 4194304))
      (br $more))
    unreachable))
