//! Grants become a linker: what is not granted is not there.
//!
//! Leaves deciding the grants to `policy`.
//!
//! # Invariants
//! - An interface is linked only if it is granted. There is no fallback for
//!   what isn't: such a component can't be instantiated at all.
//! - A check of another type is refused here, before its component's start
//!   functions run.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker, ResourceAny};

use super::abi::v0_1::{
    EXPORT, PluginWithDocumentsPre, clock, definition, digest, documents, files, log, types,
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
        let engine = compiled.component.engine();
        check_type(&compiled.component).map_err(|error| {
            refused(error.context("its check is of another type than the contract's"))
        })?;
        let linker = Self::linker(engine, grants).map_err(refused)?;
        let pre = linker.instantiate_pre(&compiled.component).map_err(refused)?;
        Ok(Linked { pre: PluginWithDocumentsPre::new(pre).map_err(refused)? })
    }

    fn linker(engine: &wasmtime::Engine, grants: &Grants) -> wasmtime::Result<Linker<State>> {
        let mut linker = Linker::new(engine);
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

/// Makes sure that the check that `component` exports is of the contract's type.
/// That it exports one at all, whoever instantiates it finds out.
fn check_type(component: &Component) -> wasmtime::Result<()> {
    let (engine, outside) = (component.engine(), component.component_type());
    for (name, export) in outside.exports(engine) {
        let ComponentItem::ComponentInstance(instance) = export.ty else { continue };
        if !name.starts_with(EXPORT) {
            continue;
        }
        if let Some(check) = instance.get_export(engine, "check")
            && let ComponentItem::ComponentFunc(check) = check.ty
        {
            // Whose resource the model is, is looked at when it is instantiated.
            check.typecheck::<(ResourceAny, &str), (Result<types::Answer, types::Failure>,)>(
                &outside.instance_type(),
            )?;
        }
    }
    Ok(())
}
