//! The 68 opcodes of pickle, the kinds of their arguments, and why a run of them ends.
//!
//! They are read in `decode.rs`; what they do is for `step.rs`.

use crate::source::Fault;

macro_rules! opcodes {
    ($($name:ident = $code:literal, $label:literal;)*) => {
        /// An opcode of pickle.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the names are pickle's own, in pickletools")]
        pub enum Opcode { $($name = $code,)* }

        impl Opcode {
            /// Returns all opcodes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the opcode that `byte` stands for.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($code => Some(Self::$name),)* _ => None }
            }

            /// Returns whether an argument follows it.
            #[must_use]
            #[inline]
            pub const fn has_argument(self) -> bool {
                !matches!(
                    self,
                    Self::Mark | Self::Stop | Self::Pop | Self::PopMark | Self::Dup | Self::None | Self::BinPersId | Self::Reduce
                        | Self::Append | Self::Build | Self::Dict | Self::EmptyDict | Self::Appends | Self::List | Self::EmptyList
                        | Self::Obj | Self::SetItem | Self::Tuple | Self::EmptyTuple | Self::SetItems | Self::NewObj | Self::Tuple1
                        | Self::Tuple2 | Self::Tuple3 | Self::NewTrue | Self::NewFalse | Self::EmptySet | Self::AddItems
                        | Self::FrozenSet | Self::NewObjEx | Self::StackGlobal | Self::Memoize | Self::NextBuffer | Self::ReadOnlyBuffer
                )
            }

            /// Returns the name pickletools gives it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }
    };
}

opcodes! {
    Mark = b'(', "MARK"; Stop = b'.', "STOP"; Pop = b'0', "POP"; PopMark = b'1', "POP_MARK"; Dup = b'2', "DUP";
    Float = b'F', "FLOAT"; Int = b'I', "INT"; BinInt = b'J', "BININT"; BinInt1 = b'K', "BININT1"; Long = b'L', "LONG";
    BinInt2 = b'M', "BININT2"; None = b'N', "NONE"; PersId = b'P', "PERSID"; BinPersId = b'Q', "BINPERSID";
    Reduce = b'R', "REDUCE"; String = b'S', "STRING"; BinString = b'T', "BINSTRING"; ShortBinString = b'U', "SHORT_BINSTRING";
    Unicode = b'V', "UNICODE"; BinUnicode = b'X', "BINUNICODE"; Append = b'a', "APPEND"; Build = b'b', "BUILD";
    Global = b'c', "GLOBAL"; Dict = b'd', "DICT"; EmptyDict = b'}', "EMPTY_DICT"; Appends = b'e', "APPENDS";
    Get = b'g', "GET"; BinGet = b'h', "BINGET"; Inst = b'i', "INST"; LongBinGet = b'j', "LONG_BINGET"; List = b'l', "LIST";
    EmptyList = b']', "EMPTY_LIST"; Obj = b'o', "OBJ"; Put = b'p', "PUT"; BinPut = b'q', "BINPUT";
    LongBinPut = b'r', "LONG_BINPUT"; SetItem = b's', "SETITEM"; Tuple = b't', "TUPLE"; EmptyTuple = b')', "EMPTY_TUPLE";
    SetItems = b'u', "SETITEMS"; BinFloat = b'G', "BINFLOAT"; Proto = 0x80, "PROTO"; NewObj = 0x81, "NEWOBJ";
    Ext1 = 0x82, "EXT1"; Ext2 = 0x83, "EXT2"; Ext4 = 0x84, "EXT4"; Tuple1 = 0x85, "TUPLE1"; Tuple2 = 0x86, "TUPLE2";
    Tuple3 = 0x87, "TUPLE3"; NewTrue = 0x88, "NEWTRUE"; NewFalse = 0x89, "NEWFALSE"; Long1 = 0x8a, "LONG1"; Long4 = 0x8b, "LONG4";
    BinBytes = b'B', "BINBYTES"; ShortBinBytes = b'C', "SHORT_BINBYTES"; ShortBinUnicode = 0x8c, "SHORT_BINUNICODE";
    BinUnicode8 = 0x8d, "BINUNICODE8"; BinBytes8 = 0x8e, "BINBYTES8"; EmptySet = 0x8f, "EMPTY_SET"; AddItems = 0x90, "ADDITEMS";
    FrozenSet = 0x91, "FROZENSET"; NewObjEx = 0x92, "NEWOBJ_EX"; StackGlobal = 0x93, "STACK_GLOBAL"; Memoize = 0x94, "MEMOIZE";
    Frame = 0x95, "FRAME"; ByteArray8 = 0x96, "BYTEARRAY8"; NextBuffer = 0x97, "NEXT_BUFFER"; ReadOnlyBuffer = 0x98, "READONLY_BUFFER";
}

/// What comes with an opcode. Texts and names lie in the [`crate::decode::Decoder`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    #[default]
    None,
    /// An integer; a protocol, an index, an extension code or a frame's length.
    Integer(i64),
    /// A truth value written as INT `00` or `01`.
    Bool(bool),
    /// An integer that needs more than 64 bits.
    Huge,
    /// PyTorch's magic number.
    Magic,
    /// A floating-point number.
    Float,
    /// A string, in [`crate::decode::Decoder::text`].
    Text {
        /// Whether all of it is there.
        whole: bool,
    },
    /// Bytes; [`crate::decode::Decoder::text`] holds the first of them.
    Bytes {
        /// Their offset in the stream.
        start: u64,
        /// How many there are.
        length: u64,
    },
    /// A module and a name, in [`crate::decode::Decoder::module`] and [`crate::decode::Decoder::text`].
    Names {
        /// Whether all of both is there.
        whole: bool,
    },
}

/// Why no further opcode can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The bytes are no pickle from here on.
    Broken(String),
    /// A budget is exhausted: what follows was not looked at.
    Limit(String),
    /// The bytes can't be had.
    Fault(Fault),
}

/// What reading or running one opcode gives; the error is boxed, since it is rare and results are many.
pub type Step<T> = Result<T, Box<Halt>>;

impl From<Fault> for Box<Halt> {
    fn from(fault: Fault) -> Self {
        Self::new(Halt::Fault(fault))
    }
}

/// Ends the run: the bytes are no pickle from here on.
///
/// # Errors
/// Always.
#[cold]
pub fn broken<T>(reason: impl Into<String>) -> Step<T> {
    Err(Box::new(Halt::Broken(reason.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_68_opcodes() {
        assert_eq!(Opcode::ALL.len(), 68);
        for opcode in Opcode::ALL {
            assert_eq!(Opcode::from_byte(*opcode as u8), Some(*opcode));
        }
    }
}
