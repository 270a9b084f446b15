//! Where `waiver`, `baseline` and `explain` take findings from: a JSON report, or
//! a run here and now.
//!
//! Leaves what is made of them to these commands.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use modelhost::domain::event::EventSink;
use modelhost::domain::report::Report;
use modelhost::gate::Gate;
use modelhost::report::reported::{self, Reported};
use modelhost::worker::{Program, Workers};

use crate::args::{GlobalArgs, PluginArgs, PolicyArgs, timestamp};
use crate::context::{self, Context};
use crate::progress::Progress;

/// Where findings are taken from.
#[derive(Clone, Debug, Args)]
pub(crate) struct FindingsArgs {
    /// The JSON report that names the finding, as `run -o json=FILE` writes it.
    /// Without it, the checks are run here and now.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// The date to judge by, such as 2026-12-31, instead of the clock's.
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    pub(crate) now: Option<u64>,

    #[command(flatten)]
    pub(crate) plugins: PluginArgs,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

impl FindingsArgs {
    /// Returns the time to judge by, in seconds since 1970-01-01T00:00:00Z.
    pub(crate) fn now(&self) -> u64 {
        self.now.unwrap_or_else(context::now)
    }

    /// Returns the findings. A run takes the policy as it is, with its waivers and
    /// its baseline.
    pub(crate) fn findings(
        &self,
        context: Context,
        global: &GlobalArgs,
    ) -> anyhow::Result<Vec<Reported>> {
        match &self.report {
            Some(path) => Ok(reported::read(&super::report::read(path)?)),
            None => Ok(reported::of(&self.run(context, global)?)),
        }
    }

    /// Runs the checks on all models, for what they find.
    pub(crate) fn run(&self, context: Context, global: &GlobalArgs) -> anyhow::Result<Report> {
        let baseline = context.written_baseline()?;
        let progress = Arc::new(Progress::new(!global.quiet));
        let gate = Gate {
            config: context.config,
            root: context.root,
            lock: context.lock,
            baseline,
            bundled: !self.plugins.no_bundled,
            folders: self.plugins.plugins.clone(),
            jobs: context::processors(),
            cache: context::cache(),
            workers: Some(Arc::new(Workers::new(Program::this()))),
            sink: Arc::clone(&progress) as Arc<dyn EventSink>,
            ..Gate::new(context.working_dir, self.now())
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let result = runtime.block_on(gate.run());
        progress.clear();
        Ok(result?.0)
    }
}
