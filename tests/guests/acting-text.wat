;; Finds something, in text that tries to act on a terminal and a CI runner.
;; outcome: fail
;; says: \x1b
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 8192))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  ;; The answer, one finding at 64, facts at 320, texts from 512.
  (data (i32.const 0) "\00\00\00\00\00\00\00\00\40\00\00\00\01\00\00\00\40\01\00\00\00\00\00\00")
  (data (i32.const 64) "\00\02\00\00\03\00\00\00\04\02\00\00\03\02\00\00\37\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 320) "")
  (data (i32.const 512) "\62\61\64\3a\3a\65\72\72\6f\72\3a\3a\78\1b\5d\30\3b\74\69\74\6c\65\07\23\23\5b\63\6f\6d\6d\61\6e\64\5d\0d\0a\3a\3a\73\74\6f\70\2d\63\6f\6d\6d\61\6e\64\73\3a\3a\79\20\e2\80\ae")
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (call $drop (local.get $model))
    (i32.const 0)))
