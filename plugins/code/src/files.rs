//! Owns telling by its first bytes, and where these don't say it, by its name,
//! whether a file is a program or a script. Leaves what that means beside which
//! configuration to `survey`.

/// How many bytes are looked at: enough for every magic and an interpreter's line.
pub const HEAD: u32 = 256;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program or library of native code, and of which system.
    Native(&'static str),
    /// Python's source.
    Python,
    /// Python that loaders run by the file's name, and which.
    Run(&'static str),
    /// Python that was compiled.
    Bytecode,
    /// A script of another language, or a file that has a system start something.
    Script,
    /// Anything else.
    Other,
}

/// Tells what a file is. For a Windows program, `pe` says whether the header that
/// the first bytes name is there.
#[must_use]
pub fn kind(path: &str, head: &[u8], pe: impl FnOnce(u64) -> bool) -> Kind {
    if let Some(system) = native(head, pe) {
        return Kind::Native(system);
    }
    let name = crate::config::name_of(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let run = match name.as_str() {
        "handler.py" => Some("inference endpoints"),
        // The folder of SageMaker's containers.
        "inference.py" if path.to_ascii_lowercase().ends_with("code/inference.py") => {
            Some("SageMaker")
        }
        "hubconf.py" => Some("`torch.hub.load`"),
        "sitecustomize.py" | "usercustomize.py" => Some("Python at its start"),
        "generate.py" if path.to_ascii_lowercase().ends_with("custom_generate/generate.py") => {
            Some("`generate` with `custom_generate`")
        }
        _ if extension == "pth" && imports(head) => {
            Some("Python at its start, from where packages are")
        }
        _ => None,
    };
    if let Some(tool) = run {
        return Kind::Run(tool);
    }
    if matches!(extension, "pyc" | "pyo") {
        return Kind::Bytecode;
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let interpreter = line.strip_prefix(b"#!").map(|line| String::from_utf8_lossy(line));
    if matches!(extension, "py" | "pyw" | "pyx" | "ipynb") {
        return Kind::Python;
    }
    match interpreter {
        Some(line) if line.contains("python") => Kind::Python,
        // `#![attribute]` begins no script.
        Some(line) if line.trim_start().starts_with('/') => Kind::Script,
        _ if is_script(&name, extension) => Kind::Script,
        _ => Kind::Other,
    }
}

fn native(head: &[u8], pe: impl FnOnce(u64) -> bool) -> Option<&'static str> {
    match head {
        [0x7f, b'E', b'L', b'F', ..] => Some("Linux"),
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => Some("macOS"),
        // A universal binary of at most some architectures; a Java class has its version there.
        [0xca, 0xfe, 0xba, 0xbe | 0xbf, 0, 0, 0, ..] => Some("macOS, or of Java"),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Some("WebAssembly"),
        [b'd', b'e', b'x', b'\n', b'0', ..] => Some("Android"),
        [b'M', b'Z', b'q', b'F', b'p', b'D', b'=', b'\'', ..]
        | [b'j', b'a', b'r', b't', b's', b'r', b'=', b'\'', ..] => Some("several systems"),
        [b'M', b'Z', ..] => {
            let offset: [u8; 4] = head.get(0x3c..0x40)?.try_into().ok()?;
            pe(u64::from(u32::from_le_bytes(offset))).then_some("Windows")
        }
        _ => None,
    }
}

fn is_script(name: &str, extension: &str) -> bool {
    let script = matches!(
        extension,
        "sh" | "bash"
            | "zsh"
            | "csh"
            | "fish"
            | "bat"
            | "cmd"
            | "ps1"
            | "psm1"
            | "vbs"
            | "wsf"
            | "hta"
            | "lnk"
    );
    let service = matches!(extension, "service" | "timer" | "desktop" | "plist");
    script
        || service
        || matches!(
            name,
            "crontab" | "authorized_keys" | "autorun.inf" | ".bashrc" | ".profile" | ".envrc"
        )
}

/// Says whether a text has a line that Python runs in a `.pth` file.
fn imports(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    let is_text = head.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace());
    is_text && lines.any(|line| line.starts_with(b"import ") || line.starts_with(b"import\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_before_names() {
        let mut windows = b"MZ".to_vec();
        windows.resize(0x80, 0);
        windows[0x3c] = 0x80;
        for (path, head, expected) in [
            ("model.safetensors", &b"\x7fELF\x02\x01"[..], Kind::Native("Linux")),
            ("a.txt", &windows, Kind::Native("Windows")),
            ("a.txt", b"MZ is a prefix", Kind::Other),
            ("a", b"\xcf\xfa\xed\xfe", Kind::Native("macOS")),
            ("a", b"\xca\xfe\xba\xbe\0\0\0\x02", Kind::Native("macOS, or of Java")),
            ("a", b"MZqFpD='\n", Kind::Native("several systems")),
            ("modeling_x.py", b"", Kind::Python),
            ("run", b"#!/usr/bin/env python3\n", Kind::Python),
            ("run", b"#!/bin/sh\n", Kind::Script),
            ("run.SH", b"echo", Kind::Script),
            ("code/inference.py", b"", Kind::Run("SageMaker")),
            ("inference.py", b"", Kind::Python),
            ("a.bin", b"\0asm\x01\0\0\0", Kind::Native("WebAssembly")),
            ("lib.rs", b"#![no_std]", Kind::Other),
            ("handler.py", b"", Kind::Run("inference endpoints")),
            ("x.pth", b"import os\n", Kind::Run("Python at its start, from where packages are")),
            ("x.pth", b"PK\x03\x04\nimport os", Kind::Other),
            ("README.md", b"# Model\n", Kind::Other),
            ("config.json", b"{", Kind::Other),
        ] {
            assert_eq!(kind(path, head, |at| at == 0x80), expected, "{path}");
        }
    }
}
