//! Owns zip archives of models: Keras's own, and any whose members are all of
//! formats that this check walks. Each member is judged by its content. Leaves
//! archives that hold anything else, such as pickles, to the check `pickle`.

use serde::de::IgnoredAny;

use crate::found::{Defect, Found, Stop};
use crate::onnx::outside;
use crate::source::Source;
use crate::table::{self, Format};
use crate::zip::{self, Member};
use crate::{hdf5, keras, rules, zip_end};

/// The member that makes an archive a Keras model.
const CONFIG: &str = "config.json";
/// How many bytes of members are unpacked or read as text, all together.
const MAX_READ: u64 = 32 * 1024 * 1024;
/// How deep archives within archives are followed.
const MAX_DEPTH: usize = 3;
/// How much of a member is read to recognise its format.
const HEAD: u64 = 4096;
/// Texts that no loader runs, other than JSON, which is told by its content.
const TEXTS: &[&str] = &[".csv", ".md", ".tsv", ".txt", "license", "notice"];

/// Tells whether a file that begins with `head` is a zip archive.
pub fn recognise(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// Walks an archive; one that holds anything unknown is not ours.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut walk = Walk { left: MAX_READ };
    match walk.archive(source, 1, found)? {
        true => Ok(()),
        false => Err(other()),
    }
}

fn other() -> Stop {
    Stop::NotOurs("an archive of other things than models that this check walks".to_owned())
}

struct Walk {
    /// How many more bytes are unpacked or read as text.
    left: u64,
}

impl Walk {
    /// Walks an archive's members; false where one of them is unknown.
    fn archive(
        &mut self,
        source: &dyn Source,
        depth: usize,
        found: &mut Found,
    ) -> Result<bool, Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::Unsupported("archives nested too deep".to_owned()));
        }
        let members = match zip::members(source) {
            Ok(members) => members,
            Err(Stop::Unreadable(error)) => return Err(error.into()),
            Err(_) => return tolerant(source).map(|()| false),
        };
        let config = members.iter().find(|member| member.name == CONFIG);
        let config = config.map(|config| config.content(source, keras::MAX_CONFIG)).transpose()?;
        let config = config.filter(|config| keras::is_config(config));
        if let Some(config) = &config {
            keras::look(config, CONFIG, found)?;
        }
        let mut inner = Found::default();
        let mut known = true;
        for member in &members {
            if let Some(why) = outside(&member.name).filter(|_| config.is_some()) {
                let message = format!("the member is unpacked to {why}");
                let defect = Defect::new(rules::EXTERNAL_PATH, message);
                found.push(defect.member(member.name.as_str()));
            }
            known &= self.member(source, member, depth, &mut inner)?;
        }
        // Among unknown content raw numbers can look like a broken format; what
        // says that something runs or reaches outside is no such accident.
        let sure =
            |defect: &Defect| known || config.is_some() || table::MEANT.contains(&defect.rule);
        inner.into_defects().into_iter().filter(sure).for_each(|defect| found.push(defect));
        Ok(known && !members.is_empty())
    }

    /// Walks a member; false where it is unknown.
    fn member(
        &mut self,
        source: &dyn Source,
        member: &Member,
        depth: usize,
        found: &mut Found,
    ) -> Result<bool, Stop> {
        if member.size == 0 {
            return Ok(true);
        }
        if let Some(part) = member.part(source) {
            let head = part.read_at(0, usize::try_from(part.size().min(HEAD)).unwrap_or(0))?;
            if let Some(format) = table::find(&head) {
                return self.model(&part, format, member, depth, found);
            }
        }
        if member.size.max(member.stored) > self.left {
            return too_large(source, member);
        }
        let content = match member.content(source, self.left) {
            Err(Stop::Malformed { .. }) => return Ok(false),
            content => content?,
        };
        self.left -= member.size.max(member.stored);
        let head = &content[..content.len().min(usize::try_from(HEAD).unwrap_or(0))];
        match table::find(head) {
            Some(format) => self.model(&content, format, member, depth, found),
            None => Ok(is_text(&member.name, &content)),
        }
    }

    /// Walks a member of a known format, and says of each defect in which member
    /// it is.
    fn model(
        &mut self,
        source: &dyn Source,
        format: &Format,
        member: &Member,
        depth: usize,
        found: &mut Found,
    ) -> Result<bool, Stop> {
        let mut inner = Found::default();
        let archive = format.name == table::ARCHIVE.name;
        let walked = if archive {
            self.archive(source, depth + 1, &mut inner)
        } else {
            (format.walk)(source, &mut inner).map(|()| true)
        };
        let known = match walked.map_err(Stop::into_defect) {
            Ok(known) => known,
            Err(Ok(_)) if format.companion => false,
            Err(Ok(defect)) => {
                inner.push(defect);
                true
            }
            Err(Err(Stop::NotOurs(_))) => false,
            // Of these formats, code may be where this check can't look.
            Err(Err(stop)) if archive || format.name == table::HDF5 => return Err(stop),
            Err(Err(Stop::Unreadable(error))) => return Err(error.into()),
            Err(Err(_)) => false,
        };
        for mut defect in inner.into_defects() {
            defect.member = Some(match defect.member {
                Some(part) => format!("{}:{part}", member.name),
                None => member.name.clone(),
            });
            found.push(defect);
        }
        Ok(known)
    }
}

/// Looks whether an archive that is not read alike by all readers may be a Keras
/// model to one of them. Such archives in general are the business of `pickle`,
/// but that does not know of configurations.
fn tolerant(source: &dyn Source) -> Result<(), Stop> {
    let Some(end) = zip_end::find(source)? else {
        return Ok(());
    };
    let directory = end.directory(source)?;
    let mut names = directory.windows(CONFIG.len());
    if names.any(|name| name == CONFIG.as_bytes()) {
        let what = "an archive with a configuration that readers may see differently";
        return Err(Stop::Unsupported(what.to_owned()));
    }
    Ok(())
}

/// Says of a member that is too large to be unpacked that it is unknown, unless it
/// is of a format that may hold code where only this check would look.
fn too_large(source: &dyn Source, member: &Member) -> Result<bool, Stop> {
    let head = member.peek(source)?;
    if hdf5::recognise(&head) || recognise(&head) {
        let message = format!("`{}` is packed, and too large to be unpacked", member.name);
        return Err(Stop::Unsupported(message));
    }
    Ok(false)
}

/// Tells whether a member is data as text: JSON, or of a name that no loader runs.
fn is_text(name: &str, content: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let text = std::str::from_utf8(content).is_ok_and(|text| !text.contains('\0'));
    text && (TEXTS.iter().any(|ending| name.ends_with(ending))
        || serde_json::from_slice::<IgnoredAny>(content).is_ok())
}
