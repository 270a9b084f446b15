//! Turns the tables under `globals/` into sorted constants, so that judging a name parses nothing.
//!
//! What the columns mean stands in the tables; `src/globals.rs` looks names up.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads its tables and writes what cargo compiles"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

type Rows = Vec<Vec<String>>;

fn rows(name: &str, columns: usize) -> Result<Rows, Box<dyn Error>> {
    let path = Path::new("globals").join(name);
    println!("cargo::rerun-if-changed={}", path.display());
    let mut rows = Vec::new();
    for (n, line) in fs::read_to_string(&path)?.lines().enumerate() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let row: Vec<String> = line.split('\t').map(str::to_owned).collect();
        if row.len() != columns {
            return Err(format!("{}:{}: {columns} columns expected", path.display(), n + 1).into());
        }
        rows.push(row);
    }
    Ok(rows)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = String::new();

    // Names of one use stand together in one string: fewer pointers than names.
    let mut allowed: BTreeMap<String, BTreeMap<(String, String), Vec<String>>> = BTreeMap::new();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for row in rows("allowed.tsv", 5)? {
        let names = allowed
            .entry(row[0].clone())
            .or_default()
            .entry((row[1].clone(), row[2].clone()))
            .or_default();
        for name in row[3].split(' ') {
            if !seen.insert((row[0].clone(), name.to_owned())) {
                return Err(format!("allowed.tsv: {}.{name} stands twice", row[0]).into());
            }
            names.push(name.to_owned());
        }
    }
    let uses: BTreeSet<_> = allowed.values().flat_map(|uses| uses.keys().cloned()).collect();
    let uses: Vec<_> = uses.into_iter().collect();
    writeln!(out, "pub(super) static USES: &[Allowed] = &[")?;
    for (how, arguments) in &uses {
        let how = match how.as_str() {
            "value" => "Value",
            "class" => "Class",
            "instance" => "Instance",
            "function" => "Function",
            other => return Err(format!("allowed.tsv: no use is called {other}").into()),
        };
        writeln!(out, "Allowed {{ how: Use::{how}, arguments: {arguments:?} }},")?;
    }
    writeln!(out, "];")?;
    writeln!(out, "pub(super) static ALLOWED: &[(&str, &[(u8, &str)])] = &[")?;
    for (module, groups) in &allowed {
        writeln!(out, "({module:?}, &[")?;
        for (group, names) in groups {
            let at = uses.binary_search(group).map_err(|_| "a use is missing")?;
            writeln!(out, "({at}, {:?}),", names.join(" "))?;
        }
        writeln!(out, "]),")?;
    }
    writeln!(out, "];")?;

    let mut dangerous: BTreeMap<String, Rows> = BTreeMap::new();
    for row in rows("dangerous.tsv", 3)? {
        dangerous.entry(row[0].clone()).or_default().push(row);
    }
    writeln!(out, "pub(super) static DANGEROUS: &[(&str, &[(&str, &str)])] = &[")?;
    for (module, rows) in &dangerous {
        writeln!(out, "({module:?}, &[")?;
        for row in rows {
            writeln!(out, "({:?}, {:?}),", row[1], row[2])?;
        }
        writeln!(out, "]),")?;
    }
    writeln!(out, "];")?;

    let mut python2: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    for row in rows("python2.tsv", 4)? {
        python2.insert((row[0].clone(), row[1].clone()), (row[2].clone(), row[3].clone()));
    }
    writeln!(out, "pub(super) static PYTHON2: &[[&str; 4]] = &[")?;
    for (old, new) in &python2 {
        writeln!(out, "[{:?}, {:?}, {:?}, {:?}],", old.0, old.1, new.0, new.1)?;
    }
    writeln!(out, "];")?;

    fs::write(Path::new(&env::var("OUT_DIR")?).join("tables.rs"), out)?;
    Ok(())
}
