//! The bundled check `pickle`: judges everything that carries pickles by what they would do when loaded,
//! and never loads any.
//!
//! `check.rs` joins the parsers to the contract; they are pure and know nothing of it.

pub mod behind;
pub mod budget;
pub mod bzip2;
pub mod call;
mod check;
pub mod compressed;
pub mod config;
pub mod containers;
pub mod decode;
pub mod globals;
pub mod heap;
pub mod imports;
pub mod joblib;
pub mod log;
pub mod machine;
pub mod members;
pub mod memo;
pub mod npy;
pub mod opcode;
pub mod rare;
pub mod scan;
pub mod series;
pub mod settings;
pub mod sevenz;
mod sevenz_header;
pub mod show;
pub mod source;
pub mod state;
pub mod step;
pub mod stream;
pub mod tar;
pub mod text;
pub mod torch;
pub mod value;
pub mod zip;
mod zip_end;
mod zip_local;

pub use check::Pickle;
