;; Returns 1,000 findings whose texts are all the same 64 KiB, so that a small
;; answer asks the host for much memory.
;; outcome: error limit/call-bytes
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 4)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  ;; The answer: 1,000 findings at 65536, each of 88 bytes.
  (data (i32.const 8) "\00\00\01\00\e8\03\00\00")
  (data (i32.const 512) "bad")
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param i32 i32) (result i32)
    (local $at i32)
    (call $drop (local.get $model))
    (local.set $at (i32.const 65536))
    (loop $next
      (i32.store offset=0 (local.get $at) (i32.const 512))
      (i32.store offset=4 (local.get $at) (i32.const 3))
      (i32.store offset=12 (local.get $at) (i32.const 1024))
      (i32.store offset=16 (local.get $at) (i32.const 64000))
      (local.set $at (i32.add (local.get $at) (i32.const 88)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 153536))))
    (i32.const 0)))
