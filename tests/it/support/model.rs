//! Small models.

/// A safetensors file of one tensor of `values` bytes.
pub(crate) fn safetensors(values: usize) -> Vec<u8> {
    let header =
        format!(r#"{{"weight":{{"dtype":"U8","shape":[{values}],"data_offsets":[0,{values}]}}}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend(std::iter::repeat_n(7, values));
    file
}

/// A pickle that runs `echo` when it is loaded.
pub(crate) fn malicious_pickle() -> Vec<u8> {
    b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R.".to_vec()
}

/// A pickle of a plain dictionary.
pub(crate) fn benign_pickle() -> Vec<u8> {
    b"\x80\x04}\x8c\x01a\x4b\x01s.".to_vec()
}
