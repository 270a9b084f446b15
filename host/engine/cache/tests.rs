//! Entries that somebody changed: none is loaded.

use super::*;

/// A folder with a cache, an engine, and a component.
fn stage() -> (tempfile::TempDir, Cache, Engine, Digest) {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::with_secret(&folder.path().join("compiled"), b"secret").expect("a cache");
    (folder, cache, Engine::new().expect("an engine"), Digest::of(b"a component"))
}

/// Writes each change of a sound entry to its place, and asserts that it is not
/// loaded, and gone afterwards.
fn refuses_all(path: &Path, load: impl Fn() -> bool) {
    let good = std::fs::read(path).expect("an entry");
    assert!(load(), "it is sound");
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(path, bytes).expect("written");
        assert!(!load(), "{what}");
        assert!(!path.exists(), "{what}: it is still there");
    };
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        refused(&bytes, &format!("byte {at} flipped"));
    }
    for length in (0..good.len()).step_by(good.len() / 200 + 1).chain([good.len() - 1]) {
        refused(&good[..length], &format!("cut at {length}"));
    }
    refused(&[&good[..], b"x"].concat(), "longer");
    refused(&[&good[..], &good[..]].concat(), "twice");
    std::fs::write(path, &good).expect("written");
    assert!(load(), "it is sound again");
}

#[test]
fn code_of_a_worker_is_taken_whole_and_unchanged_alone() {
    let (_folder, cache, engine, component) = stage();
    let code: Vec<u8> = (0..700_u32).map(|at| u8::try_from(at % 251).expect("small")).collect();
    cache.store_code(&engine, component, &mut code.as_slice(), code.len() as u64);
    let path = cache.path(&identity(&engine, component, Compiler::Worker));
    refuses_all(&path, || {
        let mut copied = Vec::new();
        let sound = cache.load_code(&engine, component, &mut copied);
        assert!(!sound || copied == code);
        sound
    });
}

#[test]
fn code_of_this_process_is_taken_whole_and_unchanged_alone() {
    let (_folder, cache, engine, _) = stage();
    let bytes = wat::parse_str("(component)").expect("a component");
    let component = Digest::of(&bytes);
    engine.compile(&bytes, component, Some(&cache)).expect("compiled");
    let path = cache.path(&identity(&engine, component, Compiler::InProcess));
    refuses_all(&path, || cache.load(&engine, component).is_some());
    // Nor is it taken for a worker's.
    let other = cache.path(&identity(&engine, component, Compiler::Worker));
    std::fs::copy(&path, &other).expect("copied");
    assert!(!cache.load_code(&engine, component, &mut Vec::new()));
}

#[test]
fn what_an_entry_is_for_is_told_inside_of_it() {
    let (_folder, cache, engine, component) = stage();
    let other = Digest::of(b"another");
    for (component, code) in [(component, b"one"), (other, b"two")] {
        cache.store_code(&engine, component, &mut code.as_slice(), 3);
    }
    let [one, two] = [component, other]
        .map(|component| cache.path(&identity(&engine, component, Compiler::Worker)));
    let swap = tempfile::NamedTempFile::new_in(&cache.folder).expect("a name").into_temp_path();
    std::fs::copy(&one, &swap).expect("copied");
    std::fs::copy(&two, &one).expect("copied");
    std::fs::copy(&swap, &two).expect("copied");
    for component in [component, other] {
        assert!(!cache.load_code(&engine, component, &mut Vec::new()), "swapped");
    }
    // One of another build has another name and another identity.
    let mut foreign = identity(&engine, component, Compiler::Worker);
    foreign.of_entry[0] ^= 1;
    cache.keep(&foreign, &mut b"new".as_slice(), 3);
    std::fs::rename(cache.path(&foreign), &one).expect("renamed");
    assert!(!cache.load_code(&engine, component, &mut Vec::new()), "of another build");
}

#[test]
fn what_is_not_written_whole_has_no_name() {
    let (_folder, cache, engine, component) = stage();
    // Less code than was promised.
    cache.store_code(&engine, component, &mut b"cut".as_slice(), 4);
    assert_eq!(std::fs::read_dir(&cache.folder).expect("the folder").count(), 0);
}
