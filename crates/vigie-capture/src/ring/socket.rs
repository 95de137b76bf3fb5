//! The system calls.

use std::ffi::{CString, c_int, c_void};
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::time::Duration;

use super::RingError;
use crate::filter::{self, Instruction};

/// The memory that is shared with the kernel.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) start: NonNull<u8>,
    pub(super) length: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and `Map` is its only owner.
unsafe impl Send for Map {}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: `start` and `length` are those of a mapping that `mmap` returned; no reference into it outlives the `Ring`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// The index of an interface.
///
/// # Errors
/// If there is none of this name.
pub fn interface_index(name: &str) -> Result<u32, RingError> {
    let missing = || RingError::NoInterface(name.to_owned());
    let text = CString::new(name).map_err(|_| missing())?;
    // SAFETY: `text` ends with a 0 and outlives the call.
    match unsafe { libc::if_nametoindex(text.as_ptr()) } {
        0 => Err(missing()),
        index => Ok(index),
    }
}

/// The time of the clock by which the kernel dates packets.
#[must_use]
pub fn real_time() -> Duration {
    time(libc::CLOCK_REALTIME)
}

/// The time of a clock without steps.
#[must_use]
pub fn monotonic_time() -> Duration {
    time(libc::CLOCK_MONOTONIC)
}

/// Gives the calling thread a higher priority. Returns whether it is permitted.
pub(crate) fn raise_priority() -> bool {
    // SAFETY: the call takes no pointers. 0 is the calling thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -10) == 0 }
}

fn time(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for writing. The call cannot fail for these clocks.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    Duration::new(
        time.tv_sec.try_into().unwrap_or(0),
        time.tv_nsec.try_into().unwrap_or(0),
    )
}

pub(super) fn new() -> Result<OwnedFd, RingError> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: the call takes no pointers. Protocol 0 receives nothing.
    let socket = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    if socket < 0 {
        let error = io::Error::last_os_error();
        return Err(match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => RingError::NotPermitted,
            _ => RingError::Failed {
                step: "create the socket",
                error,
            },
        });
    }
    // SAFETY: the descriptor is open, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

pub(super) fn attach(socket: &OwnedFd, filter: &[Instruction]) -> Result<(), RingError> {
    let nothing = [filter::nothing()];
    let filter = if filter.is_empty() { &nothing } else { filter };
    let convert = |instruction: &Instruction| {
        let Instruction { code, jt, jf, k } = *instruction;
        libc::sock_filter { code, jt, jf, k }
    };
    let mut code: Vec<libc::sock_filter> = filter.iter().map(convert).collect();
    let program = libc::sock_fprog {
        len: code.len().try_into().unwrap_or(u16::MAX),
        filter: code.as_mut_ptr(),
    };
    // `code` outlives the call, which copies it.
    set_at(
        socket,
        libc::SOL_SOCKET,
        libc::SO_ATTACH_FILTER,
        &program,
        "attach the filter",
    )
}

pub(super) fn bind(socket: &OwnedFd, interface: Option<u32>) -> Result<(), RingError> {
    // SAFETY: the struct consists of integers, for which 0 is valid.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    // Outgoing packets are only shown to sockets for all protocols.
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = interface.unwrap_or(0).try_into().unwrap_or(c_int::MAX);
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: `address` is a valid address of this length.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    checked(bound, "bind to the interface")
}

pub(super) fn map(socket: &OwnedFd, length: usize) -> Result<Map, RingError> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
    // SAFETY: a new mapping at an address of the kernel's choice replaces no other.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            length,
            protection,
            flags,
            socket.as_raw_fd(),
            0,
        )
    };
    let failed = || RingError::Failed {
        step: "map the ring",
        error: io::Error::last_os_error(),
    };
    if start == libc::MAP_FAILED {
        return Err(failed());
    }
    let start = NonNull::new(start.cast()).ok_or_else(failed)?;
    Ok(Map { start, length })
}

pub(super) fn set<T>(
    socket: &OwnedFd,
    option: c_int,
    value: &T,
    step: &'static str,
) -> Result<(), RingError> {
    set_at(socket, libc::SOL_PACKET, option, value, step)
}

/// Waits until a block is handed over, at most for `patience`.
pub(super) fn wait(socket: &OwnedFd, patience: Duration) -> Result<(), RingError> {
    let mut poll = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let patience = c_int::try_from(patience.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: `poll` is one valid `pollfd`.
    let ready = unsafe { libc::poll(&raw mut poll, 1, patience) };
    let failed = |error| RingError::Failed {
        step: "wait for packets",
        error,
    };
    if ready < 0 {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::Interrupted => Ok(()),
            _ => Err(failed(error)),
        };
    }
    match poll.revents & libc::POLLERR {
        0 => Ok(()),
        _ => Err(failed(take_error(socket))),
    }
}

/// The kernel's counts since the last call.
pub(super) fn statistics(socket: &OwnedFd) -> Result<libc::tpacket_stats_v3, RingError> {
    // SAFETY: the struct consists of integers, for which 0 is valid.
    let mut statistics: libc::tpacket_stats_v3 = unsafe { std::mem::zeroed() };
    let option = libc::PACKET_STATISTICS;
    get(
        socket,
        libc::SOL_PACKET,
        option,
        &mut statistics,
        "read the statistics",
    )?;
    Ok(statistics)
}

fn set_at<T>(
    socket: &OwnedFd,
    level: c_int,
    option: c_int,
    value: &T,
    step: &'static str,
) -> Result<(), RingError> {
    let value: *const c_void = ptr::from_ref(value).cast();
    // SAFETY: `value` is valid for reading `size_of::<T>()` bytes, and the kernel copies them.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            value,
            size_of::<T>() as libc::socklen_t,
        )
    };
    checked(set, step)
}

fn get<T>(
    socket: &OwnedFd,
    level: c_int,
    option: c_int,
    value: &mut T,
    step: &'static str,
) -> Result<(), RingError> {
    let mut length = size_of::<T>() as libc::socklen_t;
    let value: *mut c_void = ptr::from_mut(value).cast();
    // SAFETY: `value` is valid for writing `length` bytes, and the callers pass structs of integers.
    let got =
        unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, value, &raw mut length) };
    checked(got, step)
}

/// The error of the socket, such as that its interface has gone.
fn take_error(socket: &OwnedFd) -> io::Error {
    let mut error: c_int = 0;
    match get(socket, libc::SOL_SOCKET, libc::SO_ERROR, &mut error, "") {
        Ok(()) if error != 0 => io::Error::from_raw_os_error(error),
        _ => io::Error::other("the socket failed"),
    }
}

fn checked(result: c_int, step: &'static str) -> Result<(), RingError> {
    match result {
        0 => Ok(()),
        _ => Err(RingError::Failed {
            step,
            error: io::Error::last_os_error(),
        }),
    }
}
