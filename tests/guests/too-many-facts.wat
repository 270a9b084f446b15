;; States more facts than it may.
;; outcome: error limit/facts
;; says: 257 facts
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 16384))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  ;; The answer: 257 facts at 4096, all the same.
  (data (i32.const 16) "\00\10\00\00\01\01\00\00")
  (data (i32.const 512) "keyvalue")
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (local $at i32)
    (local.set $at (i32.const 4096))
    (loop $next
      (i32.store offset=0 (local.get $at) (i32.const 512))
      (i32.store offset=4 (local.get $at) (i32.const 3))
      (i32.store offset=8 (local.get $at) (i32.const 515))
      (i32.store offset=12 (local.get $at) (i32.const 5))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 8208))))
    (call $drop (local.get $model))
    (i32.const 0)))
