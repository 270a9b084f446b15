;; Finds something, in a million bytes.
;; outcome: error limit/text
;; says: 1000000 bytes
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 17)
  (global $next (mut i32) (i32.const 8192))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  ;; The answer, a finding at 64, texts from 512.
  (data (i32.const 0) "\00\00\00\00\00\00\00\00\40\00\00\00\01\00\00\00\40\01\00\00\00\00\00\00")
  (data (i32.const 64) "\00\02\00\00\03\00\00\00\04\02\00\00\00\00\01\00\40\42\0f\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 512) "badit is bad")
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (call $drop (local.get $model))
    (i32.const 0)))
