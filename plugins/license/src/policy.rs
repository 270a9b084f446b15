//! Owns the settings: what the operator allows, denies, excepts and clarifies, and
//! whether a license is fine by that. Leaves what the model claims to `claim`, entries
//! of several licenses to `allow`.

use modelhost_check::{Datetime, Failure};
use spdx::LicenseReq;

use crate::allow::{Allowed, Way};
use crate::facts::{Class, Facts, Profile};
use crate::ids::{self, Expression, Meaning};
use crate::pattern;

/// The settings, as they stand in the policy.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    allow: Vec<String>,
    allow_classes: Vec<String>,
    deny: Vec<String>,
    deny_classes: Vec<String>,
    deny_facts: Vec<String>,
    altered_texts: Altered,
    exceptions: Vec<ExceptionRow>,
    clarifications: Vec<ClarificationRow>,
    bases: Vec<BaseRow>,
    datasets: Vec<DatasetRow>,
}

/// What a text means for the policy that is like a known one, but altered.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Altered {
    /// It can't be shown to be allowed.
    #[default]
    Deny,
    /// It is told, and what else names a license counts.
    Warn,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionRow {
    model: String,
    allow: Vec<String>,
    reason: String,
    owner: String,
    until: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ClarificationRow {
    #[serde(default)]
    model: Option<String>,
    file: String,
    sha256: String,
    license: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BaseRow {
    model: String,
    license: String,
    #[serde(default)]
    bases: Vec<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetRow {
    data: String,
    license: String,
}

/// The settings, understood.
#[derive(Debug)]
pub struct Policy {
    allow: Allowed,
    allow_classes: Vec<Class>,
    deny: Vec<LicenseReq>,
    deny_classes: Vec<Class>,
    deny_facts: Facts,
    /// What an altered text means.
    pub altered: Altered,
    /// What is allowed to single models for a time.
    pub exceptions: Vec<Exception>,
    /// What single texts mean.
    pub clarifications: Vec<Clarification>,
    /// What is known of bases.
    pub bases: Vec<Base>,
    /// What is known of data sets: pattern and license.
    pub datasets: Vec<(String, Expression)>,
}

/// Licenses allowed to a model for a time.
#[derive(Debug)]
pub struct Exception {
    /// The model's name, `*` for anything.
    pub model: String,
    /// The licenses.
    pub allow: Vec<LicenseReq>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Its last day, UTC.
    pub until: String,
    /// The first second after it.
    ends: u64,
}

impl Exception {
    /// Tells whether it is over.
    pub fn is_over(&self, now: Datetime) -> bool {
        now.seconds >= self.ends
    }
}

/// What a text means, by somebody who read it.
#[derive(Debug)]
pub struct Clarification {
    /// The model's name, `*` for anything.
    pub model: Option<String>,
    /// The file's path.
    pub file: String,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Its license.
    pub license: Expression,
}

/// What the operator knows of a base.
#[derive(Debug)]
pub struct Base {
    /// Its name, `*` for anything.
    pub model: String,
    /// Its license.
    pub license: Expression,
    /// The names of what it was made from.
    pub bases: Vec<String>,
}

fn refused(place: &str, entry: &str, why: &str) -> Failure {
    Failure::InvalidSettings(format!("{place}: `{entry}` {why}"))
}

/// Returns the one license that an entry names.
fn single(place: &str, entry: &str) -> Result<LicenseReq, Failure> {
    expression(place, entry)?
        .single()
        .ok_or_else(|| refused(place, entry, "is several licenses; list them one by one"))
}

fn expression(place: &str, entry: &str) -> Result<Expression, Failure> {
    match ids::meaning(entry) {
        Meaning::Expression(license) => Ok(license),
        Meaning::Family(members) => Err(refused(
            place,
            entry,
            &format!("is a family of licenses; name those meant, such as {members}"),
        )),
        Meaning::Invalid(why) => Err(refused(place, entry, &format!("is no license: {why}"))),
        Meaning::Other | Meaning::Nothing | Meaning::Unknown => Err(refused(
            place,
            entry,
            "is no license that SPDX or the Hub knows; others are written as LicenseRef-NAME",
        )),
    }
}

impl Policy {
    /// Understands the settings.
    ///
    /// # Errors
    /// Which entry names nothing that is known.
    pub fn of(settings: Settings) -> Result<Self, Failure> {
        let singles = |place: &str, entries: &[String]| {
            entries.iter().map(|entry| single(place, entry)).collect::<Result<Vec<_>, _>>()
        };
        let classes = |place: &str, entries: &[String]| {
            let class = |entry: &String| {
                let names: Vec<_> = Class::ALL.iter().map(|class| class.name()).collect();
                let why = format!("is no class; there are {}", names.join(", "));
                Class::named(entry).ok_or_else(|| refused(place, entry, &why))
            };
            entries.iter().map(class).collect::<Result<Vec<_>, _>>()
        };
        let mut allow = Allowed::default();
        for entry in &settings.allow {
            let license = expression("allow", entry)?;
            allow.add(&license).map_err(|why| refused("allow", entry, &why))?;
        }
        let mut deny_facts = Facts::default();
        for entry in &settings.deny_facts {
            let fact = Facts::named(entry);
            deny_facts =
                deny_facts.and(fact.ok_or_else(|| refused("deny-facts", entry, "is no fact"))?);
        }
        let exceptions = settings.exceptions.into_iter().map(exception);
        let clarifications = settings.clarifications.into_iter().map(clarification);
        let bases = settings.bases.into_iter().map(|row| {
            let license = expression("bases", &row.license)?;
            Ok(Base { model: row.model, license, bases: row.bases })
        });
        let datasets = settings.datasets.into_iter();
        let datasets = datasets.map(|row| Ok((row.data, expression("datasets", &row.license)?)));
        Ok(Self {
            allow,
            allow_classes: classes("allow-classes", &settings.allow_classes)?,
            deny: singles("deny", &settings.deny)?,
            deny_classes: classes("deny-classes", &settings.deny_classes)?,
            deny_facts,
            altered: settings.altered_texts,
            exceptions: exceptions.collect::<Result<_, Failure>>()?,
            clarifications: clarifications.collect::<Result<_, Failure>>()?,
            bases: bases.collect::<Result<_, Failure>>()?,
            datasets: datasets.collect::<Result<_, Failure>>()?,
        })
    }

    /// Tells whether the settings judge at all; else licenses are only reported.
    pub fn judges(&self) -> bool {
        self.allows_some()
            || !self.deny.is_empty()
            || !self.deny_classes.is_empty()
            || !self.deny_facts.is_empty()
    }

    fn allows_some(&self) -> bool {
        !self.allow.is_empty() || !self.allow_classes.is_empty()
    }

    /// Tells whether a license is fine by the lists; if not, says why.
    ///
    /// # Errors
    /// Which list it fails.
    pub fn accept(&self, license: &LicenseReq) -> Result<(), String> {
        self.accept_among(license, &[])
    }

    /// Tells the same, where in addition the licenses `also` are allowed by name.
    fn accept_among(&self, license: &LicenseReq, also: &[LicenseReq]) -> Result<(), String> {
        let class = self.tolerate(license)?;
        let mut allowed = self.allow.single.iter().chain(also);
        if allowed.any(|allowed| ids::suffices(allowed, license)) {
            return Ok(());
        }
        let by_kind = !self.deny_classes.is_empty() || !self.deny_facts.is_empty();
        if class == Class::Unknown && by_kind {
            return Err("what it allows is not known, and some kinds are denied".to_owned());
        }
        if self.allows_some() && !self.allow_classes.contains(&class) {
            let within = self.allow.compound.iter().find(|entry| entry.names(license));
            return Err(match within {
                Some(entry) => format!("it is allowed as part of `{}` alone", entry.text),
                None => "it is not among the licenses allowed".to_owned(),
            });
        }
        Ok(())
    }

    /// Returns the class of a license that nothing denies.
    ///
    /// # Errors
    /// What denies it.
    fn tolerate(&self, license: &LicenseReq) -> Result<Class, String> {
        let Profile { class, facts } = Profile::of(license);
        if self.deny.iter().any(|denied| denies(denied, license)) {
            return Err("it is denied".to_owned());
        }
        if self.deny_classes.contains(&class) {
            return Err(format!("licenses that are {} are denied", class.name()));
        }
        let denied = facts.common(self.deny_facts);
        if !denied.is_empty() {
            return Err(format!("licenses are denied that mean: {}", denied.names()));
        }
        Ok(class)
    }

    /// Tells whether the lists allow what a model comes under, of which `excepted` is
    /// allowed in any case: single licenses alone, or an entry of several beside them,
    /// whichever of the choices that it leaves is taken. Ways that lead to a denied
    /// license are none.
    pub fn satisfies(&self, license: &Expression, excepted: &impl Fn(&LicenseReq) -> bool) -> bool {
        let by = |way: &[LicenseReq]| {
            license.is_satisfied_by(&|part: &LicenseReq| {
                excepted(part) || self.accept_among(part, way).is_ok()
            })
        };
        let open = |way: &&Way| way.iter().all(|part| self.tolerate(part).is_ok());
        by(&[])
            || self.allow.compound.iter().any(|entry| {
                let mut ways = entry.ways.iter().filter(open).peekable();
                ways.peek().is_some() && ways.all(|way| by(way))
            })
    }

    /// Tells whether an exception that is not over allows a license to a model.
    pub fn excepts(&self, license: &LicenseReq, model: &str, now: Datetime) -> bool {
        let mut live = self.exceptions_for(model).filter(|row| !row.is_over(now));
        live.any(|row| row.allow.iter().any(|allowed| ids::suffices(allowed, license)))
    }

    /// Returns what the operator knows of the base `name`.
    pub fn base(&self, name: &str) -> Option<&Base> {
        self.bases.iter().find(|row| pattern::fits(&row.model, name))
    }

    /// Returns the exceptions for a model.
    pub fn exceptions_for(&self, model: &str) -> impl Iterator<Item = &Exception> {
        self.exceptions.iter().filter(move |row| pattern::fits(&row.model, model))
    }
}

/// Tells whether a denied license is the one that a model comes under: "or later"
/// on either side makes no difference, an exception to it does.
fn denies(denied: &LicenseReq, license: &LicenseReq) -> bool {
    denied.addition == license.addition && ids::same_version(denied, license)
}

fn exception(row: ExceptionRow) -> Result<Exception, Failure> {
    let place = format!("exceptions: {}", row.model);
    for (name, text) in [("reason", &row.reason), ("owner", &row.owner), ("model", &row.model)] {
        if text.trim().is_empty() {
            return Err(Failure::InvalidSettings(format!("{place}: `{name}` is empty")));
        }
    }
    let ends = day(&row.until).and_then(|day| (day + 1).checked_mul(86_400));
    let ends = ends.ok_or_else(|| refused(&place, &row.until, "is no day such as 2026-12-31"))?;
    let allow = row.allow.iter().map(|entry| single(&place, entry)).collect::<Result<_, _>>()?;
    Ok(Exception {
        model: row.model,
        allow,
        reason: row.reason,
        owner: row.owner,
        until: row.until,
        ends,
    })
}

fn clarification(row: ClarificationRow) -> Result<Clarification, Failure> {
    let place = format!("clarifications: {}", row.file);
    let sha256 = row.sha256.to_ascii_lowercase();
    let sha256 = sha256.strip_prefix("sha256:").unwrap_or(&sha256).to_owned();
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(refused(&place, &row.sha256, "is no SHA-256 of 64 hexadecimal digits"));
    }
    let license = expression(&place, &row.license)?;
    Ok(Clarification { model: row.model, file: row.file, sha256, license })
}

/// Returns the days from 1970-01-01 to a date written `2026-12-31`; none for what
/// is no day, or before.
fn day(date: &str) -> Option<u64> {
    let bytes = date.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        let part = date.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u64>().ok())?
    };
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let leap = |year: u64| {
        (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
    };
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    let length = *lengths.get(month)?;
    if year < 1970 || !(1..=length).contains(&day) {
        return None;
    }
    let years: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    Some(years + lengths[..month].iter().sum::<u64>() + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        let rows = [
            ("1970-01-01", Some(0)),
            ("1970-12-31", Some(364)),
            ("2000-02-29", Some(11_016)),
            ("2026-06-15", Some(20_619)),
            ("2100-03-01", Some(47_541)),
            ("2100-02-29", None),
            ("2026-02-30", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-01-00", None),
            ("1969-12-31", None),
            ("2026-1-1", None),
            ("2026-01-01T00:00:00Z", None),
            ("+026-01-01", None),
            ("", None),
            ("éé26-01-01", None),
        ];
        for (date, expected) in rows {
            assert_eq!(day(date), expected, "{date}");
        }
    }
}
