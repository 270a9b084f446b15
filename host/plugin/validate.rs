//! Whether a component keeps to the WebAssembly that modelhost takes, every
//! function body of it ([`validate`]).
//!
//! Leaves compiling to `engine`, which must not see what does not pass.
//!
//! # Invariants
//! Two validators look, in this order:
//! - the newest, since a component of 30 KB whose types nest ten thousand deep
//!   makes the reader of wasmtime 48 overflow its stack, which ends the process;
//! - that of wasmtime 48, so that what passes is what the engine takes.

use wasmparser_newest as newest;

use super::component::{ComponentError, MAX_MESSAGE};
use super::sniff::Kind;
use crate::domain::text::GuestText;

/// Makes the set of what the supported toolchains emit, in the words of one
/// version of wasmparser.
macro_rules! guest_features {
    ($features:ty) => {
        <$features>::MUTABLE_GLOBAL
            .union(<$features>::SATURATING_FLOAT_TO_INT)
            .union(<$features>::SIGN_EXTENSION)
            .union(<$features>::MULTI_VALUE)
            .union(<$features>::BULK_MEMORY)
            .union(<$features>::REFERENCE_TYPES)
            .union(<$features>::EXTENDED_CONST)
            .union(<$features>::FLOATS)
            .union(<$features>::COMPONENT_MODEL)
    };
}

/// Returns the WebAssembly that a plugin may use: what the supported toolchains
/// emit, and nothing else.
///
/// The engine has the same set and multi-memory beside it: wasmtime joins two
/// nested components by code of its own that uses two memories. So a guest's
/// use of it is refused here, by [`validate`], before the engine sees a byte.
pub const fn features() -> wasmparser::WasmFeatures {
    guest_features!(wasmparser::WasmFeatures)
}

/// Validates the component `bytes` under [`features`], every function body of
/// it. wasmtime may panic on what does not pass, or end the process.
///
/// # Errors
/// Says what does not validate, and where.
pub fn validate(bytes: &[u8]) -> Result<(), ComponentError> {
    match Kind::of(bytes) {
        Kind::Component => {}
        other => return Err(ComponentError::Other(other)),
    }
    let invalid = |message: &str, offset| ComponentError::Invalid {
        message: GuestText::new(message, MAX_MESSAGE),
        offset,
    };
    newest::Validator::new_with_features(guest_features!(newest::WasmFeatures))
        .validate_all(bytes)
        .map_err(|error| {
            invalid(error.message(), usize::try_from(error.offset()).unwrap_or(usize::MAX))
        })?;
    wasmparser::Validator::new_with_features(features())
        .validate_all(bytes)
        .map_err(|error| invalid(error.message(), error.offset()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::assemble;

    #[test]
    fn takes_no_other_webassembly_than_it_says() {
        let in_module = |module: &str| format!("(component (core module {module}))");
        let rows = [
            (in_module("(memory 1)"), true),
            (in_module("(func (result i32) (i32.extend8_s (i32.const 1)))"), true),
            // Two components joined: the second memory is not a guest's.
            (
                "(component (component (core module (memory 1))) (core module (memory 1)))"
                    .to_owned(),
                true,
            ),
            (in_module("(memory 1) (memory 1)"), false),
            (in_module("(func (param v128))"), false),
            (in_module("(memory 1 1 shared)"), false),
            (in_module("(memory i64 1)"), false),
            (in_module("(tag)"), false),
            (in_module("(type (struct))"), false),
            (in_module("(func $f (return_call $f))"), false),
            (in_module("(table 1 externref)"), false),
            (in_module("(func (drop (i32.const 0)) (drop))"), false),
            ("(component (type (stream u8)))".to_owned(), false),
            ("(component (core func (canon task.cancel)))".to_owned(), false),
        ];
        for (wat, is_taken) in rows {
            let validated = validate(&assemble(&wat));
            assert_eq!(validated.is_ok(), is_taken, "{wat}: {validated:?}");
        }
        assert_eq!(validate(b"\0asm\x01\0\0\0"), Err(ComponentError::Other(Kind::CoreModule)));
    }

    /// A component whose types nest `depth` deep, as bytes: text would not be
    /// assembled.
    fn nested_types(kind: u8, depth: usize) -> Vec<u8> {
        let mut types = vec![1];
        types.extend([kind, 1, 1].repeat(depth));
        types.extend([0x42, 0]);
        let mut bytes = b"\0asm\x0d\0\x01\0\x07".to_vec();
        wasm_encoder::Encode::encode(types.as_slice(), &mut bytes);
        bytes
    }

    #[test]
    fn nested_types_do_not_reach_the_end_of_the_stack() {
        for kind in [0x41, 0x42] {
            assert_eq!(validate(&nested_types(kind, 10)), Ok(()));
            for depth in [101, 10_000, 1_000_000] {
                let error = validate(&nested_types(kind, depth)).expect_err("too deep");
                assert!(error.to_string().contains("nesting is too deep"), "{error}");
            }
        }
    }
}
