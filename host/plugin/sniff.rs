//! What some bytes are, where they are no component: a message that says "this
//! is gzip" saves its reader an hour.
//!
//! Leaves reading a component to `component`.

use std::fmt;

/// The version field of the components of today, and the layer that tells them
/// from core modules.
const COMPONENT: [u8; 4] = [0x0d, 0x00, 0x01, 0x00];
const CORE_MODULE: [u8; 4] = [0x01, 0x00, 0x00, 0x00];
/// How wasmtime marks its machine code among ELF files: the byte of the
/// operating system's ABI.
const ELF_OSABI_WASMTIME: u8 = 200;
/// How much of a text is looked at to call it text.
const TEXT_SAMPLE: usize = 512;

/// What some bytes are, by how they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A component, of the one version there is.
    Component,
    /// WebAssembly without a type: a core module.
    CoreModule,
    /// WebAssembly of a version that nobody here knows.
    OtherWasm,
    /// Nothing.
    Empty,
    /// The first bytes of WebAssembly, and no more.
    CutHeader,
    /// WebAssembly in its text form.
    Wat,
    /// A git-lfs pointer.
    LfsPointer,
    /// A web page.
    Html,
    /// Any other text.
    Text,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by zstd.
    Zstd,
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
    /// Machine code that wasmtime made of a component.
    Precompiled,
    /// A program or library of an operating system.
    Executable,
    /// Something else.
    Unknown,
}

impl Kind {
    /// Returns what `bytes` are, by how they start.
    pub fn of(bytes: &[u8]) -> Self {
        const EXECUTABLES: [&[u8]; 5] =
            [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"!<arch>\n"];
        if let Some(version) = bytes.strip_prefix(b"\0asm") {
            return match version.first_chunk::<4>() {
                Some(&COMPONENT) => Self::Component,
                Some(&CORE_MODULE) => Self::CoreModule,
                Some(_) => Self::OtherWasm,
                None => Self::CutHeader,
            };
        }
        match bytes {
            [] => Self::Empty,
            _ if b"\0asm".starts_with(bytes) => Self::CutHeader,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [0x7f, b'E', b'L', b'F', _, _, _, ELF_OSABI_WASMTIME, ..] => Self::Precompiled,
            _ if EXECUTABLES.iter().any(|magic| bytes.starts_with(magic)) => Self::Executable,
            _ if bytes.get(257..262) == Some(b"ustar") => Self::Tar,
            _ => Self::of_text(bytes),
        }
    }

    fn of_text(bytes: &[u8]) -> Self {
        let sample = &bytes[..bytes.len().min(TEXT_SAMPLE)];
        let text = match std::str::from_utf8(sample) {
            Ok(text) => text,
            // The sample may end within a character.
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(&sample[..error.valid_up_to()]).unwrap_or("")
            }
            Err(_) => return Self::Unknown,
        };
        if text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace()) {
            return Self::Unknown;
        }
        let start = text.trim_start_matches('\u{feff}').trim_start();
        let lower = start.get(..15).unwrap_or(start).to_ascii_lowercase();
        if start.starts_with("(module")
            || start.starts_with("(component")
            || start.starts_with(";;")
        {
            Self::Wat
        } else if start.starts_with("version https://git-lfs") {
            Self::LfsPointer
        } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
            Self::Html
        } else {
            Self::Text
        }
    }

    /// Returns what a person can do who gave such bytes for a plugin.
    pub const fn help(self) -> Option<&'static str> {
        Some(match self {
            Self::CoreModule => {
                "pack it: `modelhost plugin pack --manifest plugin.toml --core FILE -o OUT.wasm`"
            }
            Self::OtherWasm => {
                "a newer modelhost may read it, or build the plugin with an older toolchain"
            }
            Self::Empty | Self::CutHeader => {
                "fetch or build the file again; it was not written to its end"
            }
            Self::Wat => "assemble it first; modelhost takes the binary form alone",
            Self::LfsPointer => "run `git lfs pull` to fetch the file that it stands for",
            Self::Html => "download the file again; a server answered with a page instead",
            Self::Gzip | Self::Zstd | Self::Zip | Self::Tar => {
                "unpack it and give the .wasm file inside"
            }
            Self::Precompiled => {
                "give the component that it was compiled from; machine code from elsewhere is never run"
            }
            Self::Executable | Self::Text | Self::Unknown => {
                "a plugin is the .wasm file that `modelhost plugin pack` wrote"
            }
            Self::Component => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Component => "a component",
            Self::CoreModule => "a core WebAssembly module",
            Self::OtherWasm => "WebAssembly of an unknown version",
            Self::Empty => "empty",
            Self::CutHeader => "cut off within its first eight bytes",
            Self::Wat => "WebAssembly text",
            Self::LfsPointer => "a git-lfs pointer",
            Self::Html => "a web page",
            Self::Text => "text",
            Self::Gzip => "compressed by gzip",
            Self::Zstd => "compressed by zstd",
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
            Self::Precompiled => "machine code that was compiled ahead of time",
            Self::Executable => "a program or library of an operating system",
            Self::Unknown => "no WebAssembly",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_bytes_are() {
        let long = "é".repeat(400);
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let rows: [(&[u8], Kind); 26] = [
            (b"\0asm\x0d\0\x01\0", Kind::Component),
            (b"\0asm\x0d\0\x01\0rest", Kind::Component),
            (b"\0asm\x01\0\0\0", Kind::CoreModule),
            (b"\0asm\x0e\0\x01\0", Kind::OtherWasm),
            (b"\0asm\x01\0\x01\0", Kind::OtherWasm),
            (b"", Kind::Empty),
            (b"\0as", Kind::CutHeader),
            (b"\0asm\x0d\0\x01", Kind::CutHeader),
            (b"(module)", Kind::Wat),
            (b"\n  (component)", Kind::Wat),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", Kind::LfsPointer),
            (b"<!DOCTYPE html><html>", Kind::Html),
            (b"<HTML>", Kind::Html),
            (b"hello\n", Kind::Text),
            (long.as_bytes(), Kind::Text),
            (b"<\xc3", Kind::Text),
            (b"a\0b", Kind::Unknown),
            (b"\xff\xfe", Kind::Unknown),
            (b"\x1f\x8b\x08", Kind::Gzip),
            (b"\x28\xb5\x2f\xfd", Kind::Zstd),
            (b"PK\x03\x04", Kind::Zip),
            (b"\x7fELF\x02\x01\x01\xc8", Kind::Precompiled),
            (b"\x7fELF\x02\x01\x01\x00", Kind::Executable),
            (b"MZ\x90", Kind::Executable),
            (b"\0", Kind::CutHeader),
            (&tar, Kind::Tar),
        ];
        for (bytes, kind) in rows {
            assert_eq!(Kind::of(bytes), kind, "{bytes:?}");
            assert_eq!(kind.help().is_none(), kind == Kind::Component);
        }
    }
}
