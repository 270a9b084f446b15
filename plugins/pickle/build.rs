//! Turns the tables under `globals/` into sorted constants, so that judging a name parses nothing.
//!
//! What the columns mean stands in the tables; `src/globals.rs` looks names up.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

type Rows = Vec<Vec<String>>;

fn rows(name: &str, columns: usize) -> Result<Rows, Box<dyn Error>> {
    let path = Path::new("globals").join(name);
    #[expect(clippy::print_stdout, reason = "a build script speaks to cargo so")]
    {
        println!("cargo::rerun-if-changed={}", path.display());
    }
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

    let mut allowed: BTreeMap<String, BTreeMap<String, (String, String)>> = BTreeMap::new();
    for row in rows("allowed.tsv", 5)? {
        for name in row[3].split(' ') {
            let rule = (row[1].clone(), row[2].clone());
            if allowed
                .entry(row[0].clone())
                .or_default()
                .insert(name.to_owned(), rule)
                .is_some()
            {
                return Err(format!("allowed.tsv: {}.{name} stands twice", row[0]).into());
            }
        }
    }
    writeln!(
        out,
        "pub(super) static ALLOWED: &[(&str, &[(&str, Allowed)])] = &["
    )?;
    for (module, names) in &allowed {
        writeln!(out, "({module:?}, &[")?;
        for (name, (how, arguments)) in names {
            let how = match how.as_str() {
                "value" => "Value",
                "class" => "Class",
                "instance" => "Instance",
                "function" => "Function",
                other => return Err(format!("allowed.tsv: no use is called {other}").into()),
            };
            writeln!(
                out,
                "({name:?}, Allowed {{ how: Use::{how}, arguments: {arguments:?} }}),"
            )?;
        }
        writeln!(out, "]),")?;
    }
    writeln!(out, "];")?;

    let mut dangerous: BTreeMap<String, Rows> = BTreeMap::new();
    for row in rows("dangerous.tsv", 3)? {
        dangerous.entry(row[0].clone()).or_default().push(row);
    }
    writeln!(
        out,
        "pub(super) static DANGEROUS: &[(&str, &[(&str, &str)])] = &["
    )?;
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
        python2.insert(
            (row[0].clone(), row[1].clone()),
            (row[2].clone(), row[3].clone()),
        );
    }
    writeln!(
        out,
        "pub(super) static PYTHON2: &[((&str, &str), (&str, &str))] = &["
    )?;
    for (old, new) in &python2 {
        writeln!(out, "({old:?}, {new:?}),")?;
    }
    writeln!(out, "];")?;

    fs::write(Path::new(&env::var("OUT_DIR")?).join("tables.rs"), out)?;
    Ok(())
}
