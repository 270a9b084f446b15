//! `modelhost run`: the gate.
//!
//! Leaves the run to the library, and drawing to `render` and `report`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use modelhost::config;
use modelhost::domain::decision::Decision;
use modelhost::domain::event::EventSink;
use modelhost::domain::report::{Report, Timings};
use modelhost::domain::text::GuestText;
use modelhost::gate::{self, Changed, Gate};
use modelhost::record::{audit, lock};
use modelhost::report::{self, Format, ModelHistory, Output, Roots, Style, Verbosity};
use modelhost::worker::{Program, Workers};

use crate::args::{GlobalArgs, IsolationWhere, RunArgs};
use crate::audit_log::AuditLog;
use crate::changed::{self, Scope};
use crate::commands::attest::Attesting;
use crate::commands::history;
use crate::context::{self, Context};
use crate::exit::Exit;
use crate::github;
use crate::progress::Progress;
use crate::say;

pub(crate) fn run(args: RunArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let asked = (args.output.clone(), args.allow_empty, args.now, args.policy.clone());
    let error = match gate(args, global) {
        Ok(exit) => return Ok(exit),
        Err(error) => error,
    };
    // Nothing ran. Whoever reads reports alone is to learn of it as well.
    let (mut outputs, may_be_nothing, now, policy) = asked;
    let why = say::not_run(&error);
    let report = gate::unrun(now.unwrap_or_else(context::now), why, may_be_nothing);
    let exit = match report.decision {
        Decision::Allow => Exit::Allow,
        _ => {
            let exit = say::error(&error, global);
            // A person was told on stderr, with the line it is in.
            let is_told = |output: &Output| *output == Output::stdout(Format::Human);
            outputs.retain(|output| !is_told(output));
            if outputs.is_empty() {
                return Ok(exit);
            }
            exit
        }
    };
    let roots = context::roots_of(&policy);
    let written = write(&report, &Timings::default(), outputs, global, roots, Vec::new(), exit);
    // What is to be mended first is the mistake.
    Ok(if exit == Exit::Usage { exit } else { written })
}

/// Runs the gate, and writes the reports that were asked for.
fn gate(args: RunArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.policy)?;
    let baseline = context.baseline()?;
    let locked = args.locked || (!args.no_locked && context::is_ci() && context.lock.is_some());
    if args.locked && context.lock.is_none() {
        anyhow::bail!(
            "--locked needs a lock file, and there is none; write it with `modelhost lock`"
        );
    }
    let changed = match &args.changed {
        Some(base) => scope(base.as_deref(), &context, &args, global)?,
        None => None,
    };
    let signing = args.signing;
    let attesting = match args.attest {
        Some(path) => Some(Attesting::new(path, signing)?),
        None if signing.key.is_some()
            || signing.verifier_id.is_some()
            || signing.resource_uri.is_some() =>
        {
            anyhow::bail!(
                "--key, --verifier-id and --resource-uri are about attestations; name a file for \
                 them with --attest PATH"
            )
        }
        None => None,
    };
    if args.isolation == IsolationWhere::InProcess
        && attesting.as_ref().is_some_and(Attesting::has_key)
    {
        anyhow::bail!(
            "with --isolation in-process, plugins would run in the process that has the signing \
             key; write the JSON report, and sign with `modelhost attest`"
        );
    }
    let audit = AuditLog::of(&args.audit, &context);
    let roots = context::roots(&context.working_dir, &context.root);
    let lock_file = context.root.join(lock::NAME);
    let progress = Arc::new(Progress::new(!args.no_progress && !global.quiet));
    let interrupted = Arc::new(AtomicBool::new(false));
    let gate = Gate {
        paths: args.paths,
        changed,
        config: context.config,
        lock: context.lock,
        root: context.root,
        baseline,
        exceptions: !args.no_waivers,
        locked,
        bundled: !args.plugins.no_bundled,
        folders: args.plugins.plugins,
        only: args.only.into_iter().collect(),
        digests: !args.no_digests,
        trust_stat: args.trust_stat,
        max_tasks: args.max_tasks,
        jobs: args.jobs.map_or_else(context::processors, usize::from),
        cache: if args.no_cache { None } else { context::cache() },
        sink: Arc::clone(&progress) as Arc<dyn EventSink>,
        interrupted: Arc::clone(&interrupted),
        fail_fast: args.fail_fast,
        fail_on: args.fail_on,
        workers: workers(args.isolation, args.require_isolation)?,
        ..Gate::new(context.working_dir, args.now.unwrap_or_else(context::now))
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let result = runtime.block_on(async {
        context::outlive_file_limits();
        tokio::spawn(stop_on_signal(Arc::clone(&interrupted)));
        gate.run().await
    });
    progress.clear();
    // A thread that waits for a signal needn't be waited for.
    runtime.shutdown_background();
    let (report, timings) = result?;
    if timings.isolation.contains("without") {
        tracing::warn!("reduced isolation: plugins ran in {}", timings.isolation);
    }
    let exit = match report.decision {
        _ if interrupted.load(Ordering::Relaxed) => Exit::Interrupted,
        Decision::Allow => Exit::Allow,
        Decision::Incomplete => Exit::Incomplete,
        Decision::Deny => Exit::Deny,
    };
    let done = on_record(&report, audit.as_ref(), attesting.as_ref());
    let exit = if done { exit } else { Exit::Fault };
    let history = match args.output.iter().any(|output| output.format == Format::Html) {
        true => {
            let locked = report.models.iter().filter(|model| model.locked);
            let log = audit.as_ref().map(AuditLog::path);
            history::of_models(locked.map(|model| &model.name), &lock_file, log)
        }
        false => Vec::new(),
    };
    Ok(write(&report, &timings, args.output, global, roots, history, exit))
}

/// Finds out which models a run with `--changed` looks at; none for all.
fn scope(
    base: Option<&str>,
    context: &Context,
    args: &RunArgs,
    global: &GlobalArgs,
) -> anyhow::Result<Option<Changed>> {
    let mut inputs = Vec::new();
    if let Some(config) = &context.config {
        inputs.push(context.config_path(&args.policy));
        inputs.push(config.root.join(config::MODELS));
        inputs.extend(config.components.values().map(|path| config.root.join(path)));
        inputs.extend(config.documents.values().map(|document| config.root.join(&document.path)));
    } else if !args.policy.no_config {
        // One that was taken away in this change counts as well.
        inputs.push(context.root.join(config::NAME));
    }
    inputs.extend([context.root.join(lock::NAME), context.baseline_path().0]);
    let registry = context.config.iter().filter_map(|config| config.registry.as_ref());
    inputs.extend(registry.map(|registry| context.root.join(&registry.path)));
    inputs.extend(args.plugins.plugins.iter().map(|folder| context.working_dir.join(folder)));
    Ok(match changed::find(&context.working_dir, base, &inputs)? {
        Scope::Part(changed) => Some(changed),
        Scope::All(why) => {
            if !global.quiet {
                say::line(&format!("note: --changed looks at all models: {why}"));
            }
            None
        }
    })
}

/// Returns the processes that plugins run in; none where they run in this one.
fn workers(isolation: IsolationWhere, required: bool) -> anyhow::Result<Option<Arc<Workers>>> {
    match isolation {
        IsolationWhere::InProcess if required => {
            anyhow::bail!(
                "--require-isolation asks for processes, and --isolation in-process for none"
            )
        }
        IsolationWhere::InProcess => Ok(None),
        IsolationWhere::Process => {
            let workers = Workers::new(Program::this());
            Ok(Some(Arc::new(if required { workers.require_whole() } else { workers })))
        }
    }
}

/// Writes every report that was asked for, and returns `exit`. One that can't be
/// written is a fault, whatever was decided.
fn write(
    report: &Report,
    timings: &Timings,
    mut outputs: Vec<Output>,
    global: &GlobalArgs,
    roots: Roots,
    history: Vec<ModelHistory>,
    exit: Exit,
) -> Exit {
    if outputs.is_empty() {
        outputs.push(Output::stdout(Format::Human));
    }
    let verbosity = match global {
        GlobalArgs { quiet: true, .. } => Verbosity::Quiet,
        GlobalArgs { verbose: 0, .. } => Verbosity::Normal,
        _ => Verbosity::Verbose,
    };
    let color = say::has_color(global, &std::io::stdout());
    let style = Style { color, verbosity, roots, history };
    let mut failed = exit == Exit::Fault;
    for output in &outputs {
        if let Err(error) = output.write(report, timings, &style) {
            failed = true;
            say::line(&format!("error: the report {output} could not be written: {error}"));
        }
    }
    let exit = if failed { Exit::Fault } else { exit };
    if let Err(error) = github::append(report, &outputs, exit) {
        failed = true;
        say::line(&format!("error: {error}"));
    }
    if failed {
        say::line(&format!("the decision is {}", report.decision.name()));
        return Exit::Fault;
    }
    exit
}

/// Records the decision, where there is a log for it, and attests it, if asked to,
/// together with what the log then ends in. Returns whether all of it was done: what
/// can't be recorded is not attested, and is a fault, whatever was decided.
fn on_record(report: &Report, audit: Option<&AuditLog>, attesting: Option<&Attesting>) -> bool {
    let head =
        audit.map(|audit| audit.append(audit::decision::of(report, report::json::digest(report))));
    let head = match head.transpose() {
        Ok(head) => head.flatten(),
        Err(error) => {
            let help = error.help();
            let causes = format!("{:#}", anyhow::Error::new(error));
            let causes = GuestText::capped(&causes);
            say::line(&format!("error: the decision is not recorded: {causes}"));
            if let Some(help) = help {
                say::line(&format!("  = help: {help}"));
            }
            return false;
        }
    };
    let attesting = match attesting {
        Some(_) if report.models.is_empty() => {
            say::line("note: nothing is attested: no model changed, so none was looked at");
            None
        }
        attesting => attesting,
    };
    match attesting.map(|attesting| attesting.write(report, head)) {
        Some(Err(line)) => {
            say::line(&line);
            false
        }
        _ => true,
    }
}

/// Ends the run at the first signal, with what was found so far, and the
/// process at the second.
async fn stop_on_signal(interrupted: Arc<AtomicBool>) {
    signal().await;
    interrupted.store(true, Ordering::Relaxed);
    tracing::warn!("interrupted: writing what was found so far; once more ends at once");
    signal().await;
    #[expect(clippy::exit, clippy::disallowed_methods, reason = "the second signal means now")]
    std::process::exit(Exit::Interrupted as i32);
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
