//! The house against its own rules: who may import whom, which words are used,
//! what every file opens with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

use crate::support::root;

/// What each module of the host may import of the crate. A module imports from
/// lower floors only; neighbours on a floor do not know each other, but for what
/// stands here.
fn floors() -> BTreeMap<&'static str, Vec<&'static str>> {
    let floor_0 = ["domain"];
    let with = |more: &[&'static str]| {
        floor_0.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>()
    };
    BTreeMap::from([
        ("domain", vec![]),
        ("bom", vec![]),
        // Floor 1. The engine reads through the model's handles, and compiles
        // nothing that the plugin module has not validated.
        ("engine", with(&["model", "plugin"])),
        ("attest", with(&[])),
        ("model", with(&[])),
        ("plugin", with(&[])),
        ("policy", with(&[])),
        // Both write bills of materials, in the same shapes.
        ("report", with(&["bom"])),
        ("record", with(&["bom"])),
        // Floor 2.
        ("config", with(&["policy"])),
        // A worker does in a process of its own what the engine does in this one.
        ("worker", with(&["engine", "model"])),
        // Floor 3.
        (
            "runner",
            with(&["engine", "model", "plugin", "policy", "report", "record", "config", "worker"]),
        ),
        // Floor 4.
        (
            "gate",
            with(&[
                "engine", "model", "plugin", "policy", "report", "record", "config", "runner",
                "worker",
            ]),
        ),
    ])
}

/// Collects the first segment after `crate::` of every path in a file, `use` or
/// not, and `super::` paths that leave the module.
#[derive(Default)]
struct Imports {
    of_crate: Vec<String>,
    external: Vec<String>,
}

impl Imports {
    fn tree(&mut self, tree: &syn::UseTree, first: bool) {
        match tree {
            syn::UseTree::Path(path) if first && path.ident == "crate" => {
                self.below_crate(&path.tree)
            }
            syn::UseTree::Path(path) if first => self.external.push(path.ident.to_string()),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.tree(tree, first))
            }
            _ => {}
        }
    }

    fn below_crate(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.of_crate.push(path.ident.to_string()),
            syn::UseTree::Name(name) => self.of_crate.push(name.ident.to_string()),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.below_crate(tree))
            }
            syn::UseTree::Rename(rename) => self.of_crate.push(rename.ident.to_string()),
            syn::UseTree::Glob(_) => self.of_crate.push("*".to_owned()),
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, true);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if let (Some(first), Some(second)) = (segments.next(), segments.next()) {
            if first.ident == "crate" {
                self.of_crate.push(second.ident.to_string());
            } else {
                self.external.push(first.ident.to_string());
            }
        }
        syn::visit::visit_path(self, path);
    }
}

fn imports(source: &str) -> Imports {
    let file = syn::parse_file(source).expect("a Rust file");
    let mut imports = Imports::default();
    imports.visit_file(&file);
    imports
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Returns the module of the host that a file belongs to.
fn module(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("host")).expect("a file of the host");
    let first = relative.components().next().expect("a name").as_os_str().to_str().expect("UTF-8");
    first.trim_end_matches(".rs").to_owned()
}

/// Returns the way in which a file of `module` that imports `imported` breaks
/// the floors.
fn broken(floors: &BTreeMap<&str, Vec<&str>>, module: &str, imported: &str) -> bool {
    let Some(allowed) = floors.get(module) else { return false };
    imported != module && !allowed.contains(&imported)
}

#[test]
fn imports_keep_to_the_floors() {
    let floors = floors();
    let mut wrong = Vec::new();
    for path in files(&root().join("host"), "rs") {
        let module = module(&path);
        if matches!(module.as_str(), "cli" | "lib") {
            continue;
        }
        assert!(
            floors.contains_key(module.as_str()),
            "{}: the table of floors has no module {module}",
            path.display()
        );
        let imports = imports(&std::fs::read_to_string(&path).expect("text"));
        for imported in &imports.of_crate {
            if broken(&floors, &module, imported) {
                wrong.push(format!("{}: {module} may not import {imported}", path.display()));
            }
        }
        let knows_wasmtime = imports.external.iter().any(|name| name == "wasmtime");
        if knows_wasmtime && module != "engine" {
            wrong.push(format!("{}: only the engine knows wasmtime", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_floors_are_really_read() {
    let source =
        "use crate::{engine::Engine, domain}; fn f() { crate::gate::run(); wasmtime::x() }";
    let imports = imports(source);
    assert_eq!(imports.of_crate, ["engine", "domain", "gate"]);
    assert_eq!(imports.external, ["wasmtime"]);
    let floors = floors();
    assert!(broken(&floors, "policy", "engine"));
    assert!(broken(&floors, "domain", "policy"));
    assert!(!broken(&floors, "engine", "model"));
    assert!(broken(&floors, "plugin", "engine"));
    assert!(broken(&floors, "model", "engine"));
}

#[test]
fn domain_imports_values_only() {
    const ALLOWED: [&str; 7] = ["std", "sha2", "semver", "thiserror", "super", "crate", "self"];
    for path in files(&root().join("host/domain"), "rs") {
        let file =
            syn::parse_file(&std::fs::read_to_string(&path).expect("text")).expect("a Rust file");
        for item in file.items {
            let syn::Item::Use(item) = item else { continue };
            let syn::UseTree::Path(first) = &item.tree else { continue };
            let name = first.ident.to_string();
            assert!(
                ALLOWED.contains(&name.as_str()),
                "{}: domain may not use {name}",
                path.display()
            );
        }
    }
}

/// Twins of the house's words, and where such a word is nevertheless right.
const TWINS: [(&str, &str); 9] = [
    ("artifact", "model or file"),
    ("artefact", "model or file"),
    ("quota", "limits"),
    ("permission", "capability (file permissions are std's word)"),
    ("suppression", "waiver"),
    ("allowlist", "allow list"),
    ("licence", "license"),
    ("extension_point", "plugin"),
    ("checksum_of", "digest"),
];

#[test]
fn names_are_the_houses_words() {
    struct Names(Vec<String>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
            self.0.push(item.ident.to_string());
            syn::visit::visit_item_struct(self, item);
        }
        fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
            self.0.push(item.ident.to_string());
            self.0.extend(item.variants.iter().map(|variant| variant.ident.to_string()));
        }
        fn visit_signature(&mut self, signature: &'ast syn::Signature) {
            self.0.push(signature.ident.to_string());
        }
        fn visit_field(&mut self, field: &'ast syn::Field) {
            self.0.extend(field.ident.iter().map(ToString::to_string));
        }
        fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
            self.0.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
        }
    }
    let mut wrong = Vec::new();
    for path in files(&root().join("host"), "rs") {
        let file =
            syn::parse_file(&std::fs::read_to_string(&path).expect("text")).expect("a Rust file");
        let mut names = Names(Vec::new());
        names.visit_file(&file);
        for name in names.0 {
            let lower = name.to_lowercase();
            for (twin, word) in TWINS {
                if lower.contains(twin) {
                    wrong.push(format!("{}: {name}: the house's word is {word}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_owns() {
    for folder in ["host", "sdk/rust/src", "plugins", "fuzz", "xtask/src", "tests/it"] {
        for path in files(&root().join(folder), "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            assert!(text.starts_with("//!"), "{} does not open with what it owns", path.display());
        }
    }
}

#[test]
fn the_sdk_has_the_contract() {
    let names = |folder: &Path| {
        let mut names: Vec<_> = files(folder, "wit")
            .iter()
            .map(|path| path.file_name().expect("a name").to_owned())
            .collect();
        names.sort();
        names
    };
    let (wit, copy) = (root().join("wit/v0.1"), root().join("sdk/rust/wit"));
    assert_eq!(names(&wit), names(&copy));
    for name in names(&wit) {
        let text = |folder: &Path| std::fs::read_to_string(folder.join(&name)).expect("text");
        assert_eq!(text(&wit), text(&copy), "{}: copy wit/v0.1 to sdk/rust/wit", name.display());
    }
}

#[test]
fn every_item_of_the_contract_is_documented() {
    for path in files(&root().join("wit"), "wit") {
        let text = std::fs::read_to_string(&path).expect("text");
        let mut documented = false;
        for line in text.lines().map(str::trim) {
            let item = ["interface ", "world ", "resource ", "record ", "variant ", "enum "]
                .iter()
                .any(|word| line.starts_with(word))
                || line.contains(": func(");
            assert!(!item || documented, "{}: not documented: {line}", path.display());
            documented = line.starts_with("///") || (documented && line.is_empty());
        }
    }
}

/// What the names in backquotes in SECURITY.md's column "held by" may be: tests, files
/// of the host or of the tests, guests.
#[test]
fn every_claim_of_security_names_what_holds_it() {
    let rust: String = ["host", "tests/it", "plugins", "fuzz", "sdk/rust/src"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), "rs"))
        .map(|path| std::fs::read_to_string(path).expect("text"))
        .collect();
    let security = std::fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let mut wrong = Vec::new();
    let mut claims = 0;
    for row in security.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [claim, held] = cells[..] else { continue };
        if claim == "claim" || claim.starts_with("---") {
            continue;
        }
        claims += 1;
        let names: Vec<&str> = held.split('`').skip(1).step_by(2).collect();
        let mut tests = 0;
        for name in names {
            let is_path = ["host", "", "tests/it", "tests"]
                .iter()
                .any(|folder| name.contains('.') && root().join(folder).join(name).is_file());
            let is_guest = || {
                files(&root().join("tests/guests"), "wat").iter().any(|path| {
                    let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
                    match name.split_once('*') {
                        Some((start, end)) => file.starts_with(start) && file.ends_with(end),
                        None => file == name,
                    }
                })
            };
            let is_test = rust.contains(&format!("fn {name}("));
            let is_target = name.starts_with("cargo ") || rust.contains(&format!("(\"{name}\", "));
            tests += usize::from(is_test || name.starts_with("tests/") || is_target || is_guest());
            if !(is_path || is_test || is_target || is_guest()) {
                wrong.push(format!("there is no {name}: {claim}"));
            }
        }
        if tests == 0 {
            wrong.push(format!("no test holds this: {claim}"));
        }
    }
    assert!(claims > 15, "only {claims} claims were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
