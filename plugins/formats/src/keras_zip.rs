//! Owns Keras 3's archives: what its members are, each judged by its content.
//! Leaves the configuration to `keras`, weights to `hdf5`.

use crate::found::{Defect, Found, Stop};
use crate::onnx::outside;
use crate::source::Source;
use crate::zip::{self, Member};
use crate::{hdf5, keras, rules, zip_end};

/// The member that makes an archive a Keras model.
const CONFIG: &str = "config.json";
/// How long the members beside it may be that have to be read, all together:
/// vocabularies, mostly.
const MAX_TEXT: u64 = 32 * 1024 * 1024;

/// Tells whether a file that begins with `head` is a zip archive.
pub fn recognise(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// Walks a Keras archive; another one is not ours.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let members = match zip::members(source) {
        Ok(members) => members,
        Err(Stop::Unreadable(error)) => return Err(error.into()),
        Err(_) => return tolerant(source),
    };
    let config = members.iter().find(|member| member.name == CONFIG);
    let config = config
        .map(|config| config.content(source, keras::MAX_CONFIG))
        .transpose()?;
    let is_keras = config.is_some_and(|config| keras::is_config(&config));
    let mut unknown = None;
    let mut left = MAX_TEXT;
    for member in &members {
        if let Some(why) = outside(&member.name).filter(|_| is_keras) {
            let message = format!("the member is unpacked to {why}");
            found.push(Defect::new(rules::EXTERNAL_PATH, message).member(member.name.as_str()));
        }
        if is_keras && !walk_member(source, member, &mut left, found)? {
            unknown = unknown.or(Some(member));
        }
    }
    match unknown {
        _ if !is_keras => Err(other()),
        Some(member) => {
            let reason = format!("a Keras archive with `{}`, of another format", member.name);
            Err(Stop::NotOurs(reason))
        }
        None => Ok(()),
    }
}

fn other() -> Stop {
    Stop::NotOurs("an archive that is no Keras model".to_owned())
}

/// Looks whether an archive that is not read alike by all readers may be a Keras
/// model to one of them. Such archives in general are the business of `pickle`,
/// but that does not know of configurations.
fn tolerant(source: &dyn Source) -> Result<(), Stop> {
    let Some(end) = zip_end::find(source)? else {
        return Err(other());
    };
    let directory = end.directory(source)?;
    let named = directory
        .windows(CONFIG.len())
        .any(|name| name == CONFIG.as_bytes());
    if !named {
        return Err(other());
    }
    let what = "an archive with a configuration that readers may see differently";
    Err(Stop::Unsupported(what.to_owned()))
}

/// Walks a member; false where it is nothing that belongs to a Keras model.
fn walk_member(
    source: &dyn Source,
    member: &Member,
    left: &mut u64,
    found: &mut Found,
) -> Result<bool, Stop> {
    if member.name == CONFIG {
        let config = member.content(source, keras::MAX_CONFIG)?;
        return keras::look(&config, CONFIG, found).map(|()| true);
    }
    if member.size == 0 {
        return Ok(true);
    }
    if let Some(part) = member.part(source) {
        let head = part.read_at(0, usize::try_from(part.size().min(8)).unwrap_or(0))?;
        if hdf5::recognise(&head) {
            return walk_weights(&part, member, found).map(|()| true);
        }
    }
    let content = member.content(source, *left)?;
    *left -= member.size.max(member.stored);
    if hdf5::recognise(&content) {
        return walk_weights(&content, member, found).map(|()| true);
    }
    Ok(std::str::from_utf8(&content).is_ok_and(|text| !text.contains('\0')))
}

/// Walks a member that is HDF5, and says of each defect in which member it is.
fn walk_weights(source: &dyn Source, member: &Member, found: &mut Found) -> Result<(), Stop> {
    let mut inner = Found::default();
    let walked = hdf5::walk(source, &mut inner);
    for mut defect in inner.into_defects() {
        defect.member = Some(match defect.member {
            Some(part) => format!("{}:{part}", member.name),
            None => member.name.clone(),
        });
        found.push(defect);
    }
    walked
}
