;; Has one component inside hand another text whose tag says UTF-16, past its memory.
;; outcome: error trap
;; reads: none
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
    (call $drop (local.get $model))
    (i32.const 0)))
(component
  (component $takes
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "take") (param $at i32) (param $length i32)
        (if (i32.ne (local.get $length) (i32.const 2)) (then unreachable))))
    (core instance $i (instantiate $m))
    (func (export "take") (param "text" string)
      (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")) string-encoding=utf8)))
  (component $gives
    (import "take" (func $take (param "text" string)))
    (core module $memory (memory (export "memory") 1) (data (i32.const 64) "a\e9"))
    (core instance $memory (instantiate $memory))
    (core func $lowered (canon lower (func $take) (memory (core memory $memory "memory")) string-encoding=latin1+utf16))
    (core module $m
      (import "host" "take" (func $take (param i32 i32)))
      (func $start (call $take (i32.const 64) (i32.const -2147443648)))
      (start $start))
    (core instance (instantiate $m (with "host" (instance (export "take" (func $lowered)))))))
  (instance $takes (instantiate $takes))
  (instance (instantiate $gives (with "take" (func $takes "take"))))
)
