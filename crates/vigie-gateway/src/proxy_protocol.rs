//! The PROXY protocol, versions 1 and 2: the header before the first byte of a connection that names its client.
//!
//! Specified in `doc/proxy-protocol.txt` of HAProxy.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses of a client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The client.
    pub source: SocketAddr,
    /// The address that it has connected to.
    pub destination: SocketAddr,
}

/// A header that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its length in bytes.
    pub length: usize,
    /// `None` if it names none: for a connection of the proxy itself, such as a health check, or of an unknown protocol.
    pub addresses: Option<Addresses>,
}

/// The bytes are not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// The version of a header that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// The longest line of version 1, with its end.
const MAX_LINE: usize = 107;
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The length of the fixed part of version 2.
const FIXED: usize = 16;
/// The longest header that is read. Version 2 may contain any number of further values, which are ignored.
pub const MAX_HEADER: usize = FIXED + 4096;

/// Reads the header at the beginning of `bytes`. Returns `None` if it is incomplete.
///
/// # Errors
/// If the bytes cannot become a header of at most [`MAX_HEADER`] bytes.
pub fn parse(bytes: &[u8]) -> Result<Option<Header>, Invalid> {
    match bytes.first() {
        None => Ok(None),
        Some(b'P') => parse_line(bytes),
        Some(_) => parse_binary(bytes),
    }
}

fn parse_line(bytes: &[u8]) -> Result<Option<Header>, Invalid> {
    const NAME: &[u8] = b"PROXY ";
    let begin = &bytes[..bytes.len().min(MAX_LINE)];
    let common = begin.len().min(NAME.len());
    if begin[..common] != NAME[..common] {
        return Err(Invalid);
    }
    let Some(end) = begin.windows(2).position(|two| two == b"\r\n") else {
        return match begin.len() < MAX_LINE {
            true => Ok(None),
            false => Err(Invalid),
        };
    };
    let text = begin.get(NAME.len()..end).ok_or(Invalid)?;
    let text = str::from_utf8(text).map_err(|_| Invalid)?;
    Ok(Some(Header {
        length: end + 2,
        addresses: addresses_of_line(text)?,
    }))
}

fn addresses_of_line(text: &str) -> Result<Option<Addresses>, Invalid> {
    let mut words = text.split(' ');
    let protocol = words.next();
    if protocol == Some("UNKNOWN") {
        return Ok(None);
    }
    let mut next = || words.next().ok_or(Invalid);
    let (source, destination) = (next()?, next()?);
    let (source_port, destination_port) = (port(next()?)?, port(next()?)?);
    if words.next().is_some() {
        return Err(Invalid);
    }
    let ip = |text: &str| -> Result<IpAddr, Invalid> {
        let ip = match protocol {
            Some("TCP4") => text.parse::<Ipv4Addr>().map(IpAddr::from),
            Some("TCP6") => text.parse::<Ipv6Addr>().map(IpAddr::from),
            _ => return Err(Invalid),
        };
        ip.map_err(|_| Invalid)
    };
    Ok(Some(Addresses {
        source: SocketAddr::new(ip(source)?, source_port),
        destination: SocketAddr::new(ip(destination)?, destination_port),
    }))
}

/// A decimal number without sign or leading zeros.
fn port(text: &str) -> Result<u16, Invalid> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    match is_plain && (text == "0" || !text.starts_with('0')) {
        true => text.parse().map_err(|_| Invalid),
        false => Err(Invalid),
    }
}

fn parse_binary(bytes: &[u8]) -> Result<Option<Header>, Invalid> {
    let common = bytes.len().min(SIGNATURE.len());
    if bytes[..common] != SIGNATURE[..common] {
        return Err(Invalid);
    }
    let Some((fixed, rest)) = bytes.split_at_checked(FIXED) else {
        return Ok(None);
    };
    let (command, family) = (fixed[12], fixed[13]);
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let is_local = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(Invalid),
    };
    if FIXED + length > MAX_HEADER {
        return Err(Invalid);
    }
    let Some(block) = rest.get(..length) else {
        return Ok(None);
    };
    let addresses = match family {
        _ if is_local => None,
        0x11 => {
            let source: [u8; 4] = array(block, 0)?;
            let destination: [u8; 4] = array(block, 4)?;
            Some(with_ports(source.into(), destination.into(), block, 8)?)
        }
        0x21 => {
            let source: [u8; 16] = array(block, 0)?;
            let destination: [u8; 16] = array(block, 16)?;
            Some(with_ports(source.into(), destination.into(), block, 32)?)
        }
        // Datagrams, Unix sockets and unspecified ones have no address of a client.
        0x00 | 0x12 | 0x22 | 0x31 | 0x32 => None,
        _ => return Err(Invalid),
    };
    Ok(Some(Header {
        length: FIXED + length,
        addresses,
    }))
}

fn with_ports(
    source: IpAddr,
    destination: IpAddr,
    block: &[u8],
    at: usize,
) -> Result<Addresses, Invalid> {
    let port = |at| Ok(u16::from_be_bytes(array(block, at)?));
    Ok(Addresses {
        source: SocketAddr::new(source, port(at)?),
        destination: SocketAddr::new(destination, port(at + 2)?),
    })
}

fn array<const N: usize>(block: &[u8], at: usize) -> Result<[u8; N], Invalid> {
    let part = block.get(at..at + N).ok_or(Invalid)?;
    part.try_into().map_err(|_| Invalid)
}

/// The header for a connection.
#[must_use]
pub fn header(version: Version, addresses: &Addresses) -> Vec<u8> {
    let (source, destination) = same_family(addresses);
    let ports = [addresses.source.port(), addresses.destination.port()];
    if version == Version::V1 {
        let protocol = if source.is_ipv4() { "TCP4" } else { "TCP6" };
        let [from, to] = ports;
        return format!("PROXY {protocol} {source} {destination} {from} {to}\r\n").into_bytes();
    }
    let mut header = SIGNATURE.to_vec();
    let (family, length) = match source {
        IpAddr::V4(_) => (0x11, 12_u16),
        IpAddr::V6(_) => (0x21, 36),
    };
    header.extend([0x21, family]);
    header.extend(length.to_be_bytes());
    for ip in [source, destination] {
        match ip {
            IpAddr::V4(ip) => header.extend(ip.octets()),
            IpAddr::V6(ip) => header.extend(ip.octets()),
        }
    }
    header.extend(ports.into_iter().flat_map(u16::to_be_bytes));
    header
}

/// Both addresses, in one family.
fn same_family(addresses: &Addresses) -> (IpAddr, IpAddr) {
    let Addresses {
        source,
        destination,
    } = addresses;
    let mapped = |ip| match ip {
        IpAddr::V4(ip) => IpAddr::V6(ip.to_ipv6_mapped()),
        IpAddr::V6(_) => ip,
    };
    match (source.ip().to_canonical(), destination.ip().to_canonical()) {
        (source @ IpAddr::V4(_), destination @ IpAddr::V6(_))
        | (source @ IpAddr::V6(_), destination @ IpAddr::V4(_)) => {
            (mapped(source), mapped(destination))
        }
        same => same,
    }
}

#[cfg(test)]
mod tests;
