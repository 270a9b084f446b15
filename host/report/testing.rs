//! Builds reports for the tests of this folder.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::capability::{Capability, Grants, Limit, Limits, LimitsAsked};
use crate::domain::date::Date;
use crate::domain::decision::{Decision, Reason, ReasonKind};
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::evidence::{InputFile, Inputs, ScanOnly, TrustStat};
use crate::domain::finding::{Confidence, Fact, Finding, Fingerprint, Location, RuleId, Severity};
use crate::domain::model::{DefinedAt, Definition, FilePath, ModelName};
use crate::domain::plugin::{Imports, Manifest, PluginId, PluginRef, Reads, ResolvedPlugin, Scope};
use crate::domain::report::{
    Ending, FileReport, Judged, Judgement, ModelReport, PluginReport, PluginTiming, Report,
    TaskReport, TaskTiming, Timings,
};
use crate::domain::text::GuestText;
use crate::domain::verdict::{Coverage, Failure, FailureCode, Usage, Verdict};
use crate::domain::waiver::{Exception, Waiver};

pub(super) fn id(id: &str) -> PluginId {
    PluginId::new(id).expect("a plugin id")
}

pub(super) fn path(raw: impl AsRef<[u8]>) -> FilePath {
    FilePath::from_bytes(raw.as_ref())
}

pub(super) fn rule(rule: &str) -> RuleId {
    match rule.split_once('/').expect("plugin/name") {
        ("gate", "not-judged") => RuleId::gate("not-judged"),
        ("gate", "link-outside") => RuleId::gate("link-outside"),
        (plugin, name) => RuleId::new(id(plugin), name).expect("a rule"),
    }
}

pub(super) fn finding(
    name: &str,
    severity: Severity,
    message: &str,
    file: Option<FilePath>,
) -> Judged {
    let finding = Finding {
        rule: rule(name),
        severity,
        confidence: Confidence::High,
        message: GuestText::capped(message),
        location: file.map(Location::file).unwrap_or_default(),
        help: None,
    };
    let of = finding.location.file.as_ref().map_or("", FilePath::as_str);
    let fingerprint = Fingerprint::of(&[name, message, of]);
    let denies = severity >= Severity::High;
    Judged {
        finding,
        fingerprint,
        denies,
        blocks: false,
        lock_line: None,
        exception: None,
        original: None,
    }
}

/// A waiver of `rule` on `model`, bound to nothing that is there.
pub(super) fn waiver(name: &str, model: &str) -> Arc<Waiver> {
    Arc::new(Waiver {
        rule: rule(name),
        model: ModelName::new(model),
        digest: Digest::of(name.as_bytes()),
        file: None,
        fingerprint: None,
        reason: "legal ticket 41".to_owned(),
        owner: "@ml-legal".to_owned(),
        added: None,
        expires: Date::parse("2026-12-31").expect("a day"),
        line: 12,
    })
}

impl Judged {
    pub(super) fn excepted(self, exception: Exception) -> Self {
        Self { denies: false, exception: Some(exception), ..self }
    }

    pub(super) fn help(mut self, help: &str) -> Self {
        self.finding.help = Some(GuestText::capped(help));
        self
    }

    pub(super) fn line(mut self, line: u32) -> Self {
        self.lock_line = Some(line);
        self
    }

    pub(super) fn blocking(self) -> Self {
        Self { denies: false, blocks: true, ..self }
    }

    pub(super) fn harmless(self) -> Self {
        Self { denies: false, ..self }
    }
}

pub(super) fn plugin(plugin: &str) -> PluginReport {
    let manifest = Manifest {
        id: id(plugin),
        version: semver::Version::new(1, 2, 0),
        title: format!("The {plugin} check"),
        description: String::new(),
        license: None,
        homepage: None,
        rules: Vec::new(),
        files: vec!["**".to_owned()],
        scope: Scope::Model,
        reads: Reads::Whole,
        judges: false,
        settings: None,
        limits: LimitsAsked::default(),
    };
    let plugin = ResolvedPlugin {
        digest: Digest::of(plugin.as_bytes()),
        bytes: Arc::from([]),
        origin: PluginRef::Bundled(manifest.id.clone()),
        imports: Imports {
            capabilities: vec![Capability::Digest, Capability::Files],
            unknown: Vec::new(),
            contract: Some("0.1.0".to_owned()),
        },
        manifest,
    };
    PluginReport {
        plugin,
        grants: Grants::default(),
        limits: Limits::default(),
        advisory: false,
        fail_on: Severity::High,
    }
}

pub(super) fn file(name: impl AsRef<[u8]>, size: u64, judged: Judgement) -> FileReport {
    let path = path(name);
    let digest = Some(Digest::of(path.as_str().as_bytes()));
    FileReport { path, size, digest, judged, lock_line: None }
}

pub(super) fn model(name: &str, files: Vec<FileReport>) -> ModelReport {
    ModelReport {
        name: ModelName::new(name),
        path: format!("models/{name}"),
        tree: Some(TreeDigest::of(
            files.iter().filter_map(|file| Some((&file.path, file.size, file.digest?))),
        )),
        definition: None,
        defined_at: None,
        locked: false,
        lock_line: None,
        files,
        findings: Vec::new(),
    }
}

pub(super) fn task(
    plugin: &str,
    model: &str,
    file: Option<&str>,
    ending: Ending,
    findings: Vec<Judged>,
) -> TaskReport {
    let verdict = match &ending {
        Ending::Refused(_) | Ending::Failed(_) => Verdict::Error,
        Ending::NotApplicable(_) => Verdict::Skip,
        Ending::Checked(_) if findings.iter().any(|judged| judged.denies) => Verdict::Fail,
        Ending::Checked(_) if findings.is_empty() => Verdict::Pass,
        Ending::Checked(_) => Verdict::Warn,
    };
    let coverage = file.map(|file| Coverage { file: path(file), size: 100, read: 100 });
    TaskReport {
        plugin: id(plugin),
        model: ModelName::new(model),
        file: file.map(path),
        ending,
        verdict,
        findings,
        coverage: coverage.into_iter().collect(),
        usage: Usage {
            fuel: 12_345,
            memory: 1 << 16,
            table_elements: 3,
            host_calls: 7,
            handles: 2,
            bytes_read: 100,
            findings: 1,
            ..Usage::default()
        },
    }
}

pub(super) fn checked() -> Ending {
    Ending::Checked(Vec::new())
}

pub(super) fn reason(decision: Decision, model: &str, kind: ReasonKind) -> Reason {
    Reason { decision, model: Some(ModelName::new(model)), kind }
}

/// A report that allows: nothing but these.
pub(super) fn report(plugins: &[&str], models: Vec<ModelReport>, tasks: Vec<TaskReport>) -> Report {
    Report {
        decision: Decision::Allow,
        reasons: Vec::new(),
        now: 1_790_000_000,
        inputs: Inputs::default(),
        fail_on: Severity::High,
        required: Vec::new(),
        waivers: Vec::new(),
        baseline: Default::default(),
        not_run: Vec::new(),
        part: None,
        scan_only: None,
        trust_stat: None,
        models,
        plugins: plugins.iter().map(|id| plugin(id)).collect(),
        tasks,
    }
}

/// A run without any configuration on one clean file.
pub(super) fn zero_configuration() -> Report {
    let judged = Judgement::By(vec![id("formats"), id("pickle")]);
    let files = vec![file("model.safetensors", 4096, judged)];
    let models = vec![ModelReport {
        path: "model.safetensors".to_owned(),
        ..model("model.safetensors", files)
    }];
    let low = |rule: &str, message: &str, help: &str| {
        vec![finding(rule, Severity::Low, message, None).help(help)]
    };
    let name = "model.safetensors";
    let facts = vec![Fact { key: "tensors".to_owned(), value: GuestText::capped("12, all F32") }];
    let tasks = vec![
        task(
            "checksum",
            name,
            None,
            checked(),
            low("checksum/not-locked", "nothing pins this model", "run `modelhost lock`"),
        ),
        task("formats", name, Some(name), Ending::Checked(facts), Vec::new()),
        task(
            "license",
            name,
            None,
            checked(),
            low("license/no-license", "no license is named", "add a model card"),
        ),
        task(
            "pickle",
            name,
            Some(name),
            Ending::NotApplicable(GuestText::capped("no pickle in it")),
            Vec::new(),
        ),
    ];
    report(&["checksum", "formats", "license", "pickle"], models, tasks)
}

/// A run with something of everything: what denies, what could not be judged,
/// warnings, advice, facts.
pub(super) fn everything() -> Report {
    let bert = ModelReport {
        definition: Some(Definition {
            source: Some("hf:org/bert".to_owned()),
            revision: Some("9f1c2d3e4f5061728394a5b6c7d8e9f001122334".to_owned()),
            ..Definition::default()
        }),
        defined_at: Some(DefinedAt { file: "models.d/bert.toml".into(), line: 2 }),
        locked: true,
        lock_line: Some(10),
        findings: vec![
            finding(
                "gate/link-outside",
                Severity::High,
                "this link leads out of the model, to /etc/passwd",
                Some(path("vocab")),
            )
            .line(10),
        ],
        ..model(
            "bert",
            vec![
                FileReport { lock_line: Some(11), ..file("README.md", 321, Judgement::Companion) },
                FileReport {
                    lock_line: Some(12),
                    ..file("model.safetensors", 100, Judgement::By(vec![id("pickle")]))
                },
            ],
        )
    };
    let shards: Vec<FileReport> =
        (0..6).map(|n| file(format!("shard-{n}.bin"), 100, Judgement::No)).collect();
    let mut big = model("big", shards);
    let not_judged = |file: &FileReport| {
        finding(
            "gate/not-judged",
            Severity::Medium,
            "no plugin judges this file",
            Some(file.path.clone()),
        )
        .help("add a plugin that judges it")
        .blocking()
    };
    big.findings = big.files.iter().map(not_judged).collect();
    let mut reasons = vec![
        reason(
            Decision::Deny,
            "bert",
            ReasonKind::Gate { rule: "link-outside".to_owned(), file: Some(path("vocab")) },
        ),
        reason(Decision::Deny, "bert", ReasonKind::Failed { plugin: id("license"), file: None }),
        reason(
            Decision::Deny,
            "bert",
            ReasonKind::Failed { plugin: id("pickle"), file: Some(path("model.safetensors")) },
        ),
        reason(
            Decision::Incomplete,
            "bert",
            ReasonKind::Error {
                plugin: id("formats"),
                file: None,
                code: FailureCode::Limit(Limit::Fuel),
            },
        ),
    ];
    let of_file = |file: &FileReport| {
        reason(Decision::Incomplete, "big", ReasonKind::NotJudged { file: file.path.clone() })
    };
    reasons.extend(big.files.iter().map(of_file));

    let mut global = finding(
        "pickle/unsafe-global",
        Severity::Critical,
        "it calls os.system",
        Some(path("model.safetensors")),
    )
    .line(12);
    global.finding.location.member = Some(GuestText::capped("archive/data.pkl"));
    global.finding.location.offset = Some(42);
    let mut card = finding(
        "license/not-allowed",
        Severity::High,
        "`GPL-3.0` is not on the allow list",
        Some(path("README.md")),
    )
    .line(11)
    .help("use a model under one of Apache-2.0, MIT, or add it to `allow`");
    card.finding.location.line = Some(3);
    let mut guess =
        finding("license/ambiguous", Severity::Medium, "two licenses are named", None).line(10);
    guess.finding.confidence = Confidence::Medium;
    let fuel = Failure::new(FailureCode::Limit(Limit::Fuel), "it used up its fuel of 5000000000").with_help(
        "if you trust the plugin to need it, allow more under [plugin.formats] in modelhost.toml",
    );
    let slow =
        Failure::new(FailureCode::Limit(Limit::Deadline), "it ran past its deadline of 30 s");
    let advice = finding("acme/odd-name", Severity::High, "the name is odd", None).harmless();
    let tasks = vec![
        task("acme", "bert", None, checked(), vec![advice]),
        task("formats", "bert", None, Ending::Failed(fuel), Vec::new()),
        task(
            "license",
            "bert",
            None,
            Ending::Checked(vec![Fact {
                key: "concluded".to_owned(),
                value: GuestText::capped("GPL-3.0"),
            }]),
            vec![
                card,
                guess,
                finding(
                    "license/note",
                    Severity::Info,
                    "the card has a front matter",
                    Some(path("README.md")),
                )
                .line(11),
            ],
        ),
        task("pickle", "bert", Some("model.safetensors"), checked(), vec![global]),
        task("acme", "big", None, Ending::Failed(slow), Vec::new()),
    ];
    let mut report = report(&["acme", "formats", "license", "pickle"], vec![bert, big], tasks);
    report.tasks.sort_by(|a, b| (&a.model, &a.plugin).cmp(&(&b.model, &b.plugin)));
    report.models.sort_by(|a, b| a.name.cmp(&b.name));
    report.plugins[0].advisory = true;
    report.required = vec![id("license")];
    let input =
        |path: &str| InputFile { path: path.to_owned(), digest: Digest::of(path.as_bytes()) };
    report.inputs = Inputs {
        policy: vec![input("modelhost.toml"), input("models.d/bert.toml")],
        lock: Some(input("modelhost.lock")),
        baseline: None,
    };
    report.reasons = reasons;
    report.decision = Decision::Deny;
    report
}

/// A run that computes no digests.
pub(super) fn scan_only() -> Report {
    let mut report = zero_configuration();
    report.scan_only = Some(ScanOnly { left_out: vec![id("checksum"), id("provenance")] });
    for model in &mut report.models {
        model.tree = None;
        model.files.iter_mut().for_each(|file| file.digest = None);
    }
    report
}

/// A run that takes a digest from the cache.
pub(super) fn trust_stat() -> Report {
    Report { trust_stat: Some(TrustStat { not_hashed: 1 }), ..zero_configuration() }
}

/// A run on a model that would like to act on whoever reads of it.
pub(super) fn hostile() -> Report {
    let names: [&[u8]; 4] = [
        b"\x1b[2J\x1b[1;32mALLOW  0 denied",
        b"a\nDENY  0 denied",
        b"\xff\xfe not UTF-8",
        "right\u{202e}gnp.exe".as_bytes(),
    ];
    let files = names.iter().map(|name| file(name, 10, Judgement::No)).collect();
    let mut evil = model("::error::evil\r\n##[group]x", files);
    evil.path = "models/\u{1b}]0;title\u{7}evil\n".to_owned();
    let not_judged = |file: &FileReport| {
        finding(
            "gate/not-judged",
            Severity::Medium,
            "no plugin judges this file",
            Some(file.path.clone()),
        )
        .blocking()
    };
    evil.findings = evil.files.iter().map(not_judged).collect();
    let name = evil.name.clone();
    let mut worst = finding(
        "pickle/unsafe-global",
        Severity::Critical,
        "calls \u{1b}[31mos.system\u{1b}[0m\n::warning::x",
        Some(path(names[0])),
    )
    .help("nothing \u{9b}2J");
    worst.finding.location.member = Some(GuestText::capped("../../etc/passwd\0"));
    worst.finding.location.offset = Some(u64::MAX);
    let trap =
        Failure::new(FailureCode::Trap, "unreachable\n##vso[task.complete result=Succeeded]")
            .with_help("see \u{1b}[8mhidden\n");
    let mut tasks = vec![
        task("acme", "x", None, Ending::Failed(trap), Vec::new()),
        task(
            "pickle",
            "x",
            None,
            Ending::Checked(vec![Fact {
                key: "k".to_owned(),
                value: GuestText::capped("v\nALLOW"),
            }]),
            vec![worst],
        ),
        task(
            "void",
            "x",
            None,
            Ending::NotApplicable(GuestText::capped("no\u{2028}thing")),
            Vec::new(),
        ),
    ];
    for task in &mut tasks {
        task.model = name.clone();
    }
    let mut report = report(&["acme", "pickle", "void"], vec![evil], tasks);
    report.plugins[0].plugin.manifest.title = "Acme\n\u{1b}[32mcertified".to_owned();
    report.decision = Decision::Deny;
    let about = |decision, kind| Reason { decision, model: Some(name.clone()), kind };
    report.reasons = vec![
        about(Decision::Deny, ReasonKind::Failed { plugin: id("pickle"), file: None }),
        about(
            Decision::Incomplete,
            ReasonKind::Error { plugin: id("acme"), file: None, code: FailureCode::Trap },
        ),
    ];
    let of_file = |file: &FileReport| {
        about(Decision::Incomplete, ReasonKind::NotJudged { file: file.path.clone() })
    };
    report.reasons.extend(report.models[0].files.iter().map(of_file));
    report
}

pub(super) fn timings() -> Timings {
    let ms = Duration::from_millis;
    Timings {
        isolation: "process, without seccomp".to_owned(),
        total: ms(912),
        open: Duration::from_micros(1234),
        resolve: ms(2),
        compile: ms(300),
        hash: ms(400),
        execute: ms(500),
        plugins: vec![PluginTiming {
            plugin: id("pickle"),
            cached: true,
            took: Duration::from_nanos(150_499),
            compile_rss: None,
            rss: Some(30 << 20),
            limits: Limits::default(),
        }],
        tasks: vec![TaskTiming {
            plugin: id("pickle"),
            model: ModelName::new("bert"),
            file: Some(path("model.safetensors")),
            instantiate: Duration::from_micros(60),
            check: ms(12),
            deadline: Duration::from_secs(30),
        }],
    }
}
