//! The waivers of `modelhost.toml`: each of its keys, and that no two say the
//! same.
//!
//! Leaves to `policy` what they cover, and when.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr as _;
use std::sync::Arc;

use toml::value::Datetime;

use super::diagnostic::Mistakes;
use super::schema::{self, At, Table};
use super::validate::{digest, model_name, plugin_id};
use super::values::{Wrong, plain};
use crate::domain::date::Date;
use crate::domain::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::domain::finding::{Fingerprint, RuleId};
use crate::domain::model::FilePath;
use crate::domain::waiver::Waiver;

/// Reads the waivers of `file`, in their order.
pub(super) fn waivers(
    shapes: &[At<Table<schema::Waiver>>],
    file: &SourceFile,
    mistakes: &mut Mistakes,
) -> Vec<Arc<Waiver>> {
    let lines = Lines::of(&file.text);
    let mut seen: BTreeMap<_, Range<usize>> = BTreeMap::new();
    let mut waivers = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let span = shape.span();
        let Table(shape) = &**shape;
        let Some(waiver) = waiver(shape, &lines, span, file, mistakes) else { continue };
        let covers = (
            waiver.rule.clone(),
            waiver.model.clone(),
            waiver.digest,
            waiver.file.clone(),
            waiver.fingerprint,
        );
        if let Some(first) = seen.get(&covers) {
            let message = "this is waived twice";
            let mistake = Diagnostic::new(file, shape.rule.span(), message)
                .with_place(first.clone(), "the first is here")
                .with_help("leave the one that shall count: which of two last days holds is else nobody's word");
            mistakes.push(mistake);
            continue;
        }
        seen.insert(covers, shape.rule.span());
        waivers.push(Arc::new(waiver));
    }
    waivers
}

/// Reads one waiver, noting every mistake in it.
fn waiver(
    shape: &schema::Waiver,
    lines: &Lines,
    span: Range<usize>,
    file: &SourceFile,
    mistakes: &mut Mistakes,
) -> Option<Waiver> {
    let mut value = Reader { file, mistakes };
    let rule = value.of(&shape.rule, |text| rule(text));
    let model = value.of(&shape.model, |text| model_name(text));
    let bound = value.of(&shape.digest, |text| digest(text));
    let path = shape.file.as_ref().map(|at| value.of(at, |text| path(text)));
    let fingerprint = shape.fingerprint.as_ref().map(|at| value.of(at, |text| fingerprint(text)));
    let reason = value.of(&shape.reason, |text| line(text, "the reason"));
    let owner = value.of(&shape.owner, |text| line(text, "the owner"));
    let added = shape.added.as_ref().map(|at| value.of(at, date));
    let expires = value.of(&shape.expires, date);
    if let (Some(Some(added)), Some(expires)) = (added, expires)
        && expires < added
    {
        let mistake = Diagnostic::new(file, shape.expires.span(), "it ends before it was added");
        mistakes.push(mistake);
    }
    Some(Waiver {
        rule: rule?,
        model: model?,
        digest: bound?,
        file: present(path)?,
        fingerprint: present(fingerprint)?,
        reason: reason?,
        owner: owner?,
        added: present(added)?,
        expires: expires?,
        line: lines.line_of(span.start),
    })
}

/// Tells what is absent from what is wrong: none for the latter.
fn present<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
        None => Some(None),
    }
}

struct Reader<'r> {
    file: &'r SourceFile,
    mistakes: &'r mut Mistakes,
}

impl Reader<'_> {
    fn of<T, V>(&mut self, at: &At<V>, parse: impl FnOnce(&V) -> Result<T, Wrong>) -> Option<T> {
        match parse(at) {
            Ok(value) => Some(value),
            Err(wrong) => self.mistakes.wrong(self.file, at.span(), wrong),
        }
    }
}

fn rule(text: &str) -> Result<RuleId, Wrong> {
    let form = || {
        Wrong::new(format!("`{text}` is no rule"))
            .with_help("write PLUGIN/NAME, such as `license/not-allowed`: a report names it")
    };
    let (plugin, name) = text.split_once('/').ok_or_else(form)?;
    if plugin == "gate" {
        let message = "what the gate itself finds can't be waived";
        let help = "it says that something could not be judged, or by whom it must be: what nobody looked at, nobody \
                    can answer for. `not-judged = \"warn\"` under [gate] lets pass what no plugin judges";
        return Err(Wrong::new(message).with_help(help));
    }
    RuleId::new(plugin_id(plugin)?, name).ok_or_else(form)
}

fn path(text: &str) -> Result<FilePath, Wrong> {
    FilePath::parse(text).ok_or_else(|| {
        Wrong::new(format!("`{text}` is no path of a file in a model")).with_help(
            "write it as the report does: relative to the model, folders separated by `/`",
        )
    })
}

fn fingerprint(text: &str) -> Result<Fingerprint, Wrong> {
    Fingerprint::from_str(text).map_err(|error| Wrong::new(error.to_string()))
}

fn line(text: &str, what: &str) -> Result<String, Wrong> {
    plain(text, what)?;
    Ok(text.to_owned())
}

fn date(datetime: &Datetime) -> Result<Date, Wrong> {
    let is_date = datetime.time.is_none() && datetime.offset.is_none();
    let date = is_date.then(|| Date::parse(&datetime.to_string())).flatten();
    date.ok_or_else(|| {
        Wrong::new(format!("`{datetime}` is no day")).with_help("write YYYY-MM-DD, from 1970 on")
    })
}
