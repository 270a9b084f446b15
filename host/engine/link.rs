//! Grants become a linker: what is not granted is not there.
//!
//! Leaves deciding the grants to `policy`.
//!
//! # Invariants
//! - An interface is linked only if it is granted. There is no fallback for
//!   what isn't: such a component can't be instantiated at all.

use wasmtime::component::{HasSelf, Linker};

use super::abi::v0_1::{
    PluginWithDocumentsPre, clock, definition, digest, documents, files, log, types,
};
use super::compile::Compiled;
use super::engine::Engine;
use super::state::State;
use crate::domain::capability::{Capability, Grants};
use crate::domain::text::GuestText;
use crate::domain::verdict::{Failure, FailureCode};

/// A component linked against what it was granted; each task instantiates it
/// anew.
pub struct Linked {
    pub(super) pre: PluginWithDocumentsPre<State>,
}

impl Engine {
    /// Links `compiled` against the granted interfaces, without running it.
    ///
    /// # Errors
    /// Says what it imports that is not there, or how its export differs.
    pub fn link(&self, compiled: &Compiled, grants: &Grants) -> Result<Linked, Failure> {
        let refused = |error: wasmtime::Error| {
            let message = format!("it can't be linked: {error:#}");
            Failure { code: FailureCode::Refused, message: GuestText::capped(&message), help: None }
        };
        let linker = self.linker(grants).map_err(refused)?;
        let pre = linker.instantiate_pre(&compiled.component).map_err(refused)?;
        Ok(Linked { pre: PluginWithDocumentsPre::new(pre).map_err(refused)? })
    }

    fn linker(&self, grants: &Grants) -> wasmtime::Result<Linker<State>> {
        let mut linker = Linker::new(&self.wasmtime);
        // Types alone: nothing in it can be called.
        types::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        for capability in grants.capabilities() {
            match capability {
                Capability::Clock => {
                    clock::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?
                }
                Capability::Definition => {
                    definition::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?
                }
                Capability::Digest => {
                    digest::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?
                }
                Capability::Documents => {
                    documents::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?
                }
                Capability::Files => {
                    files::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?
                }
                Capability::Log => {
                    log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?
                }
            }
        }
        Ok(linker)
    }
}
