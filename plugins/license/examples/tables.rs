//! Makes the tables of this plugin again:
//!
//! ```text
//! cargo run --release --example tables -- spdx > src/spdx.bin
//! cargo run --release --example tables -- models LICENSES > src/models.bin
//! cargo run --release --example tables -- classes INDEX > src/classes.tsv
//! ```
//!
//! The first from the texts in the crate `spdx`. LICENSES is the folder
//! `licensedcode/data/licenses` of ScanCode (in the wheel of `scancode-toolkit-mini`),
//! INDEX the file `scancode-licensedb-index.json` (in that of `license-expression`).

use std::io::Write;
use std::path::Path;

use modelhost_plugin_license::{ids, make};

type Fault = Box<dyn std::error::Error>;

#[expect(clippy::disallowed_methods, reason = "a tool: files in, a table out")]
fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let table = match arguments.as_slice() {
        ["spdx"] => make::table(make::spdx_texts(spdx_texts(), &exceptions())),
        ["models", folder] => make::table(models(Path::new(folder))?),
        ["classes", index] => classes(&std::fs::read_to_string(index)?)?.into_bytes(),
        _ => return Err("tables spdx | models LICENSES | classes INDEX".into()),
    };
    std::io::stdout().write_all(&table)?;
    Ok(())
}

/// The texts of SPDX's licenses, by identifier.
fn spdx_texts() -> Vec<(&'static str, &'static str)> {
    let licenses = spdx::identifiers::LICENSES.iter();
    let texts =
        licenses.filter_map(|license| Some((license.name, spdx::license_id(license.name)?.text())));
    texts.collect()
}

/// SPDX's exceptions to licenses and their texts.
fn exceptions() -> Vec<(&'static str, &'static str)> {
    let known = spdx::identifiers::EXCEPTIONS.iter();
    known.filter_map(|one| Some((one.name, spdx::exception_id(one.name)?.text()))).collect()
}

#[expect(clippy::disallowed_methods, reason = "a tool: files in, a table out")]
fn models(folder: &Path) -> Result<Vec<(String, String)>, Fault> {
    let mut texts = Vec::new();
    for license in ids::model_licenses().filter(|license| license.key != "-") {
        let file = folder.join(format!("{}.LICENSE", license.key));
        let text = std::fs::read_to_string(&file)?;
        let (_, text) = text.split_once("\n---\n").ok_or("no front matter")?;
        texts.push((license.id.to_owned(), text.to_owned()));
    }
    Ok(texts)
}

/// Writes the classes of SPDX's licenses: what ScanCode's categories come to, and
/// what the names say that these leave out.
fn classes(index: &str) -> Result<String, Fault> {
    let index: serde_json::Value = serde_json::from_str(index)?;
    let rows = index.as_array().ok_or("the index is no list")?;
    let category = |id: &str| {
        rows.iter().find_map(|row| {
            let others = row["other_spdx_license_keys"].as_array().into_iter().flatten();
            let own = others.chain([&row["spdx_license_key"]]).any(|key| key == id);
            own.then(|| row["category"].as_str()).flatten()
        })
    };
    let mut classes: std::collections::BTreeMap<&str, Vec<&str>> = Default::default();
    for license in spdx::identifiers::LICENSES {
        let id = license.name;
        let known = spdx::license_id(id).ok_or("an identifier without a license")?;
        let class = match category(id) {
            _ if id.contains("-NC") || NON_COMMERCIAL.contains(&id) => "non-commercial",
            _ if id.starts_with("CC-BY-ND") => "no-derivatives",
            _ if SHARE_ALIKE.iter().any(|name| id.starts_with(name)) => "share-alike",
            _ if PERMISSIVE.contains(&id) => "permissive",
            Some("Permissive" | "Public Domain") => "permissive",
            Some("Copyleft Limited") => "weak-copyleft",
            Some("Copyleft") => "copyleft",
            Some("Free Restricted" | "Source-available" | "Proprietary Free" | "Commercial") => {
                "use-restricted"
            }
            _ if known.is_copyleft() => "copyleft",
            _ if known.is_osi_approved() || known.is_fsf_free_libre() => "permissive",
            _ => continue,
        };
        classes.entry(class).or_default().push(id);
    }
    let mut table = String::from(
        "# The classes of SPDX's licenses; what is not here is of an unknown one. Made by examples/tables.rs from the categories of\n\
         # ScanCode's licensedb (PyPI license-expression 30.4.4, data under CC-BY-4.0, nexB Inc. and others) and from the names.\n",
    );
    for (class, ids) in classes {
        table.push_str(&format!("{class}\t{}\n", ids.join(" ")));
    }
    Ok(table)
}

/// Licenses for uses that are not commercial, whose names don't say so alike.
const NON_COMMERCIAL: &[&str] = &["Aladdin", "NCGL-UK-2.0", "PolyForm-Noncommercial-1.0.0"];
/// Licenses for data and works that ask for the same terms.
const SHARE_ALIKE: &[&str] = &["CC-BY-SA", "ODbL-", "CDLA-Sharing-"];
/// Licenses that the index does not have.
const PERMISSIVE: &[&str] = &["OpenMDW-1.0"];
