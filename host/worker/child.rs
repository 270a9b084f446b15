//! The worker itself: locks itself in, then does what its parent asks, one thing
//! at a time, for one plugin.
//!
//! Leaves the parts of the wall to `wall`.
//!
//! # Invariants
//! - The wall stands before a byte of a plugin is read.
//! - It ends when its parent does.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use rustix::event::{PollFd, PollFlags, poll};

use super::channel::{Broken, Channel, Patience};
use super::isolation::Isolation;
use super::protocol::{
    FileRow, FromWorker, Load, MAX_TO_WORKER, ROWS, Ready, TaskRow, ToWorker, VERSION,
};
use super::{sealed, translate, wall};
use crate::domain::capability::Limits;
use crate::domain::lineage::Base;
use crate::domain::model::{FilePath, LockEntry};
use crate::domain::registry::Registered;
use crate::domain::text::GuestText;
use crate::engine::engine::THREAD_STACK;
use crate::engine::{Engine, Linked, Run, View};
use crate::model::{ChunkKey, Descriptors, FileHandle, ReadError};

/// How many of the model's files are kept open.
const OPEN_FILES: usize = 32;

/// The code of a worker that could not do its work.
const FAULT: u8 = 70;

/// The code of a worker whose standard input is no socket.
const USAGE: u8 = 2;

/// Serves as a worker: the whole of `modelhost worker`. Its standard input is
/// the socket to the gate that started it.
pub fn serve() -> ExitCode {
    if rustix::net::sockopt::socket_type(rustix::stdio::stdin()).is_err() {
        // Started by hand: there is nobody to serve.
        return ExitCode::from(USAGE);
    }
    wall::close_descriptors();
    // The socket moves away from the standard input, which becomes empty.
    let Ok(socket) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3) else {
        return ExitCode::from(FAULT);
    };
    if !empty_stdin() {
        return ExitCode::from(FAULT);
    }
    let mut isolation = wall::raise_first();
    let (Ok(watched), Ok(engine)) = (socket.try_clone(), Engine::new()) else {
        return ExitCode::from(FAULT);
    };
    let Ok(channel) = Channel::new(UnixStream::from(socket), 0) else {
        return ExitCode::from(FAULT);
    };

    let (up, is_up) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let serving = std::thread::Builder::new()
        .name("serve".to_owned())
        .stack_size(THREAD_STACK)
        .spawn(move || {
            let _ = up.send(());
            let Ok(isolation) = may_go.recv() else { return };
            let mut server = Server {
                engine: Arc::new(engine),
                link: Arc::new(Link { channel: Mutex::new(channel), open: Mutex::default() }),
                isolation,
                plugin: None,
                lock: None,
                lineage: Arc::new([]),
                registered: None,
                files: Vec::new(),
                never: Arc::new(AtomicBool::new(false)),
            };
            server.serve();
            #[expect(
                clippy::exit,
                clippy::disallowed_methods,
                reason = "with the server the process is done, whatever else waits"
            )]
            std::process::exit(0);
        });
    if serving.is_err() || is_up.recv().is_err() {
        return ExitCode::from(FAULT);
    }
    wall::raise_rest(&mut isolation);
    if go.send(isolation).is_err() {
        return ExitCode::from(FAULT);
    }
    // Ends when the other side is gone, whatever runs here.
    hung_up(&watched);
    ExitCode::SUCCESS
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one path that a worker opens, before it can't any more"
)]
fn empty_stdin() -> bool {
    File::open("/dev/null").is_ok_and(|null| rustix::stdio::dup2_stdin(&null).is_ok())
}

fn hung_up(socket: &OwnedFd) {
    // No events: that the other side hung up is told in any case.
    while !matches!(poll(&mut [PollFd::new(socket, PollFlags::empty())], None), Ok(1..)) {}
}

/// The way to the gate, shared with the handles of the view's files.
#[derive(Debug)]
struct Link {
    channel: Mutex<Channel>,
    /// The files that are open, by their index; the one used longest ago first.
    open: Mutex<VecDeque<(u32, Arc<File>)>>,
}

impl Link {
    fn channel(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, message: &FromWorker) -> Result<(), Broken> {
        self.channel().send(message, &[], Patience::ENDLESS)
    }

    /// Returns the descriptor of the file at `index`, and those that came with it
    /// of the files behind.
    fn ask(&self, index: u32) -> Result<Result<Vec<File>, ReadError>, Broken> {
        self.say(&FromWorker::Open { index })?;
        let (answer, descriptors) = self.channel().receive_with_descriptors(MAX_TO_WORKER)?;
        match (answer, descriptors.is_empty()) {
            (ToWorker::Opened(Ok(())), false) => {
                Ok(Ok(descriptors.into_iter().map(File::from).collect()))
            }
            (ToWorker::Opened(Err(row)), true) => Ok(Err(translate::read_error(row))),
            _ => Err(Broken::Rules("no answer about a file")),
        }
    }
}

impl Descriptors for Link {
    fn descriptor(&self, index: u32) -> Result<Arc<File>, ReadError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) =
            open.iter().rposition(|(other, _)| *other == index).and_then(|place| open.remove(place))
        {
            let file = Arc::clone(&entry.1);
            open.push_back(entry);
            return Ok(file);
        }
        let files = self.ask(index).map_err(|error| ReadError::Io(error.to_string()))??;
        // The one that was asked for comes last, so that it is kept longest.
        let files: Vec<_> = (index..).zip(files).collect();
        for (index, file) in files.into_iter().rev() {
            while open.len() >= OPEN_FILES {
                open.pop_front();
            }
            open.push_back((index, Arc::new(file)));
        }
        let asked = open.back().filter(|(last, _)| *last == index);
        let asked = asked.ok_or_else(|| ReadError::Io("it was not handed over".to_owned()))?;
        Ok(Arc::clone(&asked.1))
    }
}

/// The plugin that is served.
struct Plugin {
    linked: Linked,
    limits: Limits,
    settings: String,
    documents: Arc<BTreeMap<String, Arc<[u8]>>>,
}

struct Server {
    engine: Arc<Engine>,
    link: Arc<Link>,
    isolation: Isolation,
    plugin: Option<Plugin>,
    lock: Option<LockEntry>,
    lineage: Arc<[Base]>,
    registered: Option<Registered>,
    files: Vec<Arc<FileHandle>>,
    never: Arc<AtomicBool>,
}

impl Server {
    /// Does what it is asked until the gate hangs up, or breaks the rules.
    fn serve(&mut self) {
        loop {
            let received = self.link.channel().receive_with_descriptors(MAX_TO_WORKER);
            let Ok((message, descriptors)) = received else { break };
            let done = catch_unwind(AssertUnwindSafe(|| self.answer(message, descriptors)));
            let said = match done {
                Ok(Ok(())) => Ok(()),
                Ok(Err(Broken::Gone)) => break,
                Ok(Err(error)) => self.link.say(&FromWorker::Fault(error.to_string())),
                Err(panic) => self.link.say(&FromWorker::Fault(text(panic.as_ref()))),
            };
            if said.is_err() {
                break;
            }
        }
    }

    fn answer(&mut self, message: ToWorker, descriptors: Vec<OwnedFd>) -> Result<(), Broken> {
        let mut descriptors = descriptors.into_iter().map(File::from);
        match message {
            ToWorker::Hello => self.link.say(&FromWorker::Ready(Ready {
                version: VERSION,
                build: env!("CARGO_PKG_VERSION").to_owned(),
                rlimits: self.isolation.rlimits,
                no_new_privileges: self.isolation.no_new_privileges,
                landlock: self.isolation.landlock,
                seccomp: self.isolation.seccomp,
            })),
            ToWorker::Compile { length } => self.compile(&handed(descriptors.next())?, length),
            ToWorker::Load(load) => {
                let code = handed(descriptors.next())?;
                let loaded = self.load(*load, &code, descriptors.next())?;
                drop(code);
                self.link.say(&FromWorker::Loaded(loaded))
            }
            ToWorker::Lock(head) => {
                self.lock = head.map(translate::lock_entry);
                Ok(())
            }
            ToWorker::LockedFiles(rows) => {
                let lock =
                    self.lock.as_mut().ok_or(Broken::Rules("locked files without an entry"))?;
                lock.files.extend(rows.into_iter().map(translate::locked_file));
                Ok(())
            }
            ToWorker::Lineage(rows) => {
                self.lineage = rows.into_iter().map(translate::base).collect();
                Ok(())
            }
            ToWorker::Registry(row) => {
                let set = row.map(translate::set);
                self.registered = set.map(|set| Registered { set, entries: Vec::new() });
                Ok(())
            }
            ToWorker::RegistryEntry(row) => {
                let entry = translate::entry(*row).ok_or(Broken::Rules("no such standing"))?;
                let registered = self.registered.as_mut();
                let registered = registered.ok_or(Broken::Rules("an entry of no registry"))?;
                registered.entries.push(Arc::new(entry));
                Ok(())
            }
            ToWorker::RegistryFiles(rows) => {
                let entries = self.registered.as_mut().map(|registered| &mut registered.entries);
                let entry = entries.and_then(|entries| entries.last_mut()).and_then(Arc::get_mut);
                let entry = entry.ok_or(Broken::Rules("files of no entry"))?;
                entry.files.extend(rows.into_iter().map(translate::registered_file));
                Ok(())
            }
            ToWorker::Files(rows) => self.show(rows),
            ToWorker::Task(task) => self.task(*task, descriptors),
            ToWorker::Opened(_) => Err(Broken::Rules("an answer that nobody asked for")),
        }
    }

    /// Takes away what is left of writing, which neither compiling nor a guest
    /// needs.
    fn write_no_more(&self) -> Result<(), Broken> {
        if wall::write_no_more() || !self.isolation.rlimits {
            return Ok(());
        }
        Err(Broken::Rules("it can't give up writing"))
    }

    fn compile(&self, component: &File, length: u64) -> Result<(), Broken> {
        self.write_no_more()?;
        let bytes = sealed::read(component, 0, length).map_err(|error| Broken::Io(error.kind()))?;
        match self.engine.compile_to_code(&bytes) {
            Ok(code) => {
                self.link.say(&FromWorker::Compiled(Ok(code.len() as u64)))?;
                self.link.channel().send_raw(&code, Patience::ENDLESS)
            }
            Err(error) => self.link.say(&FromWorker::Compiled(Err(short(&error.to_string())))),
        }
    }

    fn load(
        &mut self,
        load: Load,
        code: &File,
        documents: Option<File>,
    ) -> Result<Result<(), String>, Broken> {
        let io = |error: std::io::Error| Broken::Io(error.kind());
        if self.plugin.is_some() {
            return Err(Broken::Rules("a second plugin"));
        }
        let mapped = sealed::Mapped::new(code, load.code).map_err(io)?;
        let limits = translate::limits(&load.limits);
        let engine =
            self.engine.with_stack(limits.stack).map_err(|_| Broken::Rules("no engine"))?;
        #[expect(
            unsafe_code,
            reason = "native code can be checked by nobody; this process is walled in for it"
        )]
        // SAFETY: the gate hands over what a worker of this plugin compiled, as
        // it came or from an entry whose MAC it verified. If that worker was not
        // itself, the code is the plugin's still, and this process is the
        // plugin's alone: it is locked in, holds no secret, and its answers are
        // taken for hostile.
        let compiled = unsafe { engine.load_code(mapped.bytes()) };
        let compiled = compiled.map_err(|_| Broken::Rules("the code is not of this engine"))?;
        drop(mapped);
        compiled.make_images().map_err(|_| Broken::Rules("no room for its memory"))?;
        self.write_no_more()?;
        let mut granted = BTreeMap::new();
        let mut start = 0;
        for (name, length) in load.documents {
            let file = documents.as_ref().ok_or(Broken::Rules("no documents came"))?;
            granted.insert(name, sealed::read(file, start, length).map_err(io)?.into());
            start += length;
        }
        let linked = match engine.link(&compiled, &translate::grants(&load.grants)) {
            Ok(linked) => linked,
            Err(failure) => return Ok(Err(failure.message.to_string())),
        };
        self.plugin =
            Some(Plugin { linked, limits, settings: load.settings, documents: Arc::new(granted) });
        Ok(Ok(()))
    }

    /// Takes in some files of the task to come.
    fn show(&mut self, rows: Vec<FileRow>) -> Result<(), Broken> {
        let from: Arc<dyn Descriptors> = Arc::clone(&self.link) as _;
        for row in rows {
            let index =
                u32::try_from(self.files.len()).map_err(|_| Broken::Rules("too many files"))?;
            let path = FilePath::from_written(row.path);
            let handle = FileHandle::handed(&from, index, path, row.size);
            if let Some(hashed) = row.hashed {
                handle.note_hashed(translate::hashed(hashed));
            }
            self.files.push(Arc::new(handle));
        }
        Ok(())
    }

    fn task(
        &mut self,
        mut row: TaskRow,
        descriptors: impl Iterator<Item = File>,
    ) -> Result<(), Broken> {
        self.show(std::mem::take(&mut row.files))?;
        {
            // What is open belongs to the files of the task before.
            let mut open = self.link.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.clear();
            open.extend(row.handed.iter().copied().zip(descriptors.map(Arc::new)));
        }
        let plugin = self.plugin.as_ref().ok_or(Broken::Rules("a task without a plugin"))?;
        let lock = self.lock.take().map(Arc::new);
        let registered = self.registered.take().map(Arc::new);
        let view = View {
            name: row.name.into(),
            files: std::mem::take(&mut self.files).into(),
            definition: row.definition.map(translate::definition),
            lock: lock.clone(),
            lineage: Arc::clone(&self.lineage),
            registered: registered.clone(),
            documents: Arc::clone(&plugin.documents),
            now: row.now,
            key: ChunkKey::from_bytes(row.key),
        };
        let mut ran = self.engine.run(Run {
            linked: &plugin.linked,
            view: &view,
            settings: &plugin.settings,
            limits: &plugin.limits,
            interrupted: &self.never,
        });
        drop(view);
        // Kept for the next task on this model, which is not told it again.
        self.lock = lock.and_then(Arc::into_inner);
        self.registered = registered.and_then(Arc::into_inner);
        let mut chunks = translate::chunk_rows(std::mem::take(&mut ran.chunks));
        loop {
            let rows: Vec<_> = chunks.by_ref().take(ROWS).collect();
            if rows.is_empty() {
                break;
            }
            self.link.say(&FromWorker::Chunks(rows))?;
        }
        self.link.say(&FromWorker::Done(Box::new(translate::done_row(ran))))
    }
}

fn handed(descriptor: Option<File>) -> Result<File, Broken> {
    descriptor.ok_or(Broken::Rules("no descriptor came"))
}

/// What a panic said.
fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    short(
        &said
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic".to_owned()),
    )
}

fn short(text: &str) -> String {
    GuestText::capped(text).to_string()
}
