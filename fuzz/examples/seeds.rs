//! Prints each target's name, and how many seconds the long tests run it, after writing what each starts from:
//! `seeds FOLDER` makes `FOLDER/TARGET/N`.

#![expect(clippy::disallowed_methods, reason = "it writes files")]
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use modelhost_fuzz::{TARGETS, seeds};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name a folder")?);
    let corpus = tempfile::tempdir()?;
    seeds::corpus(corpus.path());
    for target in TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds::of(target.name, corpus.path()).iter().enumerate() {
            fs::write(folder.join(number.to_string()), seed)?;
        }
        println!("{} {}", target.name, target.seconds);
    }
    Ok(())
}
