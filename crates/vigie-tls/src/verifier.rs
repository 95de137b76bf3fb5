//! Whether a server's certificate is trusted.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::pem::Roots;
use crate::problem::TlsProblem;
use crate::x509::Certificate;
use crate::{Verify, name};

/// Trusts what the TLS library trusts, and the certificates of a form that only OpenSSL accepts.
#[derive(Debug)]
pub(crate) struct Verifier {
    store: RootCertStore,
    /// Those of the store, whole.
    roots: Vec<CertificateDer<'static>>,
    /// Roots outside their time; OpenSSL does not trust them, and the TLS library does not look.
    outdated: Vec<CertificateDer<'static>>,
    verify: Verify,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(crate) fn new(provider: &CryptoProvider, roots: Roots, verify: Verify) -> Self {
        let (mut store, all) = match roots {
            Roots::Mozilla(store) => (store, Vec::new()),
            Roots::Certificates(all) => (RootCertStore::empty(), all),
        };
        let now = UnixTime::now();
        let in_time = |der: &CertificateDer<'_>| {
            Certificate::read(der).is_some_and(|root| validity(&root, now).is_ok())
        };
        let (roots, outdated): (Vec<_>, Vec<_>) = all.into_iter().partition(in_time);
        store.add_parsable_certificates(roots.iter().cloned());
        Self {
            store,
            roots,
            outdated,
            verify,
            algorithms: provider.signature_verification_algorithms,
        }
    }

    fn verify_chain(
        &self,
        der: &CertificateDer<'_>,
        certificate: &Certificate<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let checked = ParsedCertificate::try_from(der).and_then(|parsed| {
            let (store, algorithms) = (&self.store, self.algorithms.all);
            verify_server_cert_signed_by_trust_anchor(&parsed, store, between, now, algorithms)
        });
        let Err(error) = checked else {
            return Ok(());
        };
        if self.roots.iter().any(|root| root == der) {
            return validity(certificate, now);
        }
        if self.outdated.iter().any(|root| root == der) {
            return validity(certificate, now).and(Err(error));
        }
        let is_form = is_about_form(&error);
        match error {
            // The TLS library did not compare the names with the root's constraints.
            _ if is_form && self.is_signed_by_unconstrained(certificate) => {
                validity(certificate, now)
            }
            _ if self.stands_below_outdated(certificate, between) => {
                let problem = OtherError(Arc::new(TlsProblem::CaExpired));
                Err(CertificateError::Other(problem).into())
            }
            _ if is_form => Err(CertificateError::UnknownIssuer.into()),
            error => Err(error),
        }
    }

    /// Whether the TLS library can verify signatures by this certificate. It refuses version 1, and critical extensions
    /// that it does not know, which do not matter where nothing is verified.
    fn is_for_library(&self, certificate: &Certificate<'_>) -> bool {
        certificate.is_version_3 && self.verify != Verify::Nothing
    }

    fn stands_below_outdated(
        &self,
        certificate: &Certificate<'_>,
        between: &[CertificateDer<'_>],
    ) -> bool {
        let mut between = between.iter().filter_map(|der| Certificate::read(der));
        self.is_signed_by(&self.outdated, certificate)
            || between.any(|certificate| self.is_signed_by(&self.outdated, &certificate))
    }

    fn is_signed_by_unconstrained(&self, certificate: &Certificate<'_>) -> bool {
        let roots = self.roots.iter().filter_map(|root| Certificate::read(root));
        let mut roots = roots.filter(|root| !root.constrains_names);
        roots.any(|root| self.has_signed(&root, certificate))
    }

    fn is_signed_by(&self, roots: &[CertificateDer<'_>], certificate: &Certificate<'_>) -> bool {
        let mut roots = roots.iter().filter_map(|root| Certificate::read(root));
        roots.any(|root| self.has_signed(&root, certificate))
    }

    fn has_signed(&self, root: &Certificate<'_>, certificate: &Certificate<'_>) -> bool {
        let verified = |algorithm: &&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
            algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm
                && algorithm.public_key_alg_id().as_ref() == root.key_algorithm
                && algorithm
                    .verify_signature(root.key, certificate.signed, certificate.signature)
                    .is_ok()
        };
        root.subject == certificate.issuer && self.algorithms.all.iter().any(verified)
    }
}

/// Whether only the form is refused: a CA's certificate in place of a server's, or version 1.
fn is_about_form(error: &Error) -> bool {
    use webpki::Error::{CaUsedAsEndEntity, UnsupportedCertVersion};
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    let other = other.0.downcast_ref();
    matches!(other, Some(CaUsedAsEndEntity | UnsupportedCertVersion))
}

fn validity(certificate: &Certificate<'_>, now: UnixTime) -> Result<(), Error> {
    if now < certificate.not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    match now > certificate.not_after {
        true => Err(CertificateError::Expired.into()),
        false => Ok(()),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        der: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.verify == Verify::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let certificate = Certificate::read(der).ok_or(CertificateError::BadEncoding)?;
        self.verify_chain(der, &certificate, between, now)?;
        if self.verify == Verify::ChainAndName && !name::is_for(&certificate, host) {
            return Err(CertificateError::NotValidForName.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        der: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = Certificate::read(der).ok_or(CertificateError::BadEncoding)?;
        if self.is_for_library(&certificate) {
            return verify_tls12_signature(message, der, signed, &self.algorithms);
        }
        let of_scheme = |(scheme, _): &&(SignatureScheme, _)| *scheme == signed.scheme;
        let fitting = self.algorithms.mapping.iter().find(of_scheme);
        let mut fitting = fitting.into_iter().flat_map(|(_, fitting)| *fitting);
        let verified = fitting.any(|algorithm| {
            algorithm.public_key_alg_id().as_ref() == certificate.key_algorithm
                && algorithm
                    .verify_signature(certificate.key, message, signed.signature())
                    .is_ok()
        });
        match verified {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        der: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = Certificate::read(der).ok_or(CertificateError::BadEncoding)?;
        if self.is_for_library(&certificate) {
            return verify_tls13_signature(message, der, signed, &self.algorithms);
        }
        let key = SubjectPublicKeyInfoDer::from(certificate.key_info);
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
