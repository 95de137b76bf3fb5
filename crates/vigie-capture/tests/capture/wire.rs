//! Packets, byte by byte.

use std::net::{IpAddr, SocketAddr};

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// A packet as the filter sees it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `ETH_P_IP` and others.
    pub(crate) protocol: u32,
    /// 0 for received, 4 for sent packets.
    pub(crate) direction: u32,
    pub(crate) interface: u32,
    /// `ARPHRD_ETHER` or `ARPHRD_LOOPBACK`.
    pub(crate) hardware: u32,
    /// From the IP header on.
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    /// Received on an Ethernet.
    pub(crate) fn received(bytes: Vec<u8>) -> Self {
        let protocol = match bytes[0] >> 4 {
            4 => 0x0800,
            _ => 0x86dd,
        };
        let (direction, interface, hardware) = (0, 2, 1);
        Self {
            protocol,
            direction,
            interface,
            hardware,
            bytes,
        }
    }
}

/// A TCP segment to write.
#[derive(Clone, Debug)]
pub(crate) struct Tcp<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) sequence: u32,
    pub(crate) acknowledged: u32,
    pub(crate) flags: u8,
    /// Bytes of TCP options, a multiple of 4.
    pub(crate) options: usize,
    pub(crate) payload: &'a [u8],
}

impl Tcp<'_> {
    fn segment(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(20 + self.options + self.payload.len());
        bytes.extend(self.from.port().to_be_bytes());
        bytes.extend(self.to.port().to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.acknowledged.to_be_bytes());
        bytes.push(((20 + self.options) / 4 * 16) as u8);
        bytes.push(self.flags);
        bytes.extend([0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend(std::iter::repeat_n(1, self.options));
        bytes.extend(self.payload);
        bytes
    }

    /// In IPv4 or IPv6, as the addresses are.
    pub(crate) fn packet(&self) -> Vec<u8> {
        self.packet_with(0, None)
    }

    /// With so many bytes of IPv4 options, or hop-by-hop options.
    pub(crate) fn packet_with(&self, options4: usize, hop_by_hop: Option<usize>) -> Vec<u8> {
        let segment = self.segment();
        let mut bytes = Vec::new();
        match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let header = 20 + options4;
                // 0 if it does not fit, as in BIG TCP.
                let total = u16::try_from(header + segment.len()).unwrap_or(0);
                bytes.extend([0x40 | (header / 4) as u8, 0]);
                bytes.extend(total.to_be_bytes());
                bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
                bytes.extend(from.octets());
                bytes.extend(to.octets());
                bytes.extend(std::iter::repeat_n(1, options4));
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let options = hop_by_hop.unwrap_or(0);
                let payload = u16::try_from(options + segment.len()).unwrap_or(0);
                bytes.extend([0x60, 0, 0, 0]);
                bytes.extend(payload.to_be_bytes());
                bytes.extend([if hop_by_hop.is_some() { 0 } else { 6 }, 64]);
                bytes.extend(from.octets());
                bytes.extend(to.octets());
                if options > 0 {
                    bytes.extend([6, (options / 8 - 1) as u8]);
                    bytes.extend(std::iter::repeat_n(0, options - 2));
                }
            }
            _ => panic!("addresses of two families"),
        }
        bytes.extend(segment);
        bytes
    }
}
