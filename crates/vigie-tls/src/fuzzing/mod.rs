//! Invariants for any certificate and any file, shared by the property test and the fuzzer; both supply bytes.

use std::sync::LazyLock;
use std::time::Duration;

use rustls::DigitallySignedStruct;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::internal::msgs::codec::{Codec as _, Reader};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::pem::Roots;
use crate::verifier::Verifier;
use crate::x509::Certificate;
use crate::{Pem, Tls, Verify, end_point, name};

/// A root, and two certificates for `db.test` that it signed: one of version 3, one of version 1. Made by OpenSSL,
/// valid until 2126; their keys are not kept.
const GENUINE: &str = include_str!("genuine.pem");
/// In 2027.
const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
const HOST: &str = "db.test";

struct Genuine {
    verifier: Verifier,
    signed: Vec<CertificateDer<'static>>,
}

static KNOWN: LazyLock<Genuine> = LazyLock::new(|| {
    let all = CertificateDer::pem_slice_iter(GENUINE.as_bytes());
    let mut all: Vec<_> = all.flatten().collect();
    let roots = Roots::Certificates(vec![all.remove(0)]);
    Genuine {
        verifier: Verifier::new(&ring::default_provider(), roots, Verify::ChainAndName),
        signed: all,
    }
});

/// The bytes are a certificate, or edits of a genuine one: it is trusted only if the root has signed it.
///
/// # Panics
/// If that is not so.
pub fn any_certificate(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let genuine = KNOWN.signed.get(usize::from(first % 3));
    let der = match genuine {
        Some(genuine) => edited(genuine, rest),
        None => rest.to_vec(),
    };
    let read = Certificate::read(&der);
    let hosts = [HOST, "a.db.test", "127.0.0.1", "::1"];
    let hosts = hosts.into_iter().flat_map(ServerName::try_from);
    for host in hosts {
        let is_for = read.as_ref().map(|read| name::is_for(read, &host));
        if is_trusted(&der, &host) {
            assert_eq!(is_for, Some(true), "{host:?}");
            let signed = read.as_ref().map(|read| read.signed);
            let mut all = KNOWN.signed.iter().flat_map(|der| Certificate::read(der));
            assert!(all.any(|known| Some(known.signed) == signed), "a forgery");
        }
    }
    let _ = end_point::hash(&der);
    let der = CertificateDer::from(der);
    let signature = [&[4, 3, 0, 4], rest.get(..4).unwrap_or(&[0; 4])].concat();
    if let Ok(signature) = DigitallySignedStruct::read(&mut Reader::init(&signature)) {
        let verifier = &KNOWN.verifier;
        let _ = verifier.verify_tls12_signature(rest, &der, &signature);
        let _ = verifier.verify_tls13_signature(rest, &der, &signature);
    }
    let leaf = KNOWN.signed.first().map(|leaf| is_between(leaf, &der));
    assert_eq!(
        leaf,
        Some(true),
        "any intermediate is ignored if none is needed"
    );
}

fn is_trusted(der: &[u8], host: &ServerName<'_>) -> bool {
    let der = CertificateDer::from(der);
    let verified = KNOWN.verifier.verify_server_cert(&der, &[], host, &[], NOW);
    verified.is_ok()
}

/// Whether the leaf is trusted with this certificate as an intermediate.
fn is_between(leaf: &CertificateDer<'_>, der: &CertificateDer<'_>) -> bool {
    let Ok(host) = ServerName::try_from(HOST) else {
        return false;
    };
    let between = [der.clone()];
    let verified = KNOWN
        .verifier
        .verify_server_cert(leaf, &between, &host, &[], NOW);
    verified.is_ok()
}

/// Each four bytes are an edit: a place, an action and a byte.
fn edited(der: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut der = der.to_vec();
    for edit in edits.as_chunks::<4>().0 {
        let [high, low, action, byte] = *edit;
        let at = usize::from(u16::from_be_bytes([high, low])) % (der.len() + 1);
        match action % 3 {
            0 => der.insert(at, byte),
            _ if at == der.len() => {}
            1 => der[at] = byte,
            _ => drop(der.remove(at)),
        }
    }
    der
}

/// The bytes are the files of a configuration: they can be used, or are refused with a reason.
pub fn any_file(bytes: &[u8]) {
    // The text of an address is UTF-8; a file need not be.
    let _ = crate::pem::certificates(bytes);
    let _ = crate::pem::key(bytes);
    let text = Pem::Text(String::from_utf8_lossy(bytes).into_owned());
    let tls = Tls {
        roots: Some(text.clone()),
        client: Some((text.clone(), text)),
        verify: Verify::Chain,
    };
    let _ = tls.config();
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn genuine_certificates_are_trusted() {
        assert_eq!(KNOWN.signed.len(), 2);
        let host = ServerName::try_from(HOST);
        for genuine in &KNOWN.signed {
            assert!(host.as_ref().is_ok_and(|host| is_trusted(genuine, host)));
        }
    }

    proptest! {
        #[test]
        fn only_signed_certificates_are_trusted(
            kind in 0_u8..3,
            edits in vec((0_u16..500, 0_u8..3, any::<u8>()), 0..4),
            rest in vec(any::<u8>(), 0..200),
        ) {
            let edits = edits.into_iter().flat_map(|(at, action, byte)| {
                let [high, low] = at.to_be_bytes();
                [high, low, action, byte]
            });
            let bytes: Vec<u8> = std::iter::once(kind).chain(edits).collect();
            any_certificate(&bytes);
            any_certificate(&[&[kind], rest.as_slice()].concat());
        }

        #[test]
        fn any_file_is_used_or_refused(
            at in 0..GENUINE.len(),
            text in "(-----BEGIN (CERTIFICATE|PRIVATE KEY|EC PRIVATE KEY)-----\n[A-Za-z0-9+/=\n]{0,80})?.{0,40}",
            bytes in vec(any::<u8>(), 0..100),
        ) {
            any_file(&bytes);
            any_file(text.as_bytes());
            any_file(format!("{}{text}{}", &GENUINE[..at], &GENUINE[at..]).as_bytes());
        }
    }
}
