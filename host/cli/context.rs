//! What a command finds around it: the policy, the lock file, the cache, the
//! time. The one place that reads the environment.
//!
//! Leaves what they mean to the library.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use etcetera::BaseStrategy as _;
use modelhost::config::{self, Config, ConfigError};
use modelhost::domain::diagnostic::SourceFile;
use modelhost::domain::waiver::Baseline;
use modelhost::engine::Cache;
use modelhost::gate::GateError;
use modelhost::record::baseline::{self, BaselineError};
use modelhost::record::lock::{self, LockFile};

use modelhost::report::Roots;
use zeroize::Zeroizing;

use crate::args::PolicyArgs;

/// Where compiled components are kept, instead of the user's cache folder.
const CACHE_DIR: &str = "MODELHOST_CACHE_DIR";

/// A secret to sign compiled components with, instead of the user's own key, so
/// that machines that share it can share a cache.
const CACHE_KEY: &str = "MODELHOST_CACHE_KEY";

/// The environment variable that holds a key to sign attestations with, in PEM.
const SIGNING_KEY: &str = "MODELHOST_SIGNING_KEY";

/// How many files a command takes in that runs no tasks, on what is the operator's
/// own: only an end to what is endless.
pub(crate) const ENDLESS: usize = 10_000_000;

/// What a command finds around it.
pub(crate) struct Context {
    /// The working directory.
    pub(crate) working_dir: PathBuf,
    /// The policy; none where there is no file, or none is wanted.
    pub(crate) config: Option<Config>,
    /// The lock file.
    pub(crate) lock: Option<(SourceFile, LockFile)>,
    /// The folder the lock file is in, or would be written to.
    pub(crate) root: PathBuf,
}

impl Context {
    /// Looks around: for `modelhost.toml` from the working directory upwards to
    /// the repository's root, and for `modelhost.lock` beside it, or else in the
    /// same way.
    pub(crate) fn find(args: &PolicyArgs) -> anyhow::Result<Self> {
        let working_dir = working_dir()?;
        let config = config_file(&working_dir, args)?;
        let config = config.map(|path| config::load(&path)).transpose()?;
        let root = match &config {
            Some(config) => config.root.clone(),
            None => config::find(&working_dir, lock::NAME)?
                .and_then(|path| path.parent().map(Path::to_owned))
                .unwrap_or_else(|| working_dir.clone()),
        };
        let lock = lock::read(&root.join(lock::NAME))?;
        Ok(Self { working_dir, config, lock, root })
    }

    /// Returns where the policy is, or would be.
    pub(crate) fn config_path(&self, args: &PolicyArgs) -> PathBuf {
        let named = args.config.as_ref().map(|path| self.working_dir.join(path));
        named.unwrap_or_else(|| self.root.join(config::NAME))
    }

    /// Returns where the baseline is, or would be, and its path as shown.
    pub(crate) fn baseline_path(&self) -> (PathBuf, String) {
        let named = self.config.as_ref().and_then(|config| config.baseline.as_ref());
        let path = named.map_or(Path::new(baseline::NAME), |(path, _)| path);
        (self.root.join(path), path.display().to_string())
    }

    /// Reads the baseline. One that the policy names must be there.
    pub(crate) fn baseline(&self) -> anyhow::Result<Option<(SourceFile, Baseline)>> {
        let found = self.written_baseline()?;
        match self.config.as_ref().filter(|config| config.baseline.is_some()) {
            Some(config) if found.is_none() => {
                let mistake = config
                    .baseline_mistake("there is no such file")
                    .with_help("write it with `modelhost baseline write`, or take the line out");
                Err(GateError::Mistakes(vec![mistake]).into())
            }
            _ => Ok(found),
        }
    }

    /// Reads the baseline, if it is there.
    pub(crate) fn written_baseline(&self) -> anyhow::Result<Option<(SourceFile, Baseline)>> {
        let (path, shown) = self.baseline_path();
        baseline::read(&path, &shown).map_err(|error| match error {
            BaselineError::Mistake(mistake) => GateError::Mistakes(vec![*mistake]).into(),
            error => error.into(),
        })
    }
}

/// Returns where `path` really is; itself where nothing is there.
#[expect(clippy::disallowed_methods, reason = "the operator's own file is replaced where it is")]
pub(crate) fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns the file of the policy; none where there is none, or none is wanted.
fn config_file(working_dir: &Path, args: &PolicyArgs) -> Result<Option<PathBuf>, ConfigError> {
    match (&args.config, args.no_config) {
        (Some(path), _) => Ok(Some(working_dir.join(path))),
        (None, true) => Ok(None),
        (None, false) => config::find(working_dir, config::NAME),
    }
}

/// Returns where the paths of a report start that is about no more than what stands in
/// the policy and the lock file: these may have mistakes in them.
pub(crate) fn roots_of(args: &PolicyArgs) -> Roots {
    let Ok(working_dir) = working_dir() else { return Roots::default() };
    let file = config_file(&working_dir, args).ok().flatten();
    let file = file.or_else(|| config::find(&working_dir, lock::NAME).ok().flatten());
    let folder = file.as_deref().and_then(Path::parent);
    roots(&working_dir, folder.unwrap_or(&working_dir))
}

/// Returns where the paths of a report start: in the repository that the run began in,
/// at `working_dir`, else in `policy`, the folder of the policy.
pub(crate) fn roots(working_dir: &Path, policy: &Path) -> Roots {
    let (working, policy) = (real(working_dir), real(policy));
    let top = config::repository(&working).ok().flatten();
    let top = top.unwrap_or_else(|| {
        if working.starts_with(&policy) { policy.clone() } else { working.clone() }
    });
    let below = |path: &Path| {
        let below = path.strip_prefix(&top).unwrap_or(Path::new(""));
        below.to_string_lossy().into_owned()
    };
    Roots {
        policy: below(&policy),
        working: below(&working),
        top: Some(top.to_string_lossy().into_owned()),
    }
}

/// Opens the cache of compiled components, if there can be one.
pub(crate) fn cache() -> Option<Cache> {
    let opened = match (cache_folder(), variable(CACHE_KEY)) {
        (Some(folder), Some(secret)) => Cache::with_secret(&folder, secret.as_encoded_bytes()),
        (Some(folder), None) => Cache::open(&folder, &key_file()?),
        (None, _) => return None,
    };
    opened
        .map_err(|error| {
            tracing::warn!("no cache of compiled plugins: {:#}", anyhow::Error::new(error))
        })
        .ok()
}

/// Returns the folder of compiled components, if there can be one.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let own = variable(CACHE_DIR).map(PathBuf::from);
    let folder =
        own.or_else(|| Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("modelhost")))?;
    Some(folder.join("compiled"))
}

/// Says what the cache of compiled components is signed with.
pub(crate) fn cache_key() -> String {
    match (variable(CACHE_KEY), key_file()) {
        (Some(_), _) => format!("the secret in {CACHE_KEY}"),
        (None, Some(file)) => file.display().to_string(),
        (None, None) => "nothing".to_owned(),
    }
}

fn key_file() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    let folder = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Some(folder.join("modelhost").join("cache.key"))
}

/// Makes a file that may not grow any more an error of whoever writes it, as a
/// full disk is, where it would end the process. Called within a runtime.
pub(crate) fn outlive_file_limits() {
    use tokio::signal::unix::{SignalKind, signal};
    // Once it was asked for, the signal does nothing else for good.
    let signal = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    if let Err(error) = signal {
        tracing::warn!("a bound on the size of files may end this process: {error}");
    }
}

/// Returns the key to sign attestations with that the environment holds. It is wiped
/// from memory when it is dropped; no process that modelhost starts has it.
pub(crate) fn signing_key() -> anyhow::Result<Option<Zeroizing<String>>> {
    let Some(value) = variable(SIGNING_KEY) else { return Ok(None) };
    match value.into_string() {
        Ok(key) => Ok(Some(Zeroizing::new(key))),
        Err(_) => anyhow::bail!("{SIGNING_KEY} holds no text, and so no key in PEM"),
    }
}

/// Returns whether this is a CI run, as CI systems say.
pub(crate) fn is_ci() -> bool {
    variable("CI").is_some_and(|value| value != "false" && value != "0")
}

/// Returns the number of processors.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns the time, in seconds since 1970-01-01T00:00:00Z.
#[expect(clippy::disallowed_methods, reason = "the run's one time is read here, once")]
pub(crate) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Returns the text of a variable of the environment; none where it is not set, is
/// empty or no text.
pub(crate) fn text(name: &str) -> Option<String> {
    variable(name)?.into_string().ok()
}

#[expect(clippy::disallowed_methods, reason = "the environment is read here alone")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns the working directory.
#[expect(clippy::disallowed_methods, reason = "the working directory is read here alone")]
pub(crate) fn working_dir() -> anyhow::Result<PathBuf> {
    std::env::current_dir().context("the working directory can't be read")
}
