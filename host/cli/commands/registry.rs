//! `modelhost registry`: add, revoke, seal, verify.
//!
//! Leaves the registry itself to the library.

mod add;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use modelhost::domain::digest::Digest;
use modelhost::domain::model::ModelName;
use modelhost::domain::registry::Standing;
use modelhost::domain::text::GuestText;
use modelhost::gate;
use modelhost::record::registry::edit::{self, Change, Changed};
use modelhost::record::registry::{self as record, Demands, Key, Signer};

use crate::args::{GlobalArgs, PolicyArgs};
use crate::context::{self, Context};
use crate::exit::Exit;
use crate::say;

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    Add(add::AddArgs),
    Revoke(RevokeArgs),
    Seal(SealArgs),
    Verify(VerifyArgs),
}

/// Which registry.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhichArgs {
    /// The registry's folder. Without it: the one of [registry] in modelhost.toml.
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// How a change is written.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Sign the set with this private key: EC on P-256, PKCS#8 in PEM. Without it a set
    /// that was signed no longer is.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// The day that is written down is that of this time, not of now.
    #[arg(long, value_name = "TIME", value_parser = crate::args::timestamp)]
    pub(crate) now: Option<u64>,

    #[command(flatten)]
    pub(crate) which: WhichArgs,
}

/// Revoke an entry, so that no run takes its model for trusted any more.
///
/// With --superseded-by the entry is superseded instead: a run warns, and names the
/// entry to use.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The name of the entry.
    #[arg(value_name = "NAME")]
    name: String,

    /// Why. Whoever is stopped by it will read it.
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// The tree digest that is revoked. It must be the entry's; where there is no entry,
    /// one is made that revokes this digest.
    #[arg(long, value_name = "SHA256")]
    digest: Option<Digest>,

    /// The entry that takes its place.
    #[arg(long, value_name = "NAME")]
    superseded_by: Option<String>,

    /// Who revokes it. Without it the entry's reviewer stays.
    #[arg(long, value_name = "WHO")]
    reviewer: Option<String>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Take the entries as they are into the set, after they were changed by hand, and
/// sign it.
///
/// Where nothing was changed, the set keeps its sequence and is signed alone.
#[derive(Debug, Args)]
#[command(visible_alias = "sign")]
pub(crate) struct SealArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

/// Read the registry as a run does, and say what is wrong with it, or what it is.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Public keys in PEM of which one must have signed the set, beside those that
    /// the policy pins. May be repeated.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,

    #[command(flatten)]
    which: WhichArgs,
}

pub(crate) fn run(command: RegistryCommand, global: &GlobalArgs) -> anyhow::Result<Exit> {
    match command {
        RegistryCommand::Add(args) => add::run(args, global),
        RegistryCommand::Revoke(args) => {
            let change = Change::Revoke {
                name: ModelName::new(&args.name),
                reason: args.reason,
                digest: args.digest,
                superseded_by: args.superseded_by.as_deref().map(ModelName::new),
                reviewer: args.reviewer,
            };
            let context = Context::find(&args.change.which.policy)?;
            apply(&context, change, &args.change, global)
        }
        RegistryCommand::Seal(args) => {
            let context = Context::find(&args.change.which.policy)?;
            apply(&context, Change::Seal, &args.change, global)
        }
        RegistryCommand::Verify(args) => verify(&args, global),
    }
}

/// Returns the folder of the registry, and its path as shown to a person.
fn folder(context: &Context, which: &WhichArgs) -> anyhow::Result<(PathBuf, String)> {
    if let Some(typed) = &which.registry {
        return Ok((context.working_dir.join(typed), typed.display().to_string()));
    }
    let Some(config) = &context.config else {
        anyhow::bail!(
            "there is no modelhost.toml that names a registry; name its folder with --registry DIR"
        );
    };
    let Some(registry) = &config.registry else {
        anyhow::bail!(
            "modelhost.toml names no registry: add `[registry] path = \"registry/\"`, or name a folder with --registry DIR"
        );
    };
    Ok((config.root.join(&registry.path), registry.path.display().to_string()))
}

/// Makes `change`, and says what was changed.
fn apply(
    context: &Context,
    change: Change,
    args: &ChangeArgs,
    global: &GlobalArgs,
) -> anyhow::Result<Exit> {
    let (path, shown) = folder(context, &args.which)?;
    let signer = match &args.key {
        Some(key) => {
            let pem = read(&context.working_dir.join(key))?;
            Some(
                Signer::from_pem(&pem)
                    .with_context(|| format!("{} is no key to sign with", key.display()))?,
            )
        }
        None => None,
    };
    let today = day(args.now.unwrap_or_else(context::now))?;
    let changed = edit::change(&path, &shown, change, &today, signer.as_ref())?;
    if !global.quiet {
        tell(&changed, &shown, context);
    }
    Ok(Exit::Allow)
}

fn tell(changed: &Changed, shown: &str, context: &Context) {
    for line in &changed.lines {
        say::line(GuestText::capped(line).as_str());
    }
    let Changed { sequence, digest, .. } = changed;
    let word = if changed.lines.is_empty() { "is up to date" } else { "was written" };
    say::line(&format!("{shown} {word}: sequence {sequence}, {digest}"));
    let configured = context.config.as_ref().and_then(|config| config.registry.as_ref());
    let Some(configured) = configured else { return };
    if !configured.keys.is_empty() && changed.signed_by.is_none() && !changed.lines.is_empty() {
        say::line(
            "  = help: the policy asks for a signature: run `modelhost registry seal --key KEY`",
        );
    }
    if configured.pin.is_some_and(|pin| pin != *digest) {
        say::line(&format!(
            "  = help: the policy pins another set: write `pin = \"{digest}\"` in [registry]"
        ));
    }
}

fn verify(args: &VerifyArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.which.policy)?;
    let (path, shown) = folder(&context, &args.which)?;
    let configured = context.config.as_ref().filter(|_| args.which.registry.is_none());
    let mut demands =
        match configured.and_then(|config| config.registry.as_ref().map(|it| (config, it))) {
            Some((config, registry)) => gate::demands(config, registry)?,
            None => Demands::default(),
        };
    for key in &args.key {
        let pem = read(&context.working_dir.join(key))?;
        let key = Key::from_pem(&pem)
            .with_context(|| format!("{} is no key to verify with", key.display()))?;
        demands.keys.push(key);
    }
    let read = record::read(&path, &shown)?;
    let signers = read.signed_by()?;
    let registry = read.hold_to(&demands)?;
    if global.quiet {
        return Ok(Exit::Allow);
    }
    let mut out = format!(
        "{shown}: sequence {}, {}\n{} entries",
        registry.set.sequence,
        registry.set.digest,
        registry.entries.len()
    );
    for standing in Standing::ALL {
        let count = registry.entries.iter().filter(|entry| entry.standing == standing).count();
        out.push_str(&format!(", {count} {}", standing.word()));
    }
    let signed = match (registry.set.signed, signers.as_slice()) {
        (true, _) => "signed by a pinned key".to_owned(),
        (false, []) => "not signed".to_owned(),
        (false, signers) => {
            let signers = signers.join(", ");
            let signers = GuestText::capped(&signers);
            format!(
                "says it is signed by {signers}, which nothing was verified of: name a key with --key"
            )
        }
    };
    out.push_str(&format!("\n{signed}\n"));
    super::print(out.as_bytes())
}

/// Returns the day of the time `now`, such as `2026-07-24`.
fn day(now: u64) -> anyhow::Result<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(now)?)?;
    Ok(jiff::tz::Offset::UTC.to_datetime(time).date().to_string())
}

/// Reads the text of a key.
fn read(path: &Path) -> anyhow::Result<String> {
    const MAX_KEY: u64 = 64 << 10;
    let bytes = modelhost::model::read_document(path, MAX_KEY)?;
    String::from_utf8(bytes).with_context(|| format!("{} is no text", path.display()))
}
