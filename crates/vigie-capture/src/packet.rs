//! The headers of IP and TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The sender.
    pub source: SocketAddr,
    /// The receiver.
    pub destination: SocketAddr,
    /// The number of its first byte, or of its SYN.
    pub sequence: u32,
    /// The number of the next byte that its sender expects, if it says so.
    pub acknowledged: Option<u32>,
    /// It opens the connection.
    pub syn: bool,
    /// Its sender sends nothing after it.
    pub fin: bool,
    /// It ends the connection.
    pub rst: bool,
    /// The captured part of the payload.
    pub payload: &'a [u8],
    /// The length of the payload on the wire.
    pub length: u32,
}

const TCP: u8 = 6;
const HOP_BY_HOP: u8 = 0;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;

impl<'a> Segment<'a> {
    /// Reads the captured bytes of a packet that begins at its IP header and had `wire` bytes. `None` if it is not a TCP
    /// segment, or its headers are not captured whole.
    #[must_use]
    pub fn parse(captured: &'a [u8], wire: usize) -> Option<Self> {
        let (source, destination, tcp, end) = match captured.first()? >> 4 {
            4 => ipv4(captured, wire)?,
            6 => ipv6(captured, wire)?,
            _ => return None,
        };
        let header = captured.get(tcp..)?.first_chunk::<TCP_HEADER>()?;
        let flags = header[13];
        let payload = tcp + usize::from(header[12] >> 4) * 4;
        if payload < tcp + TCP_HEADER {
            return None;
        }
        let length = u32::try_from(end.checked_sub(payload)?).ok()?;
        let word = |at: usize| {
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let port = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        Some(Self {
            source: SocketAddr::new(source, port(0)),
            destination: SocketAddr::new(destination, port(2)),
            sequence: word(4),
            acknowledged: (flags & 0x10 != 0).then(|| word(8)),
            fin: flags & 1 != 0,
            syn: flags & 2 != 0,
            rst: flags & 4 != 0,
            // Short frames are padded behind the end of the segment.
            payload: captured
                .get(payload..end.min(captured.len()))
                .unwrap_or(&[]),
            length,
        })
    }
}

/// The addresses, the offset of the TCP header and that of the segment's end.
type Located = (IpAddr, IpAddr, usize, usize);

fn ipv4(captured: &[u8], wire: usize) -> Option<Located> {
    let header = captured.first_chunk::<IPV4_HEADER>()?;
    let length = usize::from(header[0] & 0xf) * 4;
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x1fff;
    if header[9] != TCP || fragment != 0 || length < IPV4_HEADER {
        return None;
    }
    // The length of a BIG TCP segment does not fit and is 0.
    let end = match u16::from_be_bytes([header[2], header[3]]) {
        0 => wire,
        total => total.into(),
    };
    let address =
        |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
    Some((address(12).into(), address(16).into(), length, end))
}

fn ipv6(captured: &[u8], wire: usize) -> Option<Located> {
    let header = captured.first_chunk::<IPV6_HEADER>()?;
    let end = match u16::from_be_bytes([header[4], header[5]]) {
        0 => wire,
        payload => IPV6_HEADER + usize::from(payload),
    };
    let tcp = match header[6] {
        TCP => IPV6_HEADER,
        HOP_BY_HOP => {
            let options = captured.get(IPV6_HEADER..)?.first_chunk::<2>()?;
            if options[0] != TCP {
                return None;
            }
            IPV6_HEADER + 8 + usize::from(options[1]) * 8
        }
        _ => return None,
    };
    let address = |at: usize| {
        let bytes = header[at..].first_chunk::<16>();
        bytes.map(|bytes| Ipv6Addr::from(*bytes))
    };
    Some((address(8)?.into(), address(24)?.into(), tcp, end))
}
