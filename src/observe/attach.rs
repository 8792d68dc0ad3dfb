//! The attach mechanism, as HotSpot has it on Linux: how `jcmd`, `jstack`, `jmap`, `jinfo` and
//! `com.sun.tools.attach` talk to a running VM.
//!
//! A tool makes the file `.attach_pidPID` in the VM's current directory or in `/tmp` and sends SIGQUIT. The Signal
//! Dispatcher then starts the Attach Listener thread instead of printing a thread dump. That listens on the UNIX socket
//! `/tmp/.java_pidPID` and answers one request a connection: strings ended by 0, which are the protocol's version 1, a
//! command and three arguments; back come a number, 0 if all went well, a line break and the command's output.

mod commands;

use crate::exceptions::VmResult;
use crate::log;
use crate::threads::{lifecycle, state, JavaThread};
use parking_lot::{Condvar, Mutex};
use std::ffi::CString;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Once;

const PROTOCOL_VERSION: &[u8] = b"1";
/// ATTACH_ERROR_BADVERSION
const BAD_VERSION: i32 = 101;
const ARGUMENTS: usize = 3;
const MAX_NAME: usize = 16;
const MAX_ARGUMENT: usize = 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is no listener.
    Off,
    /// One is about to be there.
    Starting,
    /// It listens, on the socket with this descriptor.
    Listening(RawFd),
}

static STATE: Mutex<State> = Mutex::new(State::Off);
/// Signalled when a listener has ended.
static ENDED: Condvar = Condvar::new();

fn socket_path() -> PathBuf {
    PathBuf::from(format!("/tmp/.java_pid{}", std::process::id()))
}

fn is_disabled() -> bool {
    crate::vm::get().options.flags.bool("DisableAttachMechanism")
}

/// At start-up: removes the socket of an earlier process of this number, and starts the listener if
/// `-XX:+StartAttachListener` wants it or, with `-Xrs`, no signal could.
pub fn start(t: &JavaThread) -> VmResult<()> {
    if is_disabled() {
        return Ok(());
    }
    match std::fs::remove_file(socket_path()) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            log!(Debug, [attach], "Failed to remove stale attach pid file at {}: {e}", socket_path().display());
        }
        _ => {}
    }
    let vm = crate::vm::get();
    if vm.options.flags.bool("StartAttachListener") || vm.options.settings.reduce_signal_usage {
        *STATE.lock() = State::Starting;
        launch(t)?;
    }
    Ok(())
}

/// On SIGQUIT: whether it has been sent by a tool that wants to attach. The listener is started then.
pub fn is_triggered(t: &JavaThread) -> bool {
    if is_disabled() {
        return false;
    }
    let state = *STATE.lock();
    match state {
        State::Starting => return true,
        State::Listening(_) if socket_path().exists() => return false,
        State::Listening(socket) => {
            // Someone has removed the file: nobody can connect any more.
            log!(Debug, [attach], "Socket file {} does not exist - Restart Attach Listener", socket_path().display());
            // SAFETY: makes the listener's `accept` fail; the descriptor is open while this state lasts.
            unsafe { libc::shutdown(socket, libc::SHUT_RDWR) };
            state::blocked(t, || {
                let mut state = STATE.lock();
                while *state == State::Listening(socket) {
                    ENDED.wait(&mut state);
                }
            });
        }
        State::Off => {}
    }
    if !is_wanted() {
        return false;
    }
    {
        let mut state = STATE.lock();
        if *state != State::Off {
            return true;
        }
        *state = State::Starting;
    }
    if launch(t).is_err() {
        let e = t.take_exception();
        *STATE.lock() = State::Off;
        crate::vm_out!("Exception in VM (AttachListener::init) : {}\n", commands::describe(e));
    }
    true
}

/// Whether the file is there, made by the user of this process or by root.
fn is_wanted() -> bool {
    let name = format!(".attach_pid{}", std::process::id());
    let places = [PathBuf::from(&name), Path::new("/tmp").join(&name)];
    let Some((path, file)) = places.iter().find_map(|p| Some((p, std::fs::metadata(p).ok()?))) else {
        log!(Debug, [attach], "Failed to find attach file: /tmp/{name}");
        return false;
    };
    // SAFETY: no preconditions.
    let user = unsafe { libc::geteuid() };
    if file.uid() != user && file.uid() != 0 {
        let path = path.display();
        log!(Debug, [attach], "File {path} has wrong user id {} (vs {user}). Attach is not triggered", file.uid());
        return false;
    }
    log!(Trace, [attach], "Attach triggered by {}", path.display());
    true
}

fn launch(t: &JavaThread) -> VmResult<()> {
    lifecycle::start_service(t, "Attach Listener", 9, serve)
}

/// The Attach Listener's life.
fn serve(t: &JavaThread) {
    match listen() {
        Ok(listener) => {
            let socket = listener.as_raw_fd();
            *STATE.lock() = State::Listening(socket);
            while let Ok(connection) = state::blocked(t, || accept(&listener)) {
                answer(t, connection);
            }
        }
        Err(e) => log!(Debug, [attach], "Failed to listen on {}: {e}", socket_path().display()),
    }
    *STATE.lock() = State::Off;
    ENDED.notify_all();
}

/// The socket, under its name only when it is ready and nobody else may connect.
fn listen() -> io::Result<UnixListener> {
    static AT_EXIT: Once = Once::new();
    // SAFETY: the handler only removes a file.
    AT_EXIT.call_once(|| unsafe {
        libc::atexit(remove_socket);
    });
    let path = socket_path();
    let fresh = path.with_extension("tmp");
    let fresh = if path.extension().is_none() { PathBuf::from(format!("{}.tmp", path.display())) } else { fresh };
    // One that is left over is in the way.
    let _ = std::fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh)?;
    let ready = || -> io::Result<()> {
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
        // The group may be the directory's.
        // SAFETY: no preconditions.
        let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
        std::os::unix::fs::chown(&fresh, Some(user), Some(group))?;
        std::fs::rename(&fresh, &path)
    };
    if let Err(e) = ready() {
        let _ = std::fs::remove_file(&fresh);
        return Err(e);
    }
    Ok(listener)
}

extern "C" fn remove_socket() {
    if let Ok(path) = CString::new(socket_path().as_os_str().as_bytes()) {
        // SAFETY: a C string.
        unsafe { libc::unlink(path.as_ptr()) };
    }
}

/// The VM ends without exit handlers being run.
pub fn abort() {
    if let Some(State::Listening(_)) = STATE.try_lock().map(|s| *s) {
        remove_socket();
    }
}

/// The next connection of a user who may attach.
fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    loop {
        let connection = match listener.accept() {
            Ok((connection, _)) => connection,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        match peer(&connection) {
            Ok(peer) if may_attach(&peer) => return Ok(connection),
            Ok(peer) => log!(Debug, [attach], "euid/egid check failed ({}/{})", peer.uid, peer.gid),
            Err(e) => log!(Debug, [attach], "Failed to get socket option SO_PEERCRED: {e}"),
        }
    }
}

fn peer(connection: &UnixStream) -> io::Result<libc::ucred> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = std::mem::size_of::<libc::ucred>() as libc::socklen_t;
    let out = &mut peer as *mut libc::ucred;
    // SAFETY: `peer` has the option's size.
    let e = unsafe {
        libc::getsockopt(connection.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, out.cast(), &mut length)
    };
    if e == 0 { Ok(peer) } else { Err(io::Error::last_os_error()) }
}

/// Root, or this process's user and group.
fn may_attach(peer: &libc::ucred) -> bool {
    // SAFETY: no preconditions.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    peer.uid == 0 || (peer.uid == user && peer.gid == group)
}

/// A command and its arguments, empty where none was given.
struct Request {
    command: String,
    arguments: [String; ARGUMENTS],
}

/// Reads a request. `None`: it is no whole or no proper one, and there is nothing to answer (any more).
fn read(connection: &mut UnixStream) -> Option<Request> {
    const STRINGS: usize = 2 + ARGUMENTS;
    const MAX_BYTES: usize = 9 + MAX_NAME + 1 + ARGUMENTS * (MAX_ARGUMENT + 1);
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    while bytes.iter().filter(|b| **b == 0).count() < STRINGS && bytes.len() < MAX_BYTES {
        match connection.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
        if bytes.contains(&0) && !bytes.starts_with(&[PROTOCOL_VERSION, b"\0"].concat()) {
            // If the tool does not wait for the answer, so be it.
            let _ = connection.write_all(format!("{BAD_VERSION}\n").as_bytes());
            return None;
        }
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Option<Request> {
    let mut strings = bytes.split(|b| *b == 0).map(|s| String::from_utf8_lossy(s).into_owned());
    if bytes.iter().filter(|b| **b == 0).count() < 2 + ARGUMENTS {
        return None;
    }
    strings.next()?;
    let command = strings.next().filter(|c| c.len() <= MAX_NAME)?;
    let arguments = [strings.next()?, strings.next()?, strings.next()?];
    arguments.iter().all(|a| a.len() <= MAX_ARGUMENT).then_some(Request { command, arguments })
}

/// Executes one request.
fn answer(t: &JavaThread, mut connection: UnixStream) {
    let Some(request) = state::blocked(t, || read(&mut connection)) else { return };
    let mut out = String::new();
    let result = commands::execute(t, &request.command, &request.arguments, &mut out);
    let status = if result.is_ok() { 0 } else { -1 };
    state::blocked(t, || {
        let text = format!("{status}\n{out}");
        let sent = connection.write_all(text.as_bytes());
        // A tool that has gone away needs no answer.
        if let Err(e) = sent.and_then(|()| connection.shutdown(std::net::Shutdown::Both)) {
            log!(Debug, [attach], "Answer to {}: {e}", request.command);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let r = parse(b"1\0jcmd\0VM.version\0\0\0").expect("well formed");
        assert_eq!((r.command.as_str(), r.arguments[0].as_str(), r.arguments[2].as_str()), ("jcmd", "VM.version", ""));
        assert!(parse(b"1\0jcmd\0VM.version\0\0").is_none(), "an argument is missing");
        assert!(parse(b"1\0averyverylongcommand\0\0\0\0").is_none());
    }

    #[test]
    fn another_version_is_refused() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"2\0jcmd\0\0\0\0").unwrap();
        assert!(read(&mut ours).is_none());
        drop(ours);
        let mut answer = String::new();
        theirs.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "101\n");
    }
}
