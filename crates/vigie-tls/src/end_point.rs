//! The value that binds a login to the encrypted connection under it (RFC 5929, section 4).

use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio_rustls::client::TlsStream;

use crate::x509::{Certificate, object_identifier};

/// `1.2.840.113549.1.1`, the signatures of PKCS #1.
const PKCS_1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// `1.2.840.10045.4.3`, ECDSA with a hash of SHA-2.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];

/// The hash of the server's certificate, `tls-server-end-point`; `None` if its signature names no hash.
#[must_use]
pub fn end_point<S>(stream: &TlsStream<S>) -> Option<Vec<u8>> {
    hash(stream.get_ref().1.peer_certificates()?.first()?)
}

pub(crate) fn hash(der: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::read(der)?;
    let (&last, family) = object_identifier(certificate.signature_algorithm)?.split_last()?;
    match (family, last) {
        // In place of MD5 and SHA-1 it is SHA-256.
        (PKCS_1, 4 | 5 | 11) | (ECDSA, 2) => Some(Sha256::digest(der).to_vec()),
        (PKCS_1, 12) | (ECDSA, 3) => Some(Sha384::digest(der).to_vec()),
        (PKCS_1, 13) | (ECDSA, 4) => Some(Sha512::digest(der).to_vec()),
        _ => None,
    }
}
