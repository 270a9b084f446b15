//! What goes to stderr: lines, and errors with their cause and the way out.
//!
//! Leaves mistakes in a file's text to `render`, and reports to the library.

use std::io::{self, Write as _};

use modelhost::domain::report::{Cause, NotRun};
use modelhost::domain::text::GuestText;
use modelhost::gate::GateError;
use modelhost::plugin::PluginError;
use modelhost::record::audit::AppendError;
use modelhost::record::lock::LockError;
use modelhost::record::registry::RegistryError;

use crate::args::{ColorWhen, GlobalArgs};
use crate::context;
use crate::exit::Exit;
use crate::render;

/// Returns whether a stream gets colors.
pub(crate) fn has_color(global: &GlobalArgs, stream: &impl anstream::stream::RawStream) -> bool {
    match global.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => match is_forced() {
            Some(forced) => forced,
            None => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
        },
    }
}

/// Returns what `FORCE_COLOR` says, which `anstream` does not know: a level, of which 0
/// is none. `NO_COLOR` goes before it.
fn is_forced() -> Option<bool> {
    let level = context::variable("FORCE_COLOR")?;
    let is_none = level == "0" || level == "false";
    Some(!is_none && context::variable("NO_COLOR").is_none())
}

/// Says one line. Where nobody reads it, there is nobody to tell.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says why a command did not do its work, and returns what it exits with.
pub(crate) fn error(error: &anyhow::Error, global: &GlobalArgs) -> Exit {
    let mut stderr = io::stderr().lock();
    let color = has_color(global, &stderr);
    // Where nobody reads stderr, there is nobody to tell.
    let _ = render::error(error, color, &mut stderr);
    drop(stderr);
    if let Some(help) = help(error) {
        line(&format!("  = help: {}", GuestText::capped(&help)));
    }
    exit(error)
}

/// Returns the same for a report: what kept a run from starting.
pub(crate) fn not_run(error: &anyhow::Error) -> Vec<NotRun> {
    let cause = match exit(error) {
        Exit::Nothing => Cause::Nothing,
        Exit::Fault => Cause::Fault,
        _ => Cause::Mistake,
    };
    let inert = |text: &str| GuestText::capped(text);
    match render::mistakes(error) {
        Some(mistakes) => mistakes
            .iter()
            .map(|mistake| NotRun {
                cause,
                message: inert(&mistake.message),
                at: Some((inert(&mistake.file.path), mistake.line())),
                help: mistake.help.as_deref().map(inert),
            })
            .collect(),
        None => {
            let help = help(error).as_deref().map(inert);
            vec![NotRun { cause, message: render::causes(error), at: None, help }]
        }
    }
}

fn help(error: &anyhow::Error) -> Option<String> {
    if let Some(error) = error.downcast_ref::<AppendError>() {
        return error.help().map(str::to_owned);
    }
    match (error.downcast_ref(), error.downcast_ref::<PluginError>()) {
        (Some(GateError::Usage { help, .. }), _) => help.clone(),
        (Some(GateError::Plugin(error)), _) | (_, Some(error)) => error.help(),
        (Some(GateError::Import { source, .. }), _) => Some(source.help()),
        (Some(GateError::Nothing(_)), _) => Some(
            "name a model, or define models in modelhost.toml; --allow-empty exits with 0"
                .to_owned(),
        ),
        _ => None,
    }
}

fn exit(error: &anyhow::Error) -> Exit {
    match error.downcast_ref() {
        Some(GateError::Nothing(_)) => Exit::Nothing,
        Some(GateError::Engine(_) | GateError::Execute(_) | GateError::Isolation(_)) => Exit::Fault,
        _ if matches!(error.downcast_ref(), Some(LockError::NotWritten { .. })) => Exit::Fault,
        _ if error.downcast_ref::<AppendError>().is_some() => Exit::Fault,
        _ if matches!(error.downcast_ref(), Some(RegistryError::NotWritten { .. })) => Exit::Fault,
        _ => Exit::Usage,
    }
}
