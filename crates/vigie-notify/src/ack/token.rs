//! The tokens of links: what they permit, and an HMAC-SHA256 of that.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

use crate::{Alert, Fingerprint, Time, random};

/// Separates these signatures from others by the same key, and from those of other versions.
const PURPOSE: &[u8] = b"vigie ack 1\0";
const PAYLOAD: usize = 24;
const SIGNATURE: usize = 32;

/// The key that signs links. Clones share it.
#[derive(Clone)]
pub struct Key(Arc<SecretBox<[u8; 32]>>);

/// The permission to acknowledge one alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The fingerprint of the alert.
    pub fingerprint: Fingerprint,
    /// The time at which the alert began to fire: a later alert with the same labels is another one.
    pub starts_at: Time,
    /// The time after which the token is not accepted.
    pub expires_at: Time,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was not signed by this key, or is incomplete.
    #[error("the link is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the link has expired")]
    Expired,
}

impl Token {
    /// A token for this alert.
    #[must_use]
    pub fn of(alert: &Alert, expires_at: Time) -> Self {
        Self {
            fingerprint: Fingerprint::of(&alert.labels),
            starts_at: alert.starts_at,
            expires_at,
        }
    }

    fn payload(&self) -> [u8; PAYLOAD] {
        let mut payload = [0; PAYLOAD];
        payload[..8].copy_from_slice(&self.fingerprint.0.to_be_bytes());
        payload[8..16].copy_from_slice(&self.starts_at.to_be_bytes());
        payload[16..].copy_from_slice(&self.expires_at.to_be_bytes());
        payload
    }
}

impl Key {
    /// The key with these bytes, which are random and kept in a private file.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(SecretBox::new(Box::new(bytes))))
    }

    /// A new key, from the system's source of random bytes.
    ///
    /// # Errors
    /// If the system has none.
    pub fn random() -> Result<Self, getrandom::Error> {
        random::bytes().map(Self::new)
    }

    /// The bytes, to be kept in a private file.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    fn mac(&self, payload: &[u8]) -> Hmac<Sha256> {
        // HMAC pads a shorter key with zeros.
        let mut block = [0; 64];
        block[..32].copy_from_slice(self.expose());
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(PURPOSE);
        mac.update(payload);
        mac
    }

    /// The text of a token, for a URL.
    #[must_use]
    pub fn sign(&self, token: &Token) -> String {
        let payload = token.payload();
        let signature = self.mac(&payload).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode([&payload[..], &signature[..]].concat())
    }

    /// The token of a text. The time it takes does not depend on where a signature is wrong.
    ///
    /// # Errors
    /// If it was not signed by this key, or has expired.
    pub fn verify(&self, text: &str, now: Time) -> Result<Token, TokenError> {
        // A longer text is not decoded.
        if text.len() != (PAYLOAD + SIGNATURE).div_ceil(3) * 4 - 1 {
            return Err(TokenError::Invalid);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
        let bytes = bytes.map_err(|_| TokenError::Invalid)?;
        let (payload, signature) = bytes
            .split_first_chunk::<PAYLOAD>()
            .ok_or(TokenError::Invalid)?;
        let verified = self.mac(payload).verify_slice(signature);
        verified.map_err(|_| TokenError::Invalid)?;
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&payload[at..at + 8]);
            number
        };
        let token = Token {
            fingerprint: Fingerprint(u64::from_be_bytes(number(0))),
            starts_at: Time::from_be_bytes(number(8)),
            expires_at: Time::from_be_bytes(number(16)),
        };
        match now > token.expires_at {
            true => Err(TokenError::Expired),
            false => Ok(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use vigie_promql::Labels;

    use super::*;

    fn token() -> Token {
        let alert = Alert::firing(Labels::new([("alertname", "A")]), 1_000);
        Token::of(&alert, 5_000)
    }

    #[test]
    fn a_signed_token_is_accepted_until_it_expires() {
        let key = Key::new([7; 32]);
        let text = key.sign(&token());
        assert_eq!(key.verify(&text, 0), Ok(token()));
        assert_eq!(key.verify(&text, 5_000), Ok(token()));
        assert_eq!(key.verify(&text, 5_001), Err(TokenError::Expired));
    }

    #[test]
    fn nothing_else_is_accepted() {
        let key = Key::new([7; 32]);
        let text = key.sign(&token());
        let invalid = Err(TokenError::Invalid);
        assert_eq!(Key::new([8; 32]).verify(&text, 0), invalid);
        for wrong in [
            "",
            "a",
            &text[1..],
            &format!("{text}A"),
            &format!("{text}="),
        ] {
            assert_eq!(key.verify(wrong, 0), invalid, "{wrong}");
        }
        // A change of any bit is detected, also of the unused bits at the end of base64.
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            let changed = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(key.verify(&changed, 0), invalid, "bit {at}");
        }
        for (at, _) in text.char_indices() {
            for other in ['A', '-', '_', '+', '/', '%', '\0'] {
                let mut changed = text.clone();
                changed.replace_range(at..=at, &other.to_string());
                let expected = if changed == text {
                    Ok(token())
                } else {
                    invalid
                };
                assert_eq!(key.verify(&changed, 0), expected, "{changed}");
            }
        }
    }

    #[test]
    fn two_keys_differ() {
        let keys = [Key::random().unwrap(), Key::random().unwrap()];
        assert_ne!(keys[0].expose(), keys[1].expose());
        assert_eq!(
            keys[0].sign(&token()),
            Key::new(*keys[0].expose()).sign(&token())
        );
    }
}
