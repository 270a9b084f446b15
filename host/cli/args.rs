//! The command line's grammar.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use modelhost::attest::Uri;
use modelhost::domain::digest::Digest;
use modelhost::domain::finding::Severity;
use modelhost::domain::plugin::PluginId;
use modelhost::record::export::Format as ExportFormat;
use modelhost::record::import::Format as ImportFormat;
use modelhost::report::Output;

/// Gates machine-learning models in CI.
///
/// Runs checks as sandboxed WebAssembly components over the files of a model,
/// and turns what they report into one decision: allow, deny or incomplete.
/// Nothing of a model or a plugin is trusted, and nothing is fetched or sent.
#[derive(Debug, Parser)]
#[command(name = "modelhost", version, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    allow
  1    deny: a finding or the policy says no
  2    usage, configuration or lock-file mistake; nothing ran
  3    incomplete: something could not be judged, and nothing denied
  4    nothing to check (--allow-empty makes it 0)
  70   a fault of modelhost or its surroundings; the decision is still printed
  130  interrupted; what was found so far is written";

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Say more on stderr: -v what happens, -vv also what plugins log.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    /// Say only the decision.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// When to use color. `auto`: on a terminal, unless NO_COLOR is set, and where
    /// FORCE_COLOR or CLICOLOR_FORCE is.
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: ColorWhen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the checks on models and decide: the gate.
    Run(RunArgs),

    /// Write modelhost.lock: the digests of every file of every model and of
    /// every plugin.
    Lock(LockArgs),

    /// Write attestations of what a run found, from its JSON report.
    Attest(AttestArgs),

    /// Hold attestations against a model: who signed, what they say, and whether
    /// the model is exactly what was attested.
    Verify(VerifyArgs),
    /// Write what is locked in the forms of other tools: SHA256SUMS, CycloneDX, a
    /// statement to sign.
    Export(ExportArgs),
    /// Write and list waivers: findings that somebody lets pass for a time.
    #[command(subcommand)]
    Waiver(crate::commands::waiver::WaiverCommand),

    /// Accept the findings of today, so that only what is new denies.
    #[command(subcommand)]
    Baseline(crate::commands::baseline::BaselineCommand),
    /// Write definitions of models.
    #[command(subcommand)]
    Model(crate::commands::model::ModelCommand),

    /// Say how two reports, lock files or folders differ, and exit with 1 if they
    /// do.
    Compare(CompareArgs),

    /// Say what a rule, or a finding, means and what to do about it.
    Explain(crate::commands::explain::ExplainArgs),

    /// Set a repository up: policy, lock file, CI.
    Init(crate::commands::init::InitArgs),

    /// Say what is missing here, and how plugins are isolated on this machine.
    Doctor(crate::commands::doctor::DoctorArgs),

    /// Pack, inspect and list plugins. Nothing of a plugin is run.
    #[command(subcommand)]
    Plugin(crate::commands::plugin::PluginCommand),

    /// Add, revoke and verify entries of the trusted registry, which models are
    /// compared with.
    #[command(subcommand)]
    Registry(crate::commands::registry::RegistryCommand),

    /// Look through the cache of compiled plugins, and clear it.
    #[command(subcommand)]
    Cache(crate::commands::cache::CacheCommand),

    /// Look through the audit log, verify that nothing of it was changed, and sign
    /// up to where it goes.
    #[command(subcommand)]
    Audit(crate::commands::audit::AuditCommand),

    /// Show when, how and by whom the pins of a model changed.
    History(crate::commands::history::HistoryArgs),

    /// Print the JSON Schema of a format.
    Schema(SchemaArgs),

    /// Compile or run plugins for the modelhost that started it, locked in.
    #[command(hide = true)]
    Worker,

    /// Print a shell's completions, to be put where that shell looks for them.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },

    /// Print a manual page, in roff, or write them all.
    Man(crate::commands::man::ManArgs),
}

/// Where the policy comes from.
#[derive(Clone, Debug, Args)]
pub(crate) struct PolicyArgs {
    /// The policy. Without it: modelhost.toml in this folder or the nearest one
    /// above it, up to the repository's root; never one beside a model.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,

    /// Use the built-in policy, whatever modelhost.toml there is.
    #[arg(long)]
    pub(crate) no_config: bool,
}

/// Which plugins take part.
#[derive(Clone, Debug, Args)]
pub(crate) struct PluginArgs {
    /// A folder whose *.wasm take part, beside the bundled plugins. May be
    /// repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) plugins: Vec<PathBuf>,

    /// Leave the bundled plugins out.
    #[arg(long)]
    pub(crate) no_bundled: bool,
}

/// Where it is recorded, and by whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct AuditArgs {
    /// Record it in this audit log, instead of the one that modelhost.toml names.
    /// It is made where it is missing.
    #[arg(long, value_name = "PATH")]
    pub(crate) audit_log: Option<PathBuf>,

    /// Where the audit log is begun: the digest of the last line of the log that it
    /// continues, as `modelhost audit verify` prints it.
    #[arg(long, value_name = "DIGEST", value_parser = Digest::from_str)]
    pub(crate) audit_continues: Option<Digest>,

    /// Who runs this, for the audit log, instead of whom CI, git or the environment
    /// name.
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IsolationWhere {
    Process,
    InProcess,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_HELP)]
pub(crate) struct RunArgs {
    /// Models: files, folders, or folders of models. Without any: the models
    /// that modelhost.toml defines, or else what is found below this folder.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) plugins: PluginArgs,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    /// Run this plugin and no other. May be repeated.
    #[arg(long, value_name = "ID", value_parser = plugin_id)]
    pub(crate) only: Vec<PluginId>,

    /// Write a report to a file or (without `=PATH`) to stdout: human, json, jsonl,
    /// html, markdown, sarif (code scanning), junit, github (annotations, with the
    /// job's summary and outputs), gitlab (code quality), cyclonedx (bill of
    /// materials) or timings. May be repeated; `human` alone without it.
    #[arg(short, long, value_name = "FORMAT[=PATH]", value_parser = Output::from_str)]
    pub(crate) output: Vec<Output>,

    /// Findings at or above this severity deny, instead of what the policy says.
    #[arg(long, value_name = "SEVERITY", value_parser = Severity::from_str)]
    pub(crate) fail_on: Option<Severity>,

    /// Hold plugins and models to modelhost.lock: a plugin that differs is a
    /// mistake (exit 2), a model that differs is denied. On by itself where CI
    /// is set and there is a lock file.
    #[arg(long, overrides_with = "no_locked")]
    pub(crate) locked: bool,

    /// Do not, even in CI.
    #[arg(long)]
    pub(crate) no_locked: bool,

    /// Scan without computing digests: the report is then bound to no particular
    /// bytes, and says so. Plugins that ask for digests (checksum, provenance) are
    /// left out; one that is required leaves the run incomplete. Not together with
    /// --locked.
    #[arg(long)]
    pub(crate) no_digests: bool,

    /// Do not read a file for its digest that looks unchanged (device, inode, size,
    /// times) since an earlier run with this option computed it. Checks still read
    /// what they look at. The report names how many, and is not attested.
    #[arg(long, conflicts_with_all = ["no_digests", "no_cache", "attest"])]
    pub(crate) trust_stat: bool,
    /// Look only at models that differ from BASE: in commits since the two parted,
    /// in the work tree, untracked, or ignored by git. Without a BASE: what the pull
    /// request or merge request is against (GitHub, GitLab, Jenkins, Azure, Bitbucket,
    /// Buildkite), else the remote's default branch. Where the policy, the lock file, a
    /// plugin, a document, the registry or the baseline differs, all models are looked
    /// at.
    #[arg(long, value_name = "BASE", num_args = 0..=1, require_equals = true)]
    pub(crate) changed: Option<Option<String>>,

    /// Judge as if there were no waivers and no baseline: what an auditor wants to
    /// see.
    #[arg(long)]
    pub(crate) no_waivers: bool,
    /// End the run before anything is hashed where a locked model has a file of another
    /// size, a git-lfs pointer in its place, or none.
    #[arg(long)]
    pub(crate) fail_fast: bool,

    /// Exit with 0 where there is nothing to check.
    #[arg(long)]
    pub(crate) allow_empty: bool,

    /// The date to judge by, such as 2026-12-31T00:00:00Z, instead of the
    /// clock's.
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    pub(crate) now: Option<u64>,

    /// How many threads work at once. Reports do not depend on it.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// How many tasks and files a run may have together. Each takes some 500
    /// bytes of memory: by default modelhost itself stays below 256 MiB.
    #[arg(long, value_name = "N", default_value_t = modelhost::gate::MAX_TASKS)]
    pub(crate) max_tasks: usize,

    /// Where plugins run: in processes of their own, locked in, or in modelhost
    /// itself, behind one wall less. Reports do not depend on it.
    #[arg(long, value_name = "WHERE", default_value = "process")]
    pub(crate) isolation: IsolationWhere,

    /// Run no plugin where this system lacks a part of the wall around a process:
    /// exit with 70 instead of warning.
    #[arg(long)]
    pub(crate) require_isolation: bool,

    /// Compile every plugin anew, and keep nothing.
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Show no progress bar.
    #[arg(long)]
    pub(crate) no_progress: bool,

    /// Write attestations of the decision to this file: two lines for each model, a
    /// SLSA verification summary and a simple verification result, signed where
    /// there is a key. Unless the decision is allow, they say so too: FAILED.
    #[arg(long, value_name = "PATH", conflicts_with = "no_digests")]
    pub(crate) attest: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) signing: SigningArgs,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

/// How attestations are signed, and what they name.
#[derive(Clone, Debug, Args)]
pub(crate) struct SigningArgs {
    /// Sign with this key: PKCS#8 in PEM, on P-256 or P-384, not encrypted. Without
    /// it: the one that the environment variable MODELHOST_SIGNING_KEY holds, or
    /// else nothing is signed.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Who verifies, in the attestation, such as the URI of the workflow. Without
    /// it: urn:modelhost:gate:VERSION.
    #[arg(long, value_name = "URI", value_parser = Uri::from_str)]
    pub(crate) verifier_id: Option<Uri>,

    /// What the one model is fetched or deployed as, in the attestation, such as
    /// oci:registry.example.org/bert. Without it: urn:modelhost:model:NAME.
    #[arg(long, value_name = "URI", value_parser = Uri::from_str)]
    pub(crate) resource_uri: Option<Uri>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A report says what its run found, and anybody can write a report: attest one that
you made, or got from where you trust. `run --attest` writes the same bytes; where it
records in an audit log, those of --audit-head.

Examples:
  modelhost attest report.json                      the unsigned statements, on stdout
  modelhost attest report.json --key key.pem -o bert.attest.jsonl
  modelhost attest report.json --key key.pem --only vsa -o models/bert/vsa.sigstore.json

A key: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
and its public half: openssl pkey -in key.pem -pubout -out pub.pem")]
pub(crate) struct AttestArgs {
    /// The JSON report of a run, as `run -o json=PATH` wrote it.
    #[arg(value_name = "REPORT")]
    pub(crate) report: PathBuf,

    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    /// Write this kind of statement alone: of one model it is then one bundle.
    #[arg(long, value_name = "KIND")]
    pub(crate) only: Option<StatementKind>,

    /// The digest of the audit log's last record, to be attested with the rest.
    #[arg(long, value_name = "DIGEST", value_parser = Digest::from_str)]
    pub(crate) audit_head: Option<Digest>,

    #[command(flatten)]
    pub(crate) signing: SigningArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatementKind {
    /// The SLSA verification summary.
    Vsa,
    /// The simple verification result.
    Svr,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  modelhost verify bert.attest.jsonl models/bert --key pub.pem
  modelhost verify bert.attest.jsonl models/bert --key pub.pem --max-age 30d \\
    --verifier-id https://ci.example.org/gate --resource-uri oci:registry.example.org/bert

Exit codes: 0 the model is what was attested, and the gate allowed it; 1 it is not,
or nobody whose word counts says so; 2 mistake, such as a file that isn't there.")]
pub(crate) struct VerifyArgs {
    /// The file of attestations. It may stand in the model's folder.
    #[arg(value_name = "BUNDLE")]
    pub(crate) bundle: PathBuf,

    /// The model: its folder, or its one file. All that is there has to be attested.
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,

    /// The public key of the signer, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,

    /// Who has to have verified. Without it: modelhost, whatever version.
    #[arg(long, value_name = "URI", value_parser = Uri::from_str)]
    pub(crate) verifier_id: Option<Uri>,

    /// What the model has to be attested as. Without it: anything.
    #[arg(long, value_name = "URI", value_parser = Uri::from_str)]
    pub(crate) resource_uri: Option<Uri>,

    /// A level that has to be named, such as MODELHOST_PINNED, MODELHOST_LICENSE_OK
    /// or MODELHOST_SIGNED: the gate allowed, and the check of that had nothing to
    /// say. May be repeated.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Vec<String>,

    /// How long ago the model may have been verified, such as 12h or 30d. Without
    /// it: however long.
    #[arg(long, value_name = "AGE", value_parser = crate::commands::cache::age)]
    pub(crate) max_age: Option<Duration>,

    /// The date to judge by, instead of the clock's.
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    pub(crate) now: Option<u64>,
}

const RUN_HELP: &str = "\
Examples:
  modelhost run                          what modelhost.toml defines, or what is found here
  modelhost run models/bert              one model
  modelhost run --plugins ./plugins      with the checks in ./plugins beside the bundled ones
  modelhost run -o human -o json=report.json -o html=report.html
  modelhost run -o github -o sarif=modelhost.sarif    in a step of GitHub Actions
  modelhost run --only pickle --no-digests model.pt    a quick look at one download

Exit codes: 0 allow, 1 deny, 2 mistake (nothing ran), 3 incomplete, 4 nothing to
check, 70 fault, 130 interrupted.";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  modelhost lock                  lock every model and plugin
  modelhost lock models/bert      lock this model anew, keep the rest
  modelhost lock --check          say what differs, and write nothing
  modelhost lock --from ~/.cache/huggingface/hub/models--org--name
                                  lock a model after holding each of its files
                                  against what its source says
  modelhost lock models/bert --from SHA256SUMS
  modelhost lock --tensors        note the digest over each model's tensors, too

What differs is said before anything is written: + new, - gone, ~ changed. No other
command writes modelhost.lock. What an entry notes beside digests is kept: what the
definition states anew, else what was there.")]
pub(crate) struct LockArgs {
    /// Models to lock anew; the others stay as they are. Without any: all.
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<PathBuf>,

    /// Write nothing; exit with 1 where the lock file differs from what is here.
    #[arg(long)]
    pub(crate) check: bool,

    /// Lock one model (MODEL, or else the one at PATH) after holding each of its
    /// files against what other tools wrote down about it at PATH. Where any file
    /// differs, is missing or is not claimed, say which and write nothing (exit 1).
    #[arg(long, value_name = "PATH")]
    pub(crate) from: Option<PathBuf>,

    /// The form of what is at PATH: hf-cache, hf-folder, git-lfs, dvc, sums, oms,
    /// oci or ollama. Without it, told by what is there.
    #[arg(long, value_name = "FORMAT", requires = "from", value_parser = ImportFormat::from_str)]
    pub(crate) format: Option<ImportFormat>,

    /// Note the BLAKE3 of each file as well. Kept for a model that has it.
    #[arg(long)]
    pub(crate) blake3: bool,

    /// Note digests of the parts of files above 1 MiB, so that a difference can be
    /// narrowed to a range of bytes. Kept for a model that has them.
    #[arg(long)]
    pub(crate) parts: bool,

    /// Note the digest over the tensors of each model (safetensors, GGUF), which
    /// stays when weights are put into other files. Reads and hashes the weights a
    /// second time; kept for a model that has it, and made anew when it changed.
    #[arg(long)]
    pub(crate) tensors: bool,

    /// Note what a run concluded of these models, from its JSON report: the license,
    /// unless the definition states one, and who signed. Of a model with other files
    /// than the run saw, nothing is noted. A note goes when the files change.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Lock the trusted registry that is here even where an edition with a higher
    /// sequence is locked.
    #[arg(long)]
    pub(crate) allow_registry_rollback: bool,

    #[command(flatten)]
    pub(crate) plugins: PluginArgs,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Formats:
  sha256sums   what `sha256sum -c` checks; of one model, from its folder
  cyclonedx    a bill of materials, CycloneDX 1.6 in JSON
  oms          the statement of an OpenSSF model signature, not signed yet

Examples:
  modelhost export sha256sums models/bert -o models/bert/SHA256SUMS
  modelhost export cyclonedx -o bom.json
  modelhost export oms models/bert -o statement.json")]
pub(crate) struct ExportArgs {
    /// The form: sha256sums, cyclonedx or oms.
    #[arg(value_parser = ExportFormat::from_str)]
    pub(crate) format: ExportFormat,

    /// Locked models, by name or path. Without any: all.
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,

    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    /// The time that a bill of materials states; without it, it states none, and
    /// the same lock makes the same bytes.
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    pub(crate) now: Option<u64>,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  modelhost compare tested.json staging.json     did staging run what was tested?
  modelhost compare old.lock modelhost.lock      what changed in the pins
  modelhost compare models/v1 models/v2          which files and tensors differ
  modelhost compare modelhost.lock models/bert --model bert

What each is, its content tells. Of two reports, what the runs were held to is
compared: models, plugins and their limits, policy, lock file, the decision; not
when they ran and what they found. A report, a lock file and a folder are compared
by what both speak of.

Exit codes: 0 the same, 1 they differ, 2 they can't be compared.")]
pub(crate) struct CompareArgs {
    /// A JSON report, a lock file, or the folder or file of a model.
    pub(crate) old: PathBuf,

    /// Another.
    pub(crate) new: PathBuf,

    /// Compare this model alone.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// Print the differences as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Which.
    pub(crate) name: SchemaName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// modelhost.toml.
    Config,
    /// The JSON report, `-o json`.
    Report,
    /// A line of the report as events, `-o jsonl`.
    Events,
    /// Times and cache hits, `-o timings`.
    Timings,
    /// What plugins are, `plugin inspect --json` and `plugin list --json`.
    Plugins,
    /// What is in the cache, `cache stat --json` and `cache prune --json`.
    Cache,
    /// One record of the audit log, a line of it.
    Audit,
    /// How a model's pins changed, `history --json`.
    History,
    /// How two states differ, `compare --json`.
    Compare,
    /// Rules and findings, `explain --format json`.
    Explain,
    /// What is here and what is missing, `doctor --json`.
    Doctor,
    /// What became of each waiver, `waiver list --json`.
    Waivers,
    /// How the baseline differs from what is found, `baseline check --json`.
    Baseline,
}

fn plugin_id(text: &str) -> Result<PluginId, String> {
    PluginId::new(text).map_err(|error| error.to_string())
}

/// Parses a point in time, or a date for its first moment, UTC.
pub(crate) fn timestamp(text: &str) -> Result<u64, String> {
    let parsed = text.parse::<jiff::Timestamp>().ok();
    let parsed = parsed.or_else(|| format!("{text}T00:00:00Z").parse().ok());
    let seconds = parsed.map(jiff::Timestamp::as_second);
    let seconds =
        seconds.ok_or("write a time such as 2026-12-31T00:00:00Z, or a date such as 2026-12-31")?;
    u64::try_from(seconds).map_err(|_| "it lies before 1970".to_owned())
}
