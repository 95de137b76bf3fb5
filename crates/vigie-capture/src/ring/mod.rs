//! The packets of an interface, in a ring that is shared with the kernel (`PACKET_RX_RING`, version 3).
//!
//! The socket receives nothing before its filter, its ring and its interface are set. Blocks of packets are handed over in their
//! order: the kernel fills a block, hands it over when it is full or old enough, and gets it back when [`Block`] is dropped.
#![allow(unsafe_code)]

mod socket;

use std::ffi::{c_int, c_uint};
use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use thiserror::Error;

use crate::filter::Instruction;
use socket::Map;
pub(crate) use socket::raise_priority;
pub use socket::{interface_index, monotonic_time, real_time};

/// The size of a block. The kernel cuts packets that are larger; those of BIG TCP can be.
const BLOCK: usize = 256 * 1024;

/// The smallest ring.
pub const MIN_BYTES: usize = 2 * BLOCK;

/// When the kernel hands over a block that is not full, in milliseconds. While the reader waits for a processor, each block holds
/// at least what arrives in this time: with 16 of them, half a second is bridged however few packets arrive.
const BLOCK_AGE: c_uint = 32;

/// Why packets cannot be captured.
#[derive(Debug, Error)]
pub enum RingError {
    /// The process has not the capability `CAP_NET_RAW`, or a user namespace does not own the network.
    #[error("not permitted: capturing packets needs the capability CAP_NET_RAW")]
    NotPermitted,
    /// There is no interface of this name.
    #[error("there is no network interface `{0}`")]
    NoInterface(String),
    /// The kernel refused a step.
    #[error("cannot {step}: {error}")]
    Failed {
        /// The step.
        step: &'static str,
        /// Why it failed.
        #[source]
        error: io::Error,
    },
}

/// A socket and its ring.
#[derive(Debug)]
pub struct Ring {
    socket: OwnedFd,
    map: Map,
    blocks: usize,
    /// The block that the kernel hands over next.
    next: usize,
}

/// A packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it was captured, by the clock of [`real_time`].
    pub captured_at: Duration,
    /// The index of its interface.
    pub interface: u32,
    /// Its bytes from the IP header on, as far as the filter accepted them.
    pub bytes: &'a [u8],
    /// The length that it had.
    pub wire: usize,
}

/// The kernel's counts since they were last read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Packets that passed the filter and were captured.
    pub captured: u64,
    /// Packets that passed the filter and were dropped because the ring was full.
    pub dropped: u64,
}

impl Ring {
    /// Captures the packets that `filter` accepts, on the interface of this index or on all, in a ring of about `bytes`.
    ///
    /// # Errors
    /// If it is not permitted, or the kernel refuses.
    pub fn open(
        filter: &[Instruction],
        interface: Option<u32>,
        bytes: usize,
    ) -> Result<Self, RingError> {
        let socket = socket::new()?;
        socket::attach(&socket, filter)?;
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        socket::set(
            &socket,
            libc::PACKET_VERSION,
            &version,
            "choose the version of the ring",
        )?;
        let blocks = (bytes / BLOCK).max(2);
        let request = libc::tpacket_req3 {
            tp_block_size: narrow(BLOCK),
            tp_block_nr: narrow(blocks),
            tp_frame_size: 2048,
            tp_frame_nr: narrow(blocks * (BLOCK / 2048)),
            tp_retire_blk_tov: BLOCK_AGE,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        socket::set(&socket, libc::PACKET_RX_RING, &request, "create the ring")?;
        let map = socket::map(&socket, blocks * BLOCK)?;
        socket::bind(&socket, interface)?;
        Ok(Self {
            socket,
            map,
            blocks,
            next: 0,
        })
    }

    /// Replaces the filter, for the packets from now on.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn set_filter(&self, filter: &[Instruction]) -> Result<(), RingError> {
        socket::attach(&self.socket, filter)
    }

    /// Waits until a block is handed over, at most for `patience`.
    ///
    /// # Errors
    /// If the interface has gone.
    pub fn wait(&self, patience: Duration) -> Result<(), RingError> {
        socket::wait(&self.socket, patience)
    }

    /// The next block, if the kernel has handed it over.
    pub fn block(&mut self) -> Option<Block<'_>> {
        let start = self.map.start.as_ptr().wrapping_add(self.next * BLOCK);
        // SAFETY: the mapping consists of `blocks` blocks, `next` is less than `blocks`, and a block begins with its descriptor.
        // The mapping is aligned to pages and `BLOCK` is a multiple of them. The kernel writes the status while we read it,
        // hence the atomic.
        let status = unsafe { AtomicU32::from_ptr(start.add(STATUS).cast()) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the status says that the block is ours until we change it, so nobody writes to it; the acquiring load makes
        // what the kernel wrote visible. The whole block is mapped, and the kernel initialised it. The slice does not contain
        // the status, which `Block` changes when it is dropped, and it ends with the `Block`, which borrows the ring mutably.
        let bytes =
            unsafe { std::slice::from_raw_parts(start.add(AFTER_STATUS), BLOCK - AFTER_STATUS) };
        self.next = (self.next + 1) % self.blocks;
        Some(Block { bytes, status })
    }

    /// The kernel's counts since the last call.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn statistics(&self) -> Result<Statistics, RingError> {
        let statistics = socket::statistics(&self.socket)?;
        // The kernel's number of packets includes the dropped ones.
        let (all, dropped) = (
            u64::from(statistics.tp_packets),
            u64::from(statistics.tp_drops),
        );
        Ok(Statistics {
            captured: all.saturating_sub(dropped),
            dropped,
        })
    }

    /// The size of the ring.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.map.length
    }
}

/// The offset of a block's status.
const STATUS: usize =
    offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, block_status);
/// The offset from which a block is ours while the kernel has handed it over.
const AFTER_STATUS: usize = STATUS + size_of::<u32>();
const NUMBER_OF_PACKETS: usize =
    offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, num_pkts);
const FIRST_PACKET: usize = offset_of!(libc::tpacket_block_desc, hdr)
    + offset_of!(libc::tpacket_hdr_v1, offset_to_first_pkt);

/// The length of a packet's header, after which comes the address that it was received from.
const HEADER: usize = size_of::<libc::tpacket3_hdr>();

/// A block of packets, which the kernel gets back when this is dropped.
pub struct Block<'a> {
    /// From [`AFTER_STATUS`] on.
    bytes: &'a [u8],
    status: &'a AtomicU32,
}

impl Block<'_> {
    /// The packets, in the order in which they were captured.
    pub fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        let field = |at: usize| word(self.bytes, at - AFTER_STATUS).unwrap_or(0);
        let number = field(NUMBER_OF_PACKETS);
        let mut at = field(FIRST_PACKET) as usize;
        (0..number).map_while(move |_| {
            let frame = self.bytes.get(at.checked_sub(AFTER_STATUS)?..)?;
            let packet = packet(frame)?;
            at += word(frame, offset_of!(libc::tpacket3_hdr, tp_next_offset))? as usize;
            Some(packet)
        })
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }
}

fn packet(frame: &[u8]) -> Option<Packet<'_>> {
    let field = |at| word(frame, at);
    let captured = field(offset_of!(libc::tpacket3_hdr, tp_snaplen))? as usize;
    let begin = half(frame, offset_of!(libc::tpacket3_hdr, tp_net))?.into();
    let address = HEADER.next_multiple_of(libc::TPACKET_ALIGNMENT);
    Some(Packet {
        captured_at: Duration::new(
            field(offset_of!(libc::tpacket3_hdr, tp_sec))?.into(),
            field(offset_of!(libc::tpacket3_hdr, tp_nsec))?.min(999_999_999),
        ),
        interface: field(address + offset_of!(libc::sockaddr_ll, sll_ifindex))?,
        bytes: frame.get(begin..)?.get(..captured)?,
        wire: field(offset_of!(libc::tpacket3_hdr, tp_len))? as usize,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_ne_bytes(*bytes))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u16::from_ne_bytes(*bytes))
}

/// Sizes of rings are far below 4 GiB.
fn narrow(number: usize) -> c_uint {
    number.try_into().unwrap_or(c_uint::MAX)
}
