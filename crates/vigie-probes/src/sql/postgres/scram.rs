//! The login by SCRAM-SHA-256 (RFC 5802, RFC 7677), with channel binding over TLS.

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;

use super::login::Binding;
use super::wire::{Wire, odd, server_error};
use crate::sql::error::Error;

/// The maximum number of iterations of the key derivation, which takes about a second. PostgreSQL's default is 4,096.
const MOST_ITERATIONS: u32 = 2_000_000;

/// Logs in with a mechanism that the server offers.
pub(super) async fn log_in(
    wire: &mut Wire,
    offered: &AuthenticationSaslBody,
    binding: Binding,
    end_point: Option<Vec<u8>>,
    password: &[u8],
) -> Result<(), Error> {
    let (name, binding) = choose(offered, binding, end_point)?;
    let mut scram = ScramSha256::new(password, binding);
    let first = scram.message().to_vec();
    wire.send(|out| frontend::sasl_initial_response(name, &first, out))
        .await?;
    let challenge = match wire.receive().await? {
        Message::AuthenticationSaslContinue(body) => body.data().to_vec(),
        Message::ErrorResponse(error) => return Err(server_error(&error, false)),
        _ => return Err(Error::protocol("unexpected message during SCRAM")),
    };
    if iterations(&challenge).is_some_and(|count| count > MOST_ITERATIONS) {
        let text = format!("SCRAM with more than {MOST_ITERATIONS} iterations");
        return Err(Error::Method(text));
    }
    // The key derivation would block the other tasks of this thread.
    let derived = tokio::task::spawn_blocking(move || {
        let updated = scram.update(&challenge);
        updated.map(|()| scram)
    });
    let interrupted = |_| std::io::Error::from(std::io::ErrorKind::Interrupted);
    let mut scram = derived.await.map_err(interrupted)?.map_err(odd)?;
    let second = scram.message().to_vec();
    wire.send(|out| frontend::sasl_response(&second, out))
        .await?;
    match wire.receive().await? {
        Message::AuthenticationSaslFinal(body) => scram.finish(body.data()).map_err(odd),
        Message::ErrorResponse(error) => Err(server_error(&error, false)),
        _ => Err(Error::protocol("unexpected message during SCRAM")),
    }
}

/// The mechanism, and its binding to the TLS connection.
fn choose(
    offered: &AuthenticationSaslBody,
    binding: Binding,
    end_point: Option<Vec<u8>>,
) -> Result<(&'static str, ChannelBinding), Error> {
    let offered: Vec<_> = offered
        .mechanisms()
        .map(|name| Ok(name.to_owned()))
        .collect()
        .map_err(odd)?;
    let offers = |name: &str| offered.iter().any(|offered| offered == name);
    let end_point = end_point.filter(|_| binding != Binding::Never);
    Ok(match end_point {
        Some(hash) if offers(SCRAM_SHA_256_PLUS) => (
            SCRAM_SHA_256_PLUS,
            ChannelBinding::tls_server_end_point(hash),
        ),
        _ if binding == Binding::Required => {
            let text = "SCRAM without channel binding, though channel_binding=require is set";
            return Err(Error::Method(text.into()));
        }
        _ if !offers(SCRAM_SHA_256) => return Err(Error::Method(offered.join(", "))),
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
    })
}

/// The number of iterations in a challenge, `r=NONCE,s=SALT,i=COUNT`; `u32::MAX` if it is larger.
fn iterations(challenge: &[u8]) -> Option<u32> {
    let mut fields = challenge.split(|byte| *byte == b',');
    let count = fields.find_map(|field| field.strip_prefix(b"i="))?;
    let digits = count.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number: u32, digit| {
        let digit = u32::from(digit - b'0');
        number.saturating_mul(10).saturating_add(digit)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterations_are_read_before_they_are_made() {
        for (challenge, count) in [
            ("r=n,s=c2FsdA==,i=4096", Some(4_096)),
            ("r=i=7,s=c2FsdA==,i=4294967295", Some(u32::MAX)),
            ("r=n,s=,i=99999999999999999999", Some(u32::MAX)),
            ("r=n,s=,i=", Some(0)),
            ("r=n,s=", None),
        ] {
            assert_eq!(iterations(challenge.as_bytes()), count, "{challenge}");
        }
    }
}
