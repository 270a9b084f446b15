//! `modelhost export`: what is locked, in the forms of other tools.
//!
//! Leaves the forms to the library.

use anyhow::bail;
use modelhost::config::Config;
use modelhost::domain::model::ModelName;
use modelhost::domain::text::GuestText;
use modelhost::record::export::{self, Exported};
use modelhost::report::output;

use crate::args::ExportArgs;
use crate::commands::print;
use crate::context::Context;
use crate::exit::Exit;
use crate::say;

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.policy)?;
    let Some((_, lock)) = &context.lock else {
        bail!("there is no modelhost.lock here: run `modelhost lock` first");
    };
    let config = context.config.as_ref();
    let mut wanted = Vec::new();
    for asked in &args.models {
        let found = lock.models.keys().find(|name| is_meant(asked, name, config));
        match found {
            Some(name) if wanted.contains(name) => {}
            Some(name) => wanted.push(name.clone()),
            None => bail!("no model `{}` is locked", GuestText::capped(asked)),
        }
    }
    let is_wanted = |name: &ModelName| args.models.is_empty() || wanted.contains(name);
    let models = lock.models.iter().filter(|(name, _)| is_wanted(name));
    let definition = |name: &ModelName| {
        config.and_then(|config| config.models.iter().find(|model| model.name == *name))
    };
    let places: Vec<String> = models
        .clone()
        .map(|(name, _)| match definition(name) {
            Some(model) => model.path.to_string_lossy().into_owned(),
            None => name.to_string(),
        })
        .collect();
    let exported: Vec<Exported<'_>> = models
        .zip(&places)
        .map(|((name, entry), place)| Exported {
            name,
            place,
            entry,
            license: definition(name).and_then(|model| model.definition.license.as_deref()),
        })
        .collect();
    if exported.is_empty() {
        bail!("no model is locked: run `modelhost lock` first");
    }
    let when = args.now.map(time).transpose()?;
    let bytes = export::write(args.format, &exported, when.as_deref())?;
    match &args.output {
        None => print(&bytes),
        Some(path) => {
            let path = context.working_dir.join(path);
            match output::replace(&path, |out| out.write_all(&bytes)) {
                Ok(()) => Ok(Exit::Allow),
                Err(error) => {
                    say::line(&format!("error: can't write {}: {error}", path.display()));
                    Ok(Exit::Fault)
                }
            }
        }
    }
}

/// Whether `asked` is the locked model `name`: its name, or its path.
fn is_meant(asked: &str, name: &ModelName, config: Option<&Config>) -> bool {
    let path = asked.strip_prefix("./").unwrap_or(asked).trim_end_matches('/');
    let is_path_of = |config: &Config| {
        config.models.iter().any(|model| model.name == *name && model.path.as_os_str() == path)
    };
    name.as_str() == asked || name.as_str() == path || config.is_some_and(is_path_of)
}

/// Writes a time as RFC 3339 does.
fn time(seconds: u64) -> anyhow::Result<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds)?)?;
    Ok(time.to_string())
}
