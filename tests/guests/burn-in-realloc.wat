;; Never comes back from its allocator, which runs before its check does.
;; outcome: error limit/fuel
;; says: fuel
;; reads: none
(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (loop $forever (br $forever))
    unreachable)
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (call $drop (local.get $model))
    (i32.const 0)))
