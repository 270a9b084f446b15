//! An assembler of pickles, small writers of containers, and the way to run the check on them.
#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses a part")]

use modelhost_check::testing::{self, json};
use modelhost_check::{Answer, Failure, Finding, Severity};
use modelhost_plugin_pickle::Pickle;

/// Writes pickles opcode by opcode.
#[derive(Clone, Default)]
pub(crate) struct Asm(pub(crate) Vec<u8>);

impl Asm {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn proto(n: u8) -> Self {
        Self(vec![0x80, n])
    }

    pub(crate) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    pub(crate) fn global(self, module: &str, name: &str) -> Self {
        self.raw(format!("c{module}\n{name}\n"))
    }

    pub(crate) fn inst(self, module: &str, name: &str) -> Self {
        self.raw(format!("i{module}\n{name}\n"))
    }

    /// A short string of protocol 4.
    pub(crate) fn text(self, text: &str) -> Self {
        let length = u8::try_from(text.len()).expect("a short text");
        self.raw([0x8c, length]).raw(text)
    }

    /// A string of protocol 1.
    pub(crate) fn unicode(self, text: &str) -> Self {
        let length = u32::try_from(text.len()).expect("a text");
        self.raw(b"X").raw(length.to_le_bytes()).raw(text)
    }

    /// A string of protocol 0.
    pub(crate) fn line(self, text: &str) -> Self {
        self.raw(format!("S'{text}'\n"))
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).expect("bytes");
        self.raw(b"B").raw(length.to_le_bytes()).raw(bytes)
    }

    pub(crate) fn int(self, n: i32) -> Self {
        self.raw(b"J").raw(n.to_le_bytes())
    }

    pub(crate) fn stack_global(self, module: &str, name: &str) -> Self {
        self.text(module).text(name).raw([0x93])
    }

    pub(crate) fn tuple1(self) -> Self {
        self.raw([0x85])
    }

    pub(crate) fn tuple2(self) -> Self {
        self.raw([0x86])
    }

    pub(crate) fn reduce(self) -> Self {
        self.raw(b"R")
    }

    pub(crate) fn newobj(self) -> Self {
        self.raw([0x81])
    }

    pub(crate) fn stop(self) -> Vec<u8> {
        self.raw(b".").0
    }
}

/// A pickle that calls `module.name('echo hi')`.
pub(crate) fn call(module: &str, name: &str) -> Vec<u8> {
    Asm::proto(2).global(module, name).unicode("echo hi").tuple1().reduce().stop()
}

/// A harmless pickle.
pub(crate) fn plain() -> Vec<u8> {
    Asm::proto(4).raw(b"}(").text("epoch").int(3).raw(b"u").stop()
}

/// A stored zip member: what the directory and what the local header say.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) local_name: String,
    pub(crate) data: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) local_method: u16,
    pub(crate) flags: u16,
    pub(crate) crc: Option<u32>,
    pub(crate) size: Option<u32>,
    pub(crate) attributes: u32,
    pub(crate) listed: bool,
    pub(crate) offset: Option<u32>,
    pub(crate) plain_size: u32,
    pub(crate) plain_crc: u32,
}

pub(crate) fn member(name: &str, data: &[u8]) -> Member {
    Member {
        name: name.to_owned(),
        local_name: name.to_owned(),
        data: data.to_vec(),
        method: 0,
        local_method: 0,
        flags: 0,
        crc: None,
        size: None,
        attributes: 0,
        listed: true,
        offset: None,
        plain_size: u32::try_from(data.len()).expect("small"),
        plain_crc: crc32fast::hash(data),
    }
}

pub(crate) fn deflated(name: &str, data: &[u8]) -> Member {
    let mut member = member(name, data);
    member.data = miniz_oxide::deflate::compress_to_vec(data, 9);
    member.method = 8;
    member.local_method = 8;
    member
}

/// Writes a zip archive.
pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    let mut count = 0u16;
    for member in members {
        let at = u32::try_from(out.len()).expect("small");
        let packed = u32::try_from(member.data.len()).expect("small");
        let crc = member.crc.unwrap_or(member.plain_crc);
        let size = member.size.unwrap_or(member.plain_size);
        let numbers = |out: &mut Vec<u8>| {
            for n in [crc, packed, size] {
                out.extend_from_slice(&n.to_le_bytes());
            }
        };
        let length = |name: &str| u16::try_from(name.len()).expect("short").to_le_bytes();
        out.extend_from_slice(b"PK\x03\x04\x14\0");
        out.extend_from_slice(&member.flags.to_le_bytes());
        out.extend_from_slice(&member.local_method.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        numbers(&mut out);
        out.extend_from_slice(&length(&member.local_name));
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(member.local_name.as_bytes());
        out.extend_from_slice(&member.data);
        if member.listed {
            count += 1;
            directory.extend_from_slice(b"PK\x01\x02\x14\x03\x14\0");
            directory.extend_from_slice(&member.flags.to_le_bytes());
            directory.extend_from_slice(&member.method.to_le_bytes());
            directory.extend_from_slice(&[0; 4]);
            numbers(&mut directory);
            directory.extend_from_slice(&length(&member.name));
            directory.extend_from_slice(&[0; 8]);
            directory.extend_from_slice(&member.attributes.to_le_bytes());
            directory.extend_from_slice(&member.offset.unwrap_or(at).to_le_bytes());
            directory.extend_from_slice(member.name.as_bytes());
        }
    }
    let start = u32::try_from(out.len()).expect("small");
    let size = u32::try_from(directory.len()).expect("small");
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

/// Writes a tar archive of regular files; the third is the type, the fourth the link's target.
pub(crate) fn tar(members: &[(&str, &[u8], u8, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, data, kind, target) in members {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = *kind;
        header[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header[257..263].copy_from_slice(b"ustar\0");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(data);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Writes a `.npy` file.
pub(crate) fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut out = b"\x93NUMPY\x01\0".to_vec();
    out.extend_from_slice(&u16::try_from(header.len()).expect("short").to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(data);
    out
}

/// Runs the check on a file of this content.
pub(crate) fn run_named(name: &str, bytes: &[u8]) -> Result<Answer, Failure> {
    testing::check::<Pickle>(&testing::Model::new("m").file(name, bytes.to_vec()), json!({}))
}

/// Runs the check on a file whose name says nothing.
pub(crate) fn run(bytes: &[u8]) -> Result<Answer, Failure> {
    run_named("file", bytes)
}

/// Returns the findings; none where the plugin had nothing to say.
pub(crate) fn findings(answer: Result<Answer, Failure>) -> Vec<Finding> {
    match answer {
        Ok(Answer::Checked(observations)) => observations.findings().to_vec(),
        Ok(Answer::NotApplicable(_)) => Vec::new(),
        Err(failure) => panic!("{failure:?}"),
    }
}

/// Returns the worst severity found.
pub(crate) fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// Shows findings, a line each, for messages of failed assertions.
pub(crate) fn shown(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| {
            format!(
                "\n  {:?}[{}] {:?} {}",
                finding.severity,
                finding.rule.name(),
                finding.location,
                finding.message
            )
        })
        .collect()
}

/// Asserts that the check judges the bytes and finds this rule, with a message that holds `says`.
#[track_caller]
pub(crate) fn assert_found(what: &str, bytes: &[u8], rule: &str, says: &str) {
    let found = findings(run(bytes));
    let hit =
        found.iter().any(|finding| finding.rule.name() == rule && finding.message.contains(says));
    assert!(hit, "{what}: no {rule} that says {says:?} among{}", shown(&found));
    assert!(worst(&found) >= Some(Severity::High), "{what}");
}

/// Asserts that the check judges the bytes and finds nothing of medium or above.
#[track_caller]
pub(crate) fn assert_clean(what: &str, bytes: &[u8]) {
    let answer = run(bytes);
    assert!(matches!(answer, Ok(Answer::Checked(_))), "{what}: not judged: {answer:?}");
    let found = findings(answer);
    assert!(worst(&found) < Some(Severity::Medium), "{what}:{}", shown(&found));
}

/// Asserts that the check has nothing to say of the bytes.
#[track_caller]
pub(crate) fn assert_not_claimed(what: &str, bytes: &[u8]) {
    let answer = run(bytes);
    assert!(matches!(answer, Ok(Answer::NotApplicable(_))), "{what}: {answer:?}");
}
