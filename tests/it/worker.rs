//! The process wall: what a worker is left with, that it answers as the engine
//! in this process does, and that it ends when it must.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use modelhost::domain::capability::{Grants, Limit, Limits};
use modelhost::domain::model::{Definition, ModelName};
use modelhost::domain::plugin::{PluginRef, ResolvedPlugin};
use modelhost::domain::verdict::{Failure, FailureCode, Outcome};
use modelhost::engine::{Cache, Called, Engine, Task, View};
use modelhost::model::{ChunkKey, Pool};
use modelhost::plugin::resolve;
use modelhost::worker::{Plugin, Program, Slot, SlotTask, Workers};

use crate::support::command::{Place, Said};
use crate::support::component::{self, Guest};
use crate::support::model;

/// A model, a plugin, and what tasks of the one on the other need.
struct Stage {
    folder: tempfile::TempDir,
    engine: Engine,
    limits: Limits,
    interrupted: Arc<AtomicBool>,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let model = folder.path().join("model");
        std::fs::create_dir_all(model.join("deep")).expect("folders");
        std::fs::write(model.join("weights.safetensors"), model::safetensors(4)).expect("a file");
        std::fs::write(model.join("README.md"), "# A model\n").expect("a file");
        std::fs::write(model.join("deep/empty.bin"), "").expect("a file");
        // Enough for every guest but those that want it all, which are to end soon.
        let limits = Limits { fuel: 50_000_000, ..Limits::default() };
        Self {
            folder,
            engine: Engine::new().expect("an engine"),
            limits,
            interrupted: Arc::default(),
        }
    }

    fn view(&self) -> View {
        let model = modelhost::model::open(
            &self.folder.path().join("model"),
            ModelName::new("m"),
            "m",
            &Arc::new(Pool::default()),
            100,
        );
        View {
            name: "m".into(),
            files: model.expect("a model").files.into(),
            definition: Some(Definition {
                source: Some("hf:a/b".to_owned()),
                ..Definition::default()
            }),
            lock: None,
            lineage: Arc::new([]),
            registered: None,
            documents: Arc::new(BTreeMap::new()),
            now: 1_700_000_000,
            key: ChunkKey::random().expect("a key"),
        }
    }

    fn resolved(&self, guest: &Guest) -> ResolvedPlugin {
        let path = self.folder.path().join(&guest.name).with_extension("wasm");
        std::fs::write(&path, &guest.plugin).expect("a file");
        resolve::resolve(&PluginRef::File(path))
            .unwrap_or_else(|error| panic!("{}: {error}", guest.name))
    }

    fn plugin<'a>(
        &'a self,
        resolved: &'a ResolvedPlugin,
        grants: &'a Grants,
        documents: &'a BTreeMap<String, Arc<[u8]>>,
    ) -> Plugin<'a> {
        Plugin {
            bytes: &resolved.bytes,
            digest: resolved.digest,
            grants,
            documents,
            settings: "{}",
            limits: &self.limits,
        }
    }

    /// Compiles and runs in this process.
    fn here(&self, resolved: &ResolvedPlugin, view: &View) -> Result<Called, Failure> {
        let compiled = self.engine.compile(&resolved.bytes, resolved.digest, None);
        let compiled = compiled.map_err(|error| {
            Failure::new(FailureCode::Compile, &format!("it can't be compiled: {error}"))
        })?;
        let linked = self.engine.link(&compiled, &Grants::default())?;
        Ok(self.engine.call(Task {
            linked: &linked,
            manifest: &resolved.manifest,
            view,
            settings: "{}",
            limits: &self.limits,
            interrupted: &self.interrupted,
        }))
    }

    fn slot(
        &self,
        workers: &Workers,
        resolved: &ResolvedPlugin,
        cache: Option<&Cache>,
    ) -> Result<Slot, Failure> {
        let (grants, documents) = (Grants::default(), BTreeMap::new());
        workers
            .compile(
                self.plugin(resolved, &grants, &documents),
                &self.engine,
                cache,
                &self.interrupted,
            )
            .0
    }

    fn call(
        &self,
        workers: &Workers,
        slot: &Slot,
        resolved: &ResolvedPlugin,
        view: &View,
    ) -> Called {
        workers.call(
            slot,
            SlotTask { manifest: &resolved.manifest, view, interrupted: &self.interrupted },
        )
    }
}

fn workers() -> Workers {
    let program = Program {
        path: PathBuf::from(env!("CARGO_BIN_EXE_modelhost")),
        args: vec!["worker".to_owned()],
    };
    Workers::new(program)
}

/// What must not differ from one isolation to the other.
fn repeatable(called: &Called) -> String {
    let Called { outcome, coverage, usage, log, log_dropped, .. } = called;
    format!("{outcome:#?}\n{coverage:#?}\n{usage:#?}\n{log:#?}\n{log_dropped}")
}

#[test]
fn every_guest_ends_as_in_this_process() {
    let (stage, workers) = (Stage::new(), workers());
    let mut wrong = Vec::new();
    for guest in Guest::all().into_iter().filter(|guest| guest.outcome != "invalid") {
        let (resolved, view) = (stage.resolved(&guest), stage.view());
        let here = stage.here(&resolved, &view).map(|called| repeatable(&called));
        let slot = stage.slot(&workers, &resolved, None);
        // Twice, by one worker: the first task leaves no trace in the second.
        for _ in 0..2 {
            let there =
                slot.as_ref().map(|slot| repeatable(&stage.call(&workers, slot, &resolved, &view)));
            if here.as_ref() != there.as_ref().map_err(|failure| *failure) {
                let start = |said: &str| said.chars().take(2000).collect::<String>();
                wrong.push(format!(
                    "{}:\n{}\n{}",
                    guest.name,
                    start(&format!("{here:?}")),
                    start(&format!("{there:?}"))
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_is_left_with_nothing_but_its_socket() {
    let (stage, workers) = (Stage::new(), workers());
    let resolved = stage.resolved(&Guest::read("honest-pass"));
    stage.slot(&workers, &resolved, None).expect("a slot");
    let isolation = workers.isolation().expect("a worker was ready");
    assert!(isolation.is_whole(), "this system lacks {:?}", isolation.missing());
    let ids = workers.idle();
    let [id] = ids.as_slice() else { panic!("one worker is idle, not {ids:?}") };
    let proc = PathBuf::from(format!("/proc/{id}"));
    let text = |name: &str| std::fs::read_to_string(proc.join(name)).expect("a running worker");
    assert_eq!(text("environ"), "", "its environment");
    assert_eq!(proc.join("cwd").read_link().expect("a link"), Path::new("/"));
    let status = text("status");
    for line in [
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "CapEff:\t0000000000000000",
        "CapPrm:\t0000000000000000",
        "Threads:\t3",
    ] {
        assert!(status.contains(line), "not so: {line}\n{status}");
    }
    let limits = text("limits");
    for (name, soft) in [
        ("Max file size", "0"),
        ("Max core file size", "0"),
        ("Max processes", "0"),
        ("Max locked memory", "0"),
    ] {
        let line = limits.lines().find(|line| line.starts_with(name)).expect("a limit");
        assert_eq!(line[name.len()..].split_whitespace().next(), Some(soft), "{line}");
    }
    for name in ["Max cpu time", "Max data size", "Max open files"] {
        let line = limits.lines().find(|line| line.starts_with(name)).expect("a limit");
        assert!(
            line[name.len()..]
                .split_whitespace()
                .next()
                .is_some_and(|soft| soft.parse::<u64>().is_ok()),
            "{line}"
        );
    }
    let mut open: Vec<String> = std::fs::read_dir(proc.join("fd"))
        .expect("its descriptors")
        .map(|entry| {
            entry.expect("an entry").path().read_link().expect("a link").display().to_string()
        })
        .map(|target| target.split(':').next().expect("a part").to_owned())
        .collect();
    open.sort();
    assert_eq!(
        open,
        ["/dev/null", "/dev/null", "/dev/null", "socket", "socket"],
        "its descriptors"
    );
    drop(workers);
    assert!(!proc.join("status").exists(), "it is left behind");
}

#[test]
fn a_worker_past_its_deadline_is_ended_in_time() {
    const DEADLINE: Duration = Duration::from_millis(100);
    let (mut stage, workers) = (Stage::new(), workers());
    stage.limits = Limits { fuel: u64::MAX / 4, deadline: DEADLINE, ..Limits::default() };
    let (resolved, view) = (stage.resolved(&Guest::read("loop-in-check")), stage.view());
    let slot = stage.slot(&workers, &resolved, None).expect("a slot");
    let overshoot = || {
        let started = Instant::now();
        let called = stage.call(&workers, &slot, &resolved, &view);
        let took = started.elapsed();
        let Outcome::Failed(failure) = called.outcome else { panic!("{called:?}") };
        assert_eq!(failure.code, FailureCode::Limit(Limit::Deadline));
        took.checked_sub(DEADLINE).expect("it had its time")
    };
    let mut overshoots: Vec<Duration> = (0..20).map(|_| overshoot()).collect();
    overshoots.sort();
    eprintln!("overshoot: median {:?}, most {:?}", overshoots[10], overshoots[19]);
    assert!(overshoots[10] < Duration::from_millis(100), "{overshoots:?}");
    assert!(overshoots[19] < Duration::from_secs(1), "{overshoots:?}");
}

#[test]
fn an_interrupt_ends_a_worker_at_once() {
    let (mut stage, workers) = (Stage::new(), workers());
    stage.limits = Limits { fuel: u64::MAX / 4, ..Limits::default() };
    let (resolved, view) = (stage.resolved(&Guest::read("loop-in-check")), stage.view());
    let slot = stage.slot(&workers, &resolved, None).expect("a slot");
    let interrupted = Arc::clone(&stage.interrupted);
    let (called, took) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            interrupted.store(true, Ordering::Relaxed);
        });
        let started = Instant::now();
        (stage.call(&workers, &slot, &resolved, &view), started.elapsed())
    });
    let Outcome::Failed(failure) = called.outcome else { panic!("{called:?}") };
    assert_eq!(failure.code, FailureCode::Interrupted);
    assert!(took < Duration::from_millis(1200), "{took:?}");
}

#[test]
fn a_killed_or_stopped_worker_is_an_error_and_is_replaced() {
    for signal in [rustix::process::Signal::KILL, rustix::process::Signal::STOP] {
        let (mut stage, workers) = (Stage::new(), workers());
        stage.limits = Limits {
            fuel: u64::MAX / 4,
            deadline: Duration::from_millis(600),
            ..Limits::default()
        };
        let (resolved, view) = (stage.resolved(&Guest::read("loop-in-check")), stage.view());
        let slot = stage.slot(&workers, &resolved, None).expect("a slot");
        let id = workers.idle()[0];
        let pid =
            rustix::process::Pid::from_raw(i32::try_from(id).expect("a number")).expect("a number");
        let (called, took) = std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(200));
                rustix::process::kill_process(pid, signal).expect("it is there");
            });
            let started = Instant::now();
            (stage.call(&workers, &slot, &resolved, &view), started.elapsed())
        });
        let Outcome::Failed(failure) = called.outcome else { panic!("{called:?}") };
        let stopped = signal == rustix::process::Signal::STOP;
        assert_eq!(
            failure.code,
            if stopped { FailureCode::Limit(Limit::Deadline) } else { FailureCode::Worker },
            "{failure:?}"
        );
        assert!(took < Duration::from_millis(1600), "{took:?}");
        // Another worker takes the next task.
        let again = stage.call(&workers, &slot, &resolved, &view);
        assert!(
            matches!(again.outcome, Outcome::Failed(failure) if failure.code == FailureCode::Limit(Limit::Deadline))
        );
    }
}

#[test]
fn an_idle_worker_that_died_is_replaced_unnoticed() {
    let (stage, workers) = (Stage::new(), workers());
    let (resolved, view) = (stage.resolved(&Guest::read("honest-pass")), stage.view());
    let slot = stage.slot(&workers, &resolved, None).expect("a slot");
    let first = repeatable(&stage.call(&workers, &slot, &resolved, &view));
    let id = workers.idle()[0];
    let pid =
        rustix::process::Pid::from_raw(i32::try_from(id).expect("a number")).expect("a number");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is there");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(repeatable(&stage.call(&workers, &slot, &resolved, &view)), first);
    assert_ne!(workers.idle(), [id]);
}

#[test]
fn a_program_that_is_no_worker_is_an_error() {
    let stage = Stage::new();
    let resolved = stage.resolved(&Guest::read("honest-pass"));
    for path in ["/bin/false", "/bin/cat", "/nowhere"] {
        let workers = Workers::new(Program { path: PathBuf::from(path), args: Vec::new() });
        let failure = stage.slot(&workers, &resolved, None).expect_err("no worker");
        assert_eq!(failure.code, FailureCode::Worker, "{path}: {failure:?}");
    }
}

/// A plugin whose check is followed by `functions`, which are slow to compile.
fn compile_bomb(functions: &str) -> Guest {
    let mut guest = Guest::read("honest-pass");
    let text = std::fs::read_to_string(crate::support::root().join("tests/guests/honest-pass.wat"))
        .expect("the guest");
    let end = text.rfind(')').expect("a module");
    let core = wat::parse_str(format!("{}{functions})", &text[..end])).expect("a module");
    guest.plugin =
        component::plugin(&core, &component::manifest("honest-pass", "model", "whole", false));
    guest
}

/// Functions in which values live across many joins, which is what register
/// allocation is slow on.
fn joins(functions: usize, blocks: usize) -> String {
    let mut bomb = String::new();
    for function in 0..functions {
        bomb.push_str(&format!(
            "(func $bomb{function} (param i32 i64) (result i64) (local i64 i64 i64 i64)\n"
        ));
        for block in 0..blocks {
            let (a, b) = (1 + block % 5, 1 + (block * 7 + 3) % 5);
            bomb.push_str(&format!(
                "(block (br_if 0 (local.get 0)) (local.set {a} (i64.add (local.get {b}) (i64.mul (local.get {a}) (i64.const {block})))))\n"
            ));
        }
        bomb.push_str("(local.get 1))\n");
    }
    bomb
}

/// Each kind of component that is slow to compile.
#[test]
fn compile_bombs_of_each_kind_end_in_time() {
    let jumps = format!(
        "(func (param i32) {}(br_table {} (local.get 0)){})\n",
        "(block ".repeat(200),
        "0 7 ".repeat(30_000),
        ")".repeat(200)
    );
    let nested = format!(
        "(func (param i32) {}{})\n",
        "(loop (br_if 0 (local.get 0)) ".repeat(20_000),
        ")".repeat(20_000)
    );
    let locals = format!(
        "(func (local {}) (loop {} (br_if 0 (i32.wrap_i64 (local.get 7)))))\n",
        "i64 ".repeat(40_000),
        (0..40_000)
            .map(|local| format!(
                "(local.set {local} (i64.add (local.get {}) (local.get {local})))",
                (local * 31) % 40_000
            ))
            .collect::<String>()
    );
    let straight = format!(
        "(func (param i64) (result i64) {} (local.get 0) {})\n",
        "(local.get 0) ".repeat(100_000),
        "i64.add ".repeat(100_000)
    );
    let bombs = [
        ("values across joins", joins(60, 20_000)),
        ("many functions", "(func (result i32) (i32.const 7))\n".repeat(200_000)),
        ("tables of jumps", jumps.repeat(20)),
        ("nested loops", nested.repeat(5)),
        ("many locals", locals.repeat(20)),
        ("a long expression", straight.repeat(5)),
    ];
    let mut stage = Stage::new();
    stage.limits = Limits {
        compile_time: Duration::from_secs(2),
        compile_memory: 256 << 20,
        ..Limits::default()
    };
    for (kind, functions) in bombs {
        let resolved = stage.resolved(&compile_bomb(&functions));
        let started = Instant::now();
        let compiled = stage.slot(&workers(), &resolved, None).map(|_| ());
        let took = started.elapsed();
        eprintln!(
            "{kind}, {} bytes: {took:?}, {:?}",
            resolved.bytes.len(),
            compiled.as_ref().err()
        );
        assert!(took < stage.limits.compile_wall() + Duration::from_secs(1), "{kind}: {took:?}");
        let at_limit = |failure: &Failure| {
            matches!(failure.code, FailureCode::Limit(Limit::CompileTime | Limit::CompileMemory))
        };
        assert!(compiled.as_ref().err().is_none_or(at_limit), "{kind}: {compiled:?}");
    }
}

#[test]
fn a_compile_bomb_ends_at_its_limits() {
    let mut stage = Stage::new();
    let resolved = stage.resolved(&compile_bomb(&joins(60, 20_000)));
    let rows = [
        (
            "time on the wall",
            Limits { compile_time: Duration::from_millis(350), ..Limits::default() },
            Limit::CompileTime,
            1700,
        ),
        (
            "processor time",
            Limits { compile_time: Duration::from_secs(1), ..Limits::default() },
            Limit::CompileTime,
            60_000,
        ),
        (
            "memory",
            Limits { compile_memory: 48 << 20, ..Limits::default() },
            Limit::CompileMemory,
            60_000,
        ),
    ];
    for (what, limits, limit, most) in rows {
        stage.limits = limits;
        let started = Instant::now();
        let failure = stage.slot(&workers(), &resolved, None).expect_err(what);
        assert_eq!(failure.code, FailureCode::Limit(limit), "{what}: {failure:?}");
        assert!(started.elapsed() < Duration::from_millis(most), "{what}: {:?}", started.elapsed());
        eprintln!("{what}: {:?}: {}", started.elapsed(), failure.message);
    }
}

#[test]
fn the_policy_bounds_compiling_and_the_report_names_the_line_that_allows_more() {
    let place = Place::new();
    place.write("model/weights.safetensors", model::safetensors(4));
    let bomb = compile_bomb(&joins(60, 20_000));
    component::write(&place.path().join("plugins"), &bomb.name, &bomb.plugin);
    let run = |line: &str, more: &[&str]| {
        let policy = format!("version = 1\n[plugin.{}]\nlimits = {{ {line} }}\n", bomb.name);
        place.write("modelhost.toml", policy);
        let args = ["run", "model", "--no-bundled", "--plugins", "plugins", "--no-cache"];
        place.modelhost(&args.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let rows = [
        ("compile-time = \"1s\"", "limit/compile-time", "compile-time = \"2s\""),
        ("compile-memory = \"48MiB\"", "limit/compile-memory", "compile-memory = \"96MiB\""),
    ];
    for (line, code, more) in rows {
        let said = run(line, &["-o", "json"]);
        said.code(3);
        let failure = &said.json()["tasks"][0]["failure"];
        assert_eq!(failure["code"], code, "{failure}");
        assert_eq!(failure["retryable"], true, "{failure}");
        let help = failure["help"].as_str().expect("help");
        let expected = format!("[plugin.{}] limits = {{ {more} }}", bomb.name);
        assert!(help.contains(&expected), "{help}");
    }
}

#[test]
fn what_plugins_used_of_the_machine_is_told_in_the_timings() {
    let place = Place::new();
    place.write("model/weights.safetensors", model::safetensors(4));
    let guest = Guest::read("memory-touched");
    component::write(&place.path().join("plugins"), &guest.name, &guest.plugin);
    place.write(
        "modelhost.toml",
        "version = 1\n[plugin.memory-touched]\nlimits = { memory = \"128MiB\" }\n",
    );
    let timings = |more: &[&str]| {
        let args = ["run", "model", "--no-bundled", "--plugins", "plugins", "--no-cache"];
        let args = args.iter().chain(&["-o", "timings"]).chain(more);
        place.modelhost(&args.copied().collect::<Vec<_>>()).json()["plugins"][0].clone()
    };
    let apart = timings(&[]);
    assert_eq!(apart["compile_limit_ms"], 60_000.0, "{apart}");
    assert_eq!(apart["compile_memory_limit"], 1 << 30, "{apart}");
    #[cfg(target_os = "linux")]
    {
        let bytes = |key: &str| apart[key].as_u64().unwrap_or_else(|| panic!("no {key}: {apart}"));
        eprintln!("compiling: {} bytes, running: {} bytes", bytes("compile_rss"), bytes("rss"));
        assert!(bytes("compile_rss") > 1 << 20, "{apart}");
        // Its limit, all of it touched, and what the process itself is.
        assert!((120 << 20..=(128 + 64) << 20).contains(&bytes("rss")), "{apart}");
    }
    let here = timings(&["--isolation", "in-process"]);
    assert!(here["rss"].is_null() && here["compile_rss"].is_null(), "{here}");
}

#[test]
fn cached_code_is_taken_by_workers_alone_and_only_whole() {
    let stage = Stage::new();
    let (resolved, view) = (stage.resolved(&Guest::read("honest-fail")), stage.view());
    let folder = stage.folder.path().join("cache");
    let cache = Cache::with_secret(&folder, b"secret").expect("a cache");
    let entry = || {
        let entries = std::fs::read_dir(&folder)
            .expect("the cache")
            .map(|entry| entry.expect("an entry").path());
        let mut entries: Vec<PathBuf> = entries.collect();
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0)
    };
    let (grants, documents) = (Grants::default(), BTreeMap::new());
    let compile = || {
        let workers = workers();
        let (slot, cached) = workers.compile(
            stage.plugin(&resolved, &grants, &documents),
            &stage.engine,
            Some(&cache),
            &stage.interrupted,
        );
        (repeatable(&stage.call(&workers, &slot.expect("a slot"), &resolved, &view)), cached)
    };
    let (first, cached) = compile();
    assert!(!cached);
    assert_eq!(compile(), (first.clone(), true));
    // The engine in this process does not load what a worker compiled.
    assert!(cache.has(&stage.engine, resolved.digest));
    let sound = std::fs::read(entry()).expect("an entry");
    // Header, code and MAC: each part, changed, makes it be compiled again.
    for at in [0, 8, 40, 48, sound.len() / 2, sound.len() - 33, sound.len() - 1] {
        let mut odd = sound.clone();
        odd[at] ^= 1;
        std::fs::write(entry(), &odd).expect("written");
        assert_eq!(compile(), (first.clone(), false), "byte {at}");
        assert_eq!(compile(), (first.clone(), true), "byte {at}");
    }
    std::fs::write(entry(), &sound[..sound.len() - 1]).expect("written");
    assert_eq!(compile(), (first.clone(), false), "cut");
    let mut longer = sound.clone();
    longer.push(0);
    std::fs::write(entry(), &longer).expect("written");
    assert_eq!(compile(), (first, false), "longer");
    let here =
        stage.engine.compile(&resolved.bytes, resolved.digest, Some(&cache)).expect("compiled");
    assert!(!here.cached, "this process took code that a worker compiled");
}

/// A place with one model and all guests that are components.
fn place() -> Place {
    let place = Place::new();
    place
        .write("model/weights.safetensors", model::safetensors(64))
        .write("model/a.pkl", model::malicious_pickle());
    let mut policy = "version = 1\n".to_owned();
    for guest in Guest::all().into_iter().filter(|guest| guest.outcome != "invalid") {
        component::write(&place.path().join("plugins"), &guest.name, &guest.plugin);
        policy.push_str(&guest.policy());
    }
    place.write("modelhost.toml", policy);
    place
}

#[test]
fn reports_do_not_depend_on_the_isolation() {
    let place = place();
    let run = |more: &[&str]| {
        let args =
            ["run", "model", "--plugins", "plugins", "-o", "json", "--now", "2026-11-24T00:00:00Z"];
        place.modelhost(&args.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let apart = run(&[]);
    apart.code(1);
    for more in [
        &["--isolation", "in-process"] as &[&str],
        &["--jobs", "1"],
        &["--jobs", "8"],
        &["--no-cache", "--require-isolation"],
    ] {
        let other = run(more);
        other.code(1);
        let differing =
            apart.stdout.lines().zip(other.stdout.lines()).find(|(one, another)| one != another);
        assert_eq!(differing, None, "{more:?}: the reports differ");
        assert_eq!(apart.stdout.len(), other.stdout.len(), "{more:?}: the reports differ");
    }
}

#[test]
fn what_ran_the_plugins_is_told_in_the_timings() {
    let place = Place::new();
    place.write("model/weights.safetensors", model::safetensors(64));
    let isolation = |more: &[&str]| {
        let args = ["run", "model", "-o", "timings"];
        let said = place.modelhost(&args.iter().chain(more).copied().collect::<Vec<_>>());
        said.json()["isolation"].as_str().expect("a text").to_owned()
    };
    assert!(isolation(&[]).starts_with("process"));
    assert_eq!(isolation(&["--isolation", "in-process"]), "in-process");
    place
        .modelhost(&["run", "model", "--isolation", "in-process", "--require-isolation"])
        .code(2)
        .says("--require-isolation");
}

/// Runs `modelhost ARGS` as on a kernel that refuses the system calls `refused`
/// (each with the value of its first argument, where that matters).
#[cfg(target_os = "linux")]
fn on_a_lesser_kernel(place: &Place, args: &[&str], refused: &[(i64, Option<u64>)]) -> Said {
    use std::os::unix::process::CommandExt as _;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, TargetArch,
    };

    let rules = refused.iter().map(|(call, first)| {
        let condition = |value| {
            let qword = SeccompCmpArgLen::Qword;
            SeccompCondition::new(0, qword, SeccompCmpOp::Eq, value).expect("a condition")
        };
        let rule = first.map(|value| SeccompRule::new(vec![condition(value)]).expect("a rule"));
        (*call, rule.into_iter().collect())
    });
    let arch = TargetArch::try_from(std::env::consts::ARCH).expect("an architecture");
    let no = SeccompAction::Errno(libc::ENOSYS as u32);
    let filter = SeccompFilter::new(rules.collect(), SeccompAction::Allow, no, arch);
    let filter: BpfProgram =
        filter.expect("a filter").try_into().expect("a program for the kernel");
    let mut command = place.command(args);
    // SAFETY: between fork and exec this makes two system calls and no allocation.
    #[expect(unsafe_code, reason = "the filter must be in force before modelhost starts")]
    unsafe {
        command.pre_exec(move || {
            seccompiler::apply_filter(&filter).map_err(|_| std::io::ErrorKind::Other.into())
        });
    }
    place.said(&command.output().expect("modelhost starts"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_missing_part_of_the_wall_is_named_and_can_be_an_error() {
    const SET_SECCOMP: u64 = 22;
    let place = Place::new();
    place.write("model/weights.safetensors", model::safetensors(64));
    let landlock = (libc::SYS_landlock_create_ruleset, None);
    let seccomp = [(libc::SYS_seccomp, None), (libc::SYS_prctl, Some(SET_SECCOMP))];
    for (name, refused) in [("Landlock", &[landlock] as &[_]), ("seccomp", &seccomp)] {
        let run = |more: &[&str]| {
            let args = [&["run", "model", "-o", "timings"], more].concat();
            on_a_lesser_kernel(&place, &args, refused)
        };
        let said = run(&[]);
        said.code(0).says("reduced isolation").says(&format!("process, without {name}"));
        assert_eq!(said.json()["isolation"], format!("process, without {name}"));
        run(&["--require-isolation"]).code(70).says(name);
        // Nothing is missing in a run without processes: it is said what it is.
        run(&["--isolation", "in-process"]).code(0);
    }
}

/// SIGINT reaches modelhost alone: its workers are in groups of their own, and
/// end with it.
#[cfg(target_os = "linux")]
#[test]
fn workers_end_with_the_run_however_it_ends() {
    use std::process::Stdio;
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::KILL] {
        let place = Place::new();
        place.write("model/weights.safetensors", model::safetensors(64));
        place.write(
            "modelhost.toml",
            "version = 1\n[plugin.loop-in-check]\nlimits = { fuel = 900000000000 }\n",
        );
        let guest = Guest::read("loop-in-check");
        component::write(&place.path().join("plugins"), &guest.name, &guest.plugin);
        let mut command =
            place.command(&["run", "model", "--no-bundled", "--plugins", "plugins", "-o", "json"]);
        let mut run =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let children = || {
            let tasks = std::fs::read_dir(format!("/proc/{}/task", run.id()))
                .into_iter()
                .flatten()
                .flatten();
            let texts =
                tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
            texts
                .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        let is_busy = |id: &String| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            // Time in user mode, in ticks of 10 ms.
            stat.rsplit(')')
                .next()
                .and_then(|rest| rest.split_whitespace().nth(11)?.parse::<u64>().ok())
                .is_some_and(|used| used > 10)
        };
        let until = Instant::now() + Duration::from_secs(30);
        let workers = loop {
            let workers = children();
            if workers.iter().any(is_busy) {
                break workers;
            }
            assert!(Instant::now() < until, "no worker became busy: {workers:?}");
            std::thread::sleep(Duration::from_millis(20));
        };
        let pid = rustix::process::Pid::from_child(&run);
        rustix::process::kill_process(pid, signal).expect("it is there");
        run.wait().expect("it ended");
        let until = Instant::now() + Duration::from_secs(1);
        let left = || {
            workers
                .iter()
                .filter(|id| Path::new(&format!("/proc/{id}/exe")).read_link().is_ok())
                .count()
        };
        while left() > 0 {
            assert!(Instant::now() < until, "{signal:?}: workers are left behind");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_worker_that_nobody_talks_to_ends() {
    Place::new().modelhost(&["worker"]).code(2);
}
