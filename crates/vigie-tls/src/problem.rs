//! Why two sides do not agree on TLS, in words.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::{AlertDescription, CertificateError};

use crate::error::rustls_error;

/// Why two sides do not agree on TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// No trusted CA has signed the server's certificate.
    UnknownCa,
    /// The server's certificate has expired.
    Expired,
    /// The CA's certificate has expired.
    CaExpired,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// The server's certificate is for another host.
    OtherHost,
    /// The server's certificate is not one for servers.
    OtherPurpose,
    /// The server's certificate uses an algorithm that is not supported.
    Algorithm,
    /// The server's certificate cannot be read, or has a critical part that is not understood.
    Certificate,
    /// The server asks for a client certificate.
    ClientCertificateMissing,
    /// The server does not trust the CA of the client certificate.
    ClientCaUnknown,
    /// The client certificate has expired.
    ClientCertificateExpired,
    /// The server does not accept the client certificate for another reason.
    ClientCertificateRefused,
    /// The key is not that of the client certificate.
    OtherKey,
    /// The server does not speak TLS.
    NotTls,
    /// There is no version or cipher that both sides support.
    Incompatible,
    /// The server knows no such host.
    UnknownHost,
    /// The server ended the connection during the handshake.
    HungUp,
    /// Another failure of the handshake.
    Other,
}

impl TlsProblem {
    pub(crate) fn of(error: &rustls::Error) -> Self {
        use rustls::Error as Tls;
        match error {
            Tls::InvalidCertificate(error) => Self::of_certificate(error),
            Tls::AlertReceived(alert) => Self::of_alert(*alert),
            Tls::InvalidMessage(_) => Self::NotTls,
            Tls::PeerIncompatible(_) => Self::Incompatible,
            Tls::InconsistentKeys(_) => Self::OtherKey,
            _ => Self::Other,
        }
    }

    /// The problem in the chain of an error's sources, if there is one.
    #[must_use]
    pub fn in_sources(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            type Shared = Arc<dyn std::error::Error + Send + Sync>;
            let inner: &(dyn std::error::Error + 'static) = match error.downcast_ref::<Shared>() {
                Some(shared) => &**shared,
                None => error,
            };
            let io = inner.downcast_ref::<io::Error>();
            if let Some(error) = io.and_then(rustls_error) {
                return Some(Self::of(error));
            }
            next = error.source();
        }
        None
    }

    fn of_certificate(error: &CertificateError) -> Self {
        use CertificateError as Bad;
        match error {
            Bad::Expired | Bad::ExpiredContext { .. } => Self::Expired,
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => Self::NotYetValid,
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Self::OtherHost,
            Bad::UnknownIssuer | Bad::BadSignature => Self::UnknownCa,
            Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => Self::OtherPurpose,
            Bad::UnsupportedSignatureAlgorithmContext { .. }
            | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Self::Algorithm,
            Bad::Other(other) => other.0.downcast_ref().copied().unwrap_or(Self::Certificate),
            _ => Self::Certificate,
        }
    }

    /// A peer's alert (RFC 8446, section 6.2) about a certificate is about the client's.
    fn of_alert(alert: AlertDescription) -> Self {
        use AlertDescription as Alert;
        match alert {
            Alert::CertificateRequired => Self::ClientCertificateMissing,
            Alert::UnknownCA => Self::ClientCaUnknown,
            Alert::CertificateExpired => Self::ClientCertificateExpired,
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::AccessDenied => Self::ClientCertificateRefused,
            Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity => {
                Self::Incompatible
            }
            Alert::UnrecognisedName => Self::UnknownHost,
            _ => Self::Other,
        }
    }
}

impl std::error::Error for TlsProblem {}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCa => "the server's certificate is signed by a CA that is not trusted",
            Self::Expired => "the server's certificate has expired",
            Self::CaExpired => {
                "the server's certificate is signed by a CA whose own certificate has expired"
            }
            Self::NotYetValid => "the server's certificate is not valid yet",
            Self::OtherHost => "the server's certificate is for another host",
            Self::OtherPurpose => "the server's certificate is not one for servers",
            Self::Algorithm => {
                "the server's certificate uses a key or signature algorithm that is not supported"
            }
            Self::Certificate => "the server's certificate cannot be used",
            Self::ClientCertificateMissing => "the server asks for a client certificate",
            Self::ClientCaUnknown => {
                "the client certificate is signed by a CA that the server does not trust"
            }
            Self::ClientCertificateExpired => "the client certificate has expired",
            Self::ClientCertificateRefused => "the server does not accept the client certificate",
            Self::OtherKey => "the key is not that of the client certificate",
            Self::NotTls => "the server does not speak TLS",
            Self::Incompatible => {
                "client and server support no TLS version, cipher or signature in common"
            }
            Self::UnknownHost => "the server does not know the host name it was asked for",
            Self::HungUp => "the server ended the connection during the TLS handshake",
            Self::Other => "the TLS handshake failed",
        })
    }
}
