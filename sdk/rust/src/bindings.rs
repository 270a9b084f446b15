//! What wit-bindgen makes of the contract in `wit/`: the imports as functions and
//! resources, the export as a trait and the macro that `export_check!` expands to.
//!
//! Nothing is written by hand here; `guest` turns these types into the crate's own.
//! The world with `documents` serves every check: an import that a check does not
//! use is dropped by the linker, so it is not asked for.

wit_bindgen::generate!({
    path: "wit",
    world: "plugin-with-documents",
    pub_export_macro: true,
    export_macro_name: "export_model_check",
    default_bindings_module: "modelhost_check::bindings",
});
