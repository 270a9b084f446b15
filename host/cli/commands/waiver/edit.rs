//! `modelhost.toml` with more waivers at its end: what stood there stays byte for
//! byte, comments and all, and what comes of it is read before it is written.
//!
//! Leaves which findings to waive to `waiver`.

use std::fmt::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use modelhost::config::Config;
use modelhost::domain::date::Date;
use modelhost::domain::text::GuestText;
use modelhost::domain::waiver::Waiver;
use modelhost::record::disk::replace;
use modelhost::report::reported::Reported;

/// A waiver to be written.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    keys: Vec<(&'static str, String)>,
    days: [(&'static str, Date); 2],
    covers: (String, String, String, String),
}

impl Entry {
    /// Makes one that covers `finding` alone.
    pub(super) fn new(
        finding: &Reported,
        reason: &str,
        owner: &str,
        added: Date,
        expires: Date,
    ) -> anyhow::Result<Self> {
        let digest = finding.digest.with_context(|| {
            format!(
                "the report names no digest of {} (it was made with --no-digests), and a waiver is bound to one",
                finding.model
            )
        })?;
        for (what, text) in [("--reason", reason), ("--owner", owner)] {
            let text = text.trim();
            if text.is_empty() {
                anyhow::bail!("{what} is empty: whoever reads the report wants to know");
            }
            if text == "..." {
                anyhow::bail!(
                    "{what} is `...`: put in its place what whoever reads the report wants to know"
                );
            }
        }
        let fingerprint = finding.fingerprint.to_string();
        let mut keys = vec![
            ("rule", finding.code.clone()),
            ("model", finding.model.to_string()),
            ("digest", digest.to_string()),
        ];
        keys.extend(finding.file.as_ref().map(|file| ("file", file.to_string())));
        keys.extend([
            ("fingerprint", fingerprint.clone()),
            ("reason", reason.trim().to_owned()),
            ("owner", owner.trim().to_owned()),
        ]);
        let covers =
            (finding.code.clone(), finding.model.to_string(), digest.to_string(), fingerprint);
        Ok(Self { keys, days: [("added", added), ("expires", expires)], covers })
    }

    /// Returns it as a table of TOML.
    fn table(&self) -> String {
        let mut out = "[[waiver]]\n".to_owned();
        for (key, text) in &self.keys {
            let text = toml::Value::from(text.as_str());
            let _ = writeln!(out, "{key} = {text}");
        }
        for (key, date) in self.days {
            let _ = writeln!(out, "{key} = {date}");
        }
        out
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.keys.iter().find(|(key, _)| *key == "file");
        write!(f, "{} in {}", self.covers.0, self.covers.1)?;
        file.map_or(Ok(()), |(_, file)| write!(f, ", {file}"))
    }
}

fn covers(waiver: &Waiver) -> (String, String, String, String) {
    let fingerprint = waiver.fingerprint.map(|print| print.to_string()).unwrap_or_default();
    (waiver.rule.to_string(), waiver.model.to_string(), waiver.digest.to_string(), fingerprint)
}

/// Returns the text of `config` with `entries` at its end.
pub(super) fn with(config: &Config, entries: &[Entry]) -> anyhow::Result<String> {
    for entry in entries {
        let known = config.policy.waivers.iter().find(|waiver| covers(waiver) == entry.covers);
        if let Some(waiver) = known {
            anyhow::bail!(
                "{entry} has a waiver already (modelhost.toml:{}, until {}): change its last day there",
                waiver.line,
                waiver.expires
            );
        }
    }
    let old = &*config.file.text;
    let mut text = old.to_owned();
    if !old.is_empty() && !old.ends_with('\n') {
        text.push('\n');
    }
    for entry in entries {
        text.push('\n');
        text.push_str(&entry.table());
    }
    modelhost::config::check(&config.file.path, &text)?;
    Ok(text)
}

/// Replaces the file at `path`.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let shown = GuestText::capped(&path.to_string_lossy());
    // A link stays one: what it leads to is replaced.
    let real = crate::context::real(path);
    replace(&real, text.as_bytes(), ".modelhost.toml.")
        .with_context(|| format!("can't write {shown}"))
}
