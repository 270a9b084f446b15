//! Owns what the model's license files claim: the tags in them, and the licenses whose
//! texts they hold, or the operator's word for what a text means. Leaves which files
//! these are to `places`, telling texts apart to `text`.

use modelhost_check::{Failure, File, Location, Model, Severity};
use sha2::{Digest, Sha256};

use crate::claim::{By, Claim};
use crate::collect::Claims;
use crate::fingerprint::{self, Known};
use crate::places::is_notice;
use crate::policy::{Clarification, Policy};
use crate::text::{self, Text};
use crate::{pattern, rules};

/// How long a license file may be; the longest known texts stay below 100 KB.
const MAX_TEXT: u64 = 1024 * 1024;
/// How many license files are looked at.
const MAX_TEXTS: usize = 64;
/// How long all of them may be together: each MiB takes some 10⁹ units of fuel.
const MAX_ALL_TEXTS: u64 = 3 * 1024 * 1024;
/// From how many words on an unknown text is taken for a license of its own.
const LONG: usize = 100;
/// What a license tag begins with.
const TAG: &str = "SPDX-License-Identifier:";
/// How many tags of a file are looked at: real files have one.
const MAX_TAGS: usize = 64;

impl Claims {
    /// Reads the license files at `texts`.
    ///
    /// # Errors
    /// Where one can't be read.
    pub fn texts(
        &mut self,
        model: &Model<'_>,
        mut texts: Vec<String>,
        policy: &Policy,
    ) -> Result<(), Failure> {
        if texts.len() > MAX_TEXTS {
            let message = format!("{} license files are too many to be looked at", texts.len());
            let finding = rules::TEXT_UNRECOGNISED.finding(Location::model(), message);
            self.findings.push(finding.severity(Severity::Medium));
            texts.truncate(MAX_TEXTS);
        }
        let known = if texts.is_empty() { Vec::new() } else { fingerprint::known() };
        let mut room = MAX_ALL_TEXTS;
        for path in &texts {
            let Some(file) = model.file(path) else { continue };
            if file.size() > room.min(MAX_TEXT) {
                self.unknown(&file, format!("{} bytes are too long for a license", file.size()));
                continue;
            }
            room -= file.size();
            self.text(&file, &known, policy, &model.name())?;
        }
        self.absent(policy, &texts, &model.name());
        Ok(())
    }

    fn text(
        &mut self,
        file: &File,
        known: &[Known<'_>],
        policy: &Policy,
        model: &str,
    ) -> Result<(), Failure> {
        let bytes = file.read_all(MAX_TEXT).map_err(|error| error.in_file(file))?;
        if self.clarified(file, &bytes, policy, model) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes);
        let before = self.claims.len();
        for (line, tag) in (1..).zip(text.lines()).filter_map(tagged).take(MAX_TAGS) {
            self.claims.push(Claim::of(By::Tag, Location::file(file).line(line), tag));
        }
        let tagged = self.claims.len() > before;
        match text::recognise_among(&text, known) {
            Text::Known(ids) => {
                let claim = |id: &String| Claim::of(By::Text, Location::file(file), id);
                self.claims.extend(ids.iter().map(claim));
                self.confidence = Some(self.confidence.unwrap_or(100));
            }
            Text::Named(id) => self.claims.push(Claim::of(By::Notice, Location::file(file), &id)),
            Text::Like(id, percent) => {
                let message = format!(
                    "the text is like that of {id} ({percent} %), but words are changed, added or missing"
                );
                let finding = rules::TEXT_DIFFERS.finding(Location::file(file), message);
                self.findings.push(finding);
                self.altered.push((Location::file(file), id));
                self.confidence = Some(self.confidence.unwrap_or(100).min(percent));
            }
            Text::Unknown if tagged => {}
            Text::Unknown if is_notice(&file.path()) => {}
            Text::Unknown => {
                let long = text.split_whitespace().nth(LONG).is_some();
                self.strange.push((Location::file(file), long));
            }
        }
        Ok(())
    }

    /// Takes the operator's word for what a text means, if there is one for these
    /// very bytes.
    fn clarified(&mut self, file: &File, bytes: &[u8], policy: &Policy, model: &str) -> bool {
        let path = file.path();
        let fits = |row: &&Clarification| {
            row.file == path && row.model.as_deref().is_none_or(|own| pattern::fits(own, model))
        };
        let mut rows = policy.clarifications.iter().filter(fits).peekable();
        if rows.peek().is_none() {
            return false;
        }
        let digest: String =
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(row) = rows.find(|row| row.sha256 == digest) {
            let claim = Claim::of(By::Clarified, Location::file(file), row.license.text());
            self.claims.push(claim);
            return true;
        }
        let message = format!(
            "the policy says what another text than this means; this one has the digest sha256:{digest}"
        );
        self.findings.push(rules::CLARIFICATION_STALE.finding(Location::file(file), message));
        false
    }

    /// Tells of clarifications for this very model whose file it does not have.
    fn absent(&mut self, policy: &Policy, texts: &[String], model: &str) {
        for row in &policy.clarifications {
            if row.model.as_deref() == Some(model) && !texts.contains(&row.file) {
                let file = &row.file;
                let message = format!("clarifications: the model has no license file `{file}`");
                self.findings.push(rules::UNUSED_ENTRY.finding(Location::model(), message));
            }
        }
    }

    /// Tells of a license file that is not looked at: it weighs more than one that
    /// says nothing.
    fn unknown(&mut self, file: &File, message: String) {
        let finding = rules::TEXT_UNRECOGNISED.finding(Location::file(file), message);
        self.findings.push(finding.severity(Severity::Medium));
    }
}

/// Returns the tag in a line, if there is one.
fn tagged((number, line): (u32, &str)) -> Option<(u32, &str)> {
    let tag = line.split_once(TAG)?.1;
    // Comments and markup end after the expression.
    let end = ["-->", "*/", "`", "<"].iter().filter_map(|end| tag.find(end)).min();
    Some((number, tag[..end.unwrap_or(tag.len())].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_end_where_comments_do() {
        let rows = [
            ("// SPDX-License-Identifier: MIT", Some("MIT")),
            ("<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->", Some("MIT OR Apache-2.0")),
            ("/* SPDX-License-Identifier: MIT */", Some("MIT")),
            ("SPDX: MIT", None),
        ];
        for (line, expected) in rows {
            assert_eq!(tagged((1, line)).map(|(_, tag)| tag), expected);
        }
    }
}
