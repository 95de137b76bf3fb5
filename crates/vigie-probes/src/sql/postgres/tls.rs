//! TLS parameters of libpq, node-postgres and Prisma.
//!
//! If they disagree about a value, libpq's meaning applies to its own parameters (`sslmode`), and node-postgres' to
//! those that only it has (`ssl`, and `no-verify`).

use vigie_tls::{Pem, Tls, Verify};

use super::keywords::Keywords;
use crate::address::UrlError;
use crate::sql::parameters::{self, wrong};
use crate::sql::tls::{Demand, Policy};

const UNSUPPORTED: &str = "has a value that is not supported";

pub(super) fn policy(keywords: &Keywords) -> Result<Policy, UrlError> {
    let by_system = keywords.get("sslrootcert") == Some("system");
    let roots = keywords.get("sslrootcert").filter(|_| !by_system);
    let client = parameters::client_certificate(
        keywords.get("sslcert"),
        keywords.get("sslkey"),
        keywords.get("sslpassword"),
        keywords.get("sslidentity"),
    )?;
    // libpq verifies whenever a root is configured.
    let implied = match roots {
        Some(_) => Verify::ChainIfPresent,
        None => Verify::Nothing,
    };
    let (demand, mut verify) = match (keywords.get("sslmode"), keywords.get("ssl")) {
        (Some("verify-full"), _) => (Demand::Always, Verify::ChainAndName),
        (Some(_), _) if by_system => {
            let problem = "must be verify-full, as in libpq, because sslrootcert is system";
            return Err(wrong("sslmode", problem));
        }
        (Some("disable"), _) => (Demand::Never, Verify::Nothing),
        (Some("allow"), _) => (Demand::IfRefused, implied),
        (Some("prefer"), _) => (Demand::IfPossible, implied),
        (Some("require"), _) => (Demand::Always, implied),
        (Some("verify-ca"), _) => (Demand::Always, Verify::Chain),
        (Some("no-verify"), _) | (None, Some("no-verify")) => (Demand::Always, Verify::Nothing),
        (Some(_), _) => return Err(wrong("sslmode", UNSUPPORTED)),
        (None, Some("true" | "1")) => (Demand::Always, Verify::ChainAndName),
        (None, Some("false" | "0" | "no" | "off")) => (Demand::Never, Verify::Nothing),
        (None, Some(_)) => return Err(wrong("ssl", UNSUPPORTED)),
        (None, None) if by_system => (Demand::Always, Verify::ChainAndName),
        (None, None) => (Demand::IfPossible, implied),
    };
    match keywords.get("sslaccept") {
        Some("strict") => verify = Verify::ChainAndName,
        Some("accept_invalid_certs") => verify = Verify::Nothing,
        Some(_) => return Err(wrong("sslaccept", UNSUPPORTED)),
        None => {}
    }
    // Prisma's `sslcert` is the server's root, because it takes the client's certificate from `sslidentity`.
    let prisma = keywords.get("sslcert").filter(|_| client.is_none());
    Ok(Policy {
        demand,
        tls: Tls {
            roots: roots.or(prisma).map(Pem::from),
            client,
            verify,
        },
    })
}
