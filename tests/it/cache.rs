//! The cache of compiled plugins: used where it is sound, and never where it
//! is not.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

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

#[test]
fn what_others_own_is_not_used() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    let place = place();
    run(&place).code(1);
    let path = entries(&place).remove(0);
    std::os::unix::fs::chown(&path, Some(65_534), None).expect("given away");
    run(&place).code(1).says("is not used and compiled again").says("compiled honest-fail");
    std::os::unix::fs::chown(place.path().join("cache/compiled"), Some(65_534), None)
        .expect("given away");
    run(&place).code(1).says("no cache of compiled plugins").says("compiled honest-fail");
    for command in ["stat", "prune"] {
        cache(&place, &[command]).code(2).says("the cache folder");
    }
}

#[test]
fn many_runs_share_one_cache() {
    let place = place();
    // Without a secret: they make the key too, one of them first.
    let command = || {
        let args = ["run", "m", "--no-bundled", "--plugins", "plugins", "-vv"];
        let mut command = place.command(&args);
        command.env("MODELHOST_CACHE_DIR", place.path().join("cache"));
        command.env_remove("MODELHOST_CACHE_KEY");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let runs: Vec<_> = (0..32).map(|_| command().spawn().expect("modelhost starts")).collect();
    for run in runs {
        let said = place.said(&run.wait_with_output().expect("modelhost ends"));
        said.code(1);
        assert!(!said.stderr.contains("is not used"), "{said:?}");
    }
    let names = entries(&place);
    assert_eq!(names.len(), 1, "{names:?}");
    place.said(&command().output().expect("modelhost starts")).code(1).says("loaded honest-fail");
}

/// Runs `modelhost cache ARGS` on the place's own cache.
fn cache(place: &Place, args: &[&str]) -> Said {
    let mut command = place.command(&[&["cache"], args].concat());
    command.env("MODELHOST_CACHE_DIR", place.path().join("cache"));
    place.said(&command.output().expect("modelhost starts"))
}

fn age(path: &Path, seconds: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(path).expect("a file");
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
    file.set_modified(then).expect("a time");
}

#[test]
fn a_cache_that_is_not_there_is_empty() {
    let place = Place::new();
    let stat = cache(&place, &["stat", "--json"]).code(0).json();
    assert_eq!(stat["stat"]["entries"]["count"], 0);
    assert_eq!(stat["stat"].get("oldest"), None);
    cache(&place, &["prune"]).code(0).says("removed 0; kept 0");
    assert!(!place.path().join("cache").exists(), "looking makes nothing");
    cache(&place, &["prune", "--older-than", "soon"]).code(2).says("30d");
}

#[test]
fn what_is_not_needed_is_pruned_and_nothing_else() {
    let place = place();
    run(&place).code(1);
    let folder = place.path().join("cache/compiled");
    let own = entries(&place).remove(0);
    let name = own.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
    let entry = name.split_once('-').expect("a build and an entry").1;
    let foreign = folder.join(format!("0123456789abcdef-{entry}"));
    std::fs::copy(&own, &foreign).expect("copied");
    // What a killed run left, and one that is being written.
    std::fs::write(folder.join(".entry-old"), "cut").expect("a file");
    age(&folder.join(".entry-old"), 7200);
    std::fs::write(folder.join(".entry-new"), "cut").expect("a file");
    // What is none of the cache's: a link by an entry's name, to a file and to a
    // folder, a folder by an entry's name, another file.
    place.write("outside/precious", "precious");
    let outside = place.path().join("outside");
    let named = |digit: char| folder.join(format!("{}-{entry}", digit.to_string().repeat(16)));
    symlink(outside.join("precious"), named('1')).expect("a link");
    symlink(&outside, named('2')).expect("a link");
    std::fs::create_dir(named('3')).expect("a folder");
    std::fs::copy(&own, named('3').join(&name)).expect("copied");
    std::fs::write(folder.join("notes.txt"), "mine").expect("a file");
    symlink(outside.join("precious"), folder.join(".entry-link")).expect("a link");

    let stat = cache(&place, &["stat", "--json"]).code(0).json()["stat"].clone();
    assert_eq!(stat["entries"]["count"], 2, "{stat}");
    assert_eq!(stat["of_this_build"]["count"], 1);
    assert_eq!(stat["unfinished"]["count"], 2);
    assert_eq!(stat["others"], 5);
    assert!(stat["entries"]["bytes"].as_u64() > Some(1000));
    assert!(stat["oldest"].as_str().is_some_and(|oldest| oldest.ends_with('Z')));
    cache(&place, &["stat"]).code(0).says("of this build").says("not of the cache's");

    let before = entries(&place);
    cache(&place, &["prune", "--dry-run", "--all"]).code(0).says("would remove 2");
    assert_eq!(entries(&place), before, "nothing was removed");
    let pruned = cache(&place, &["prune", "--json"]).code(0).json()["pruned"].clone();
    assert_eq!(
        (&pruned["entries"]["count"], &pruned["unfinished"]["count"]),
        (&1.into(), &1.into())
    );
    assert!(!foreign.exists() && !folder.join(".entry-old").exists());
    assert_eq!(entries(&place).len(), before.len() - 2);
    run(&place).code(1).says("loaded honest-fail");

    age(&own, 3 * 86_400);
    cache(&place, &["prune", "--older-than", "4d"]).code(0).says("removed 0; kept 1");
    cache(&place, &["prune", "--older-than", "2d"]).code(0).says("removed 1").says("kept 0");
    run(&place).code(1).says("compiled honest-fail");
    cache(&place, &["prune", "--all", "-q"]).code(0);
    assert_eq!(entries(&place).len(), 5, "what is none of the cache's is left");
    assert_eq!(place.read("outside/precious"), "precious");
    assert_eq!(std::fs::read_dir(named('3')).expect("a folder").count(), 1);

    // A link in place of the folder is no cache.
    let real = place.path().join("cache/elsewhere");
    std::fs::rename(&folder, &real).expect("renamed");
    symlink(&real, &folder).expect("a link");
    cache(&place, &["prune", "--all"]).code(2).says("the cache folder");
    cache(&place, &["stat"]).code(2);
}
