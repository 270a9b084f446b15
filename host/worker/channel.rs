//! Moves frames over a worker's socket, and descriptors beside them.
//!
//! Leaves what frames say to `protocol`.
//!
//! # Invariants
//! - Whoever waits for the other side says how long, and until what happens.
//! - A length is checked against what is expected before anything is allocated,
//!   and memory grows no faster than bytes arrive.
//! - A frame that does not bear the number of the exchange it belongs to is not
//!   taken.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{Malformed, decode, encode};

/// Length of a frame's header: the body's length, the exchange's number.
const HEADER: usize = 8;

/// The most descriptors beside one frame: a plugin's code and its documents, or
/// files of a view.
pub(super) const DESCRIPTORS: usize = 16;

/// How much is read at a time.
const CHUNK: usize = 64 << 10;

/// How often whoever waits looks whether the run was interrupted.
const LOOK: Duration = Duration::from_millis(20);

/// Why nothing could be exchanged.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The time is up.
    #[error("it gave no answer in time")]
    Late,
    /// The run was interrupted.
    #[error("the run was interrupted")]
    Interrupted,
    /// The other side is gone.
    #[error("it ended")]
    Gone,
    /// What came is no frame, or not the one that is due.
    #[error("it broke the rules of talking to the gate: {0}")]
    Rules(&'static str),
    /// The system failed.
    #[error("it can't be talked to: {0}")]
    Io(io::ErrorKind),
}

impl From<Malformed> for Broken {
    fn from(_: Malformed) -> Self {
        Self::Rules("a frame is malformed")
    }
}

/// How long to wait for the other side.
#[derive(Clone, Copy)]
pub(super) struct Patience<'a> {
    /// Until when; none: for ever.
    pub(super) until: Option<Instant>,
    /// Ends the waiting early.
    pub(super) interrupted: Option<&'a AtomicBool>,
}

impl Patience<'_> {
    /// Waits for ever.
    pub(super) const ENDLESS: Self = Patience { until: None, interrupted: None };

    /// Returns how long to wait before looking again.
    #[expect(clippy::disallowed_methods, reason = "measures how long the other side takes")]
    fn next(&self) -> Result<Option<Duration>, Broken> {
        if self.interrupted.is_some_and(|interrupted| interrupted.load(Ordering::Relaxed)) {
            return Err(Broken::Interrupted);
        }
        let look = self.interrupted.map(|_| LOOK);
        let Some(until) = self.until else { return Ok(look) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Broken::Late);
        }
        Ok(Some(look.map_or(left, |look| look.min(left))))
    }
}

/// One end of the socket between the gate and a worker.
#[derive(Debug)]
pub(super) struct Channel {
    socket: UnixStream,
    /// The number of the exchange that is on.
    pub(super) exchange: u32,
}

impl Channel {
    /// Takes an end; exchanges are counted from `first`.
    pub(super) fn new(socket: UnixStream, first: u32) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, exchange: first })
    }

    /// Returns the socket.
    #[cfg(test)]
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.socket)
    }

    /// Sends `message`, with `descriptors` beside it.
    pub(super) fn send(
        &self,
        message: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
        patience: Patience<'_>,
    ) -> Result<(), Broken> {
        let body = encode(message);
        let length = u32::try_from(body.len()).map_err(|_| Broken::Rules("a frame is too long"))?;
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..].copy_from_slice(&self.exchange.to_le_bytes());
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Broken::Rules("too many descriptors"));
        }
        let whole = HEADER + body.len();
        let mut sent = 0;
        while sent < whole {
            let slices = if sent < HEADER {
                [IoSlice::new(&header[sent..]), IoSlice::new(&body)]
            } else {
                [IoSlice::new(&body[sent - HEADER..]), IoSlice::new(&[])]
            };
            match sendmsg(&self.socket, &slices, &mut beside, SendFlags::NOSIGNAL) {
                Ok(bytes) => {
                    sent += bytes;
                    beside.clear();
                }
                Err(error) => self.wait(error, PollFlags::OUT, patience)?,
            }
        }
        Ok(())
    }

    /// Sends `bytes` outside of frames.
    pub(super) fn send_raw(&self, mut bytes: &[u8], patience: Patience<'_>) -> Result<(), Broken> {
        while !bytes.is_empty() {
            match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(error) => self.wait(error, PollFlags::OUT, patience)?,
            }
        }
        Ok(())
    }

    /// Receives a message of at most `most` bytes that belongs to the exchange
    /// that is on. What comes beside it is dropped.
    pub(super) fn receive<T: DeserializeOwned>(
        &self,
        most: u32,
        patience: Patience<'_>,
    ) -> Result<T, Broken> {
        let mut header = [0; HEADER];
        let mut got = 0;
        while got < HEADER {
            got += self.receive_some(&mut header[got..], patience)?;
        }
        let (length, exchange) = split(header);
        if exchange != self.exchange {
            return Err(Broken::Rules("a frame is of another exchange"));
        }
        Ok(decode(&self.body(length, most, patience)?)?)
    }

    /// Receives a message of at most `most` bytes, with the descriptors beside
    /// it; the exchange that is on becomes its exchange.
    pub(super) fn receive_with_descriptors<T: DeserializeOwned>(
        &mut self,
        most: u32,
    ) -> Result<(T, Vec<OwnedFd>), Broken> {
        let mut header = [0; HEADER];
        let mut descriptors = Vec::new();
        let mut got = 0;
        while got < HEADER {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
            let mut beside = RecvAncillaryBuffer::new(&mut space);
            let slices = &mut [IoSliceMut::new(&mut header[got..])];
            match recvmsg(&self.socket, slices, &mut beside, RecvFlags::CMSG_CLOEXEC) {
                Ok(received) if received.bytes == 0 => return Err(Broken::Gone),
                Ok(received) => got += received.bytes,
                Err(error) => self.wait(error, PollFlags::IN, Patience::ENDLESS)?,
            }
            for message in beside.drain() {
                if let RecvAncillaryMessage::ScmRights(rights) = message {
                    descriptors.extend(rights);
                }
            }
        }
        let (length, exchange) = split(header);
        self.exchange = exchange;
        let message = decode(&self.body(length, most, Patience::ENDLESS)?)?;
        Ok((message, descriptors))
    }

    /// Copies `length` bytes that come outside of frames to `to`.
    pub(super) fn receive_raw(
        &self,
        length: u64,
        to: &mut File,
        patience: Patience<'_>,
    ) -> Result<(), Broken> {
        let mut buffer = vec![0; CHUNK];
        let mut left = length;
        while left > 0 {
            let step = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let got = self.receive_some(&mut buffer[..step], patience)?;
            to.write_all(&buffer[..got]).map_err(|error| Broken::Io(error.kind()))?;
            left -= got as u64;
        }
        Ok(())
    }

    fn body(&self, length: u32, most: u32, patience: Patience<'_>) -> Result<Vec<u8>, Broken> {
        if length > most {
            return Err(Broken::Rules("a frame is too long"));
        }
        let length = length as usize;
        let mut body = Vec::new();
        while body.len() < length {
            let start = body.len();
            body.resize(length.min(start + CHUNK), 0);
            let got = self.receive_some(&mut body[start..], patience)?;
            body.truncate(start + got);
        }
        Ok(body)
    }

    /// Receives at least one byte.
    fn receive_some(&self, buffer: &mut [u8], patience: Patience<'_>) -> Result<usize, Broken> {
        loop {
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => return Err(Broken::Gone),
                Ok((got, _)) => return Ok(got),
                Err(error) => self.wait(error, PollFlags::IN, patience)?,
            }
        }
    }

    /// Waits until the socket is ready again, if that is what `error` asks for.
    fn wait(
        &self,
        error: rustix::io::Errno,
        ready: PollFlags,
        patience: Patience<'_>,
    ) -> Result<(), Broken> {
        match error {
            rustix::io::Errno::AGAIN => {}
            rustix::io::Errno::INTR => return Ok(()),
            rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET => return Err(Broken::Gone),
            error => return Err(Broken::Io(io::Error::from(error).kind())),
        }
        let wait = patience.next()?.map(|wait| Timespec::try_from(wait).unwrap_or_default());
        match poll(&mut [PollFd::new(&self.socket, ready)], wait.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(Broken::Io(io::Error::from(error).kind())),
        }
    }
}

fn split(header: [u8; HEADER]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = header;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "measures how long the other side is waited for")]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsFd as _;

    use super::*;

    fn pair() -> (Channel, Channel) {
        let (a, b) = UnixStream::pair().expect("a socket");
        (Channel::new(a, 7).expect("a channel"), Channel::new(b, 7).expect("a channel"))
    }

    fn soon() -> Patience<'static> {
        Patience { until: Some(Instant::now() + Duration::from_millis(200)), interrupted: None }
    }

    #[test]
    fn frames_and_descriptors_arrive() {
        let (gate, mut worker) = pair();
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"abc").expect("written");
        gate.send(&"hello", &[file.as_fd(), file.as_fd()], soon()).expect("sent");
        gate.send(&"again", &[], soon()).expect("sent");
        let (first, descriptors) = worker.receive_with_descriptors::<String>(100).expect("a frame");
        assert_eq!((first.as_str(), descriptors.len()), ("hello", 2));
        let (second, descriptors) =
            worker.receive_with_descriptors::<String>(100).expect("a frame");
        assert_eq!((second.as_str(), descriptors.len()), ("again", 0));
    }

    #[test]
    fn long_frames_pass_in_pieces() {
        let (gate, worker) = pair();
        let long = "x".repeat(5 << 20);
        std::thread::scope(|scope| {
            scope.spawn(|| gate.send(&long, &[], soon()).expect("sent"));
            let read: String = worker.receive(6 << 20, soon()).expect("a frame");
            assert_eq!(read.len(), long.len());
        });
    }

    #[test]
    fn lies_and_silence_are_told_apart() {
        let rows: [(&[u8], &str); 4] = [
            (&[], "no answer in time"),
            (&[255, 255, 255, 255, 7, 0, 0, 0], "too long"),
            (&[1, 0, 0, 0, 8, 0, 0, 0, 0], "another exchange"),
            (&[2, 0, 0, 0, 7, 0, 0, 0, 9, 9], "malformed"),
        ];
        for (bytes, expected) in rows {
            let (gate, worker) = pair();
            worker.send_raw(bytes, soon()).expect("sent");
            let error = gate.receive::<String>(100, soon()).expect_err("no frame");
            assert!(error.to_string().contains(expected), "{bytes:?}: {error}");
        }
        let (gate, worker) = pair();
        drop(worker);
        assert!(matches!(gate.receive::<String>(100, soon()), Err(Broken::Gone)));
    }

    #[test]
    fn an_interrupt_ends_the_waiting() {
        let (gate, _worker) = pair();
        let interrupted = AtomicBool::new(true);
        let patience = Patience { until: None, interrupted: Some(&interrupted) };
        assert!(matches!(gate.receive::<String>(100, patience), Err(Broken::Interrupted)));
    }

    #[test]
    fn raw_bytes_go_to_a_file() {
        let (gate, worker) = pair();
        worker.send_raw(b"code", soon()).expect("sent");
        let mut file = tempfile::tempfile().expect("a file");
        gate.receive_raw(4, &mut file, soon()).expect("received");
        let mut text = String::new();
        std::io::Seek::rewind(&mut file).expect("rewound");
        file.read_to_string(&mut text).expect("read");
        assert_eq!(text, "code");
    }
}
