//! Bytes of a component become [`Compiled`]: validated first, taken from the
//! cache where it holds them.
//!
//! Leaves keeping compiled code to `cache`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmtime::component::Component;

use super::cache::Cache;
use super::engine::{Engine, EngineError};
use crate::domain::digest::Digest;
use crate::domain::text::GuestText;
use crate::plugin::component;

/// A component ready to be linked.
pub struct Compiled {
    pub(super) component: Component,
    /// Whether the cache held it.
    pub cached: bool,
}

impl Compiled {
    /// Makes the images of its initial memories, which would be made when it is
    /// first instantiated.
    pub(crate) fn make_images(&self) -> Result<(), EngineError> {
        let made = self.component.initialize_copy_on_write_image();
        made.map_err(|error| EngineError::Compile(format!("{error:#}")))
    }
}

impl Engine {
    /// Compiles `bytes`, whose digest is `digest`, or loads what an earlier run
    /// compiled of them.
    ///
    /// # Errors
    /// Says that they are no valid component, or can't be compiled.
    pub fn compile(
        &self,
        bytes: &[u8],
        digest: Digest,
        cache: Option<&Cache>,
    ) -> Result<Compiled, EngineError> {
        if let Some(cache) = cache
            && let Some(component) = cache.load(self, digest)
        {
            return Ok(Compiled { component, cached: true });
        }
        let component = self.compile_anew(bytes)?;
        if let Some(cache) = cache {
            cache.store(self, digest, &component);
        }
        Ok(Compiled { component, cached: false })
    }

    /// Compiles `bytes` to native code that [`Engine::load_code`] takes.
    ///
    /// # Errors
    /// Says that they are no valid component, or can't be compiled.
    pub(crate) fn compile_to_code(&self, bytes: &[u8]) -> Result<Vec<u8>, EngineError> {
        validate(bytes)?;
        compiling(|| self.wasmtime.precompile_component(bytes))
    }

    /// Takes native code that [`Engine::compile_to_code`] made.
    ///
    /// # Errors
    /// Says that it is not of this engine.
    ///
    /// # Safety
    /// `code` must be what `compile_to_code` of this build gave, unchanged, or
    /// this process must be one in which no harm can come of it.
    #[expect(unsafe_code, reason = "wasmtime can't check native code")]
    pub(crate) unsafe fn load_code(&self, code: &[u8]) -> Result<Compiled, EngineError> {
        // SAFETY: handed on to the caller.
        let component = unsafe { Component::deserialize(&self.wasmtime, code) };
        let component = component.map_err(|error| EngineError::Compile(format!("{error:#}")))?;
        Ok(Compiled { component, cached: false })
    }

    fn compile_anew(&self, bytes: &[u8]) -> Result<Component, EngineError> {
        validate(bytes)?;
        compiling(|| Component::from_binary(&self.wasmtime, bytes))
    }
}

/// Runs the compiler. Valid bytes that make wasmtime panic are a bug there; here
/// they are a plugin that can't be compiled.
fn compiling<T>(compile: impl FnOnce() -> wasmtime::Result<T>) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(compile))
        .map_err(|_| EngineError::Compile("the compiler failed on this component".to_owned()))?
        .map_err(|error| EngineError::Compile(GuestText::capped(&format!("{error:#}")).to_string()))
}

/// Checks that `bytes` are a component of the features that plugins may use.
fn validate(bytes: &[u8]) -> Result<(), EngineError> {
    component::validate(bytes).map_err(|error| EngineError::Invalid(error.to_string()))
}
