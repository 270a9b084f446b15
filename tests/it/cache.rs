//! The cache of compiled plugins: used where it is sound, and never where it
//! is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::command::{Place, Said};
use crate::support::component::{self, Guest};
use crate::support::model;

/// A place with a model, a plugin, and a cache of its own.
fn place() -> Place {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    component::write(&place.path().join("plugins"), "honest", &Guest::read("honest-fail").plugin);
    place
}

fn run(place: &Place) -> Said {
    run_keyed(place, "secret")
}

fn run_keyed(place: &Place, key: &str) -> Said {
    let mut command = place.command(&["run", "m", "--no-bundled", "--plugins", "plugins", "-vv"]);
    command.env("MODELHOST_CACHE_DIR", place.path().join("cache")).env("MODELHOST_CACHE_KEY", key);
    place.said(&command.output().expect("modelhost starts"))
}

fn entries(place: &Place) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(place.path().join("cache/compiled")).expect("the cache");
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("an entry");
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 0x20;
    std::fs::write(path, bytes).expect("an entry");
}

#[test]
fn a_sound_entry_is_used() {
    let place = place();
    run(&place).code(1).says("compiled honest-fail");
    assert_eq!(entries(&place).len(), 1);
    run(&place).code(1).says("loaded honest-fail");
    let mode = std::fs::metadata(place.path().join("cache/compiled"))
        .expect("the folder")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn an_odd_entry_is_never_used_and_made_anew() {
    let place = place();
    run(&place).code(1);
    let path = entries(&place).remove(0);
    let good = std::fs::read(&path).expect("an entry");
    type Spoil<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let spoil: [Spoil<'_>; 9] = [
        ("first byte", Box::new(|| flip(&path, 0))),
        ("identity", Box::new(|| flip(&path, 12))),
        ("length", Box::new(|| flip(&path, 41))),
        ("code", Box::new(|| flip(&path, good.len() / 2))),
        ("mac", Box::new(|| flip(&path, usize::MAX))),
        ("cut", Box::new(|| std::fs::write(&path, &good[..good.len() - 1]).expect("an entry"))),
        ("empty", Box::new(|| std::fs::write(&path, b"").expect("an entry"))),
        (
            "longer",
            Box::new(|| std::fs::write(&path, [&good[..], b"x"].concat()).expect("an entry")),
        ),
        (
            "others may write",
            Box::new(|| {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666))
                    .expect("permissions");
            }),
        ),
    ];
    for (what, spoil) in spoil {
        spoil();
        let said = run(&place);
        said.code(1).says("is not used and compiled again").says("compiled honest-fail");
        assert!(!said.stderr.contains("loaded honest-fail"), "{what}");
        run(&place).code(1).says("loaded honest-fail");
    }
}

#[test]
fn entries_do_not_stand_in_for_each_other() {
    let place = place();
    run(&place).code(1);
    let first = entries(&place).remove(0);
    component::write(&place.path().join("plugins"), "honest", &Guest::read("honest-pass").plugin);
    run(&place).code(3);
    let second = entries(&place).into_iter().find(|path| *path != first).expect("two entries");
    // The one that denies is replaced by the one that passes, MAC and all.
    std::fs::copy(&second, &first).expect("copied");
    component::write(&place.path().join("plugins"), "honest", &Guest::read("honest-fail").plugin);
    run(&place).code(1).says("is not used and compiled again");
    // A link to an entry is no entry.
    std::fs::remove_file(&first).expect("removed");
    std::os::unix::fs::symlink(&second, &first).expect("a link");
    run(&place).code(1).says("is not used and compiled again");
}

#[test]
fn another_key_opens_nothing() {
    let place = place();
    run_keyed(&place, "one").code(1).says("compiled honest-fail");
    run_keyed(&place, "two").code(1).says("is not used and compiled again");
}

#[test]
fn without_a_place_for_it_everything_is_compiled() {
    let place = place();
    place.write("file", "");
    let mut command = place.command(&["run", "m", "--no-bundled", "--plugins", "plugins"]);
    command.env("MODELHOST_CACHE_DIR", place.path().join("file"));
    place
        .said(&command.output().expect("modelhost starts"))
        .code(1)
        .says("no cache of compiled plugins");
    place.modelhost(&["run", "m", "--no-bundled", "--plugins", "plugins", "--no-cache"]).code(1);
}
