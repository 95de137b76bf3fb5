//! Signed links that acknowledge one alert.
//!
//! The link in a message is the only credential that it needs: a person on call has a phone, and no token of the API.
//! Therefore a link is valid for one alert and for the time that it fires, expires, and can only acknowledge or end that.
//! Opening it changes nothing, because chat programs open links to preview them; only the button of its page does.

mod html;
mod token;

use std::time::Duration;

pub use html::{Acknowledgeable, CONTENT_SECURITY_POLICY, page};
pub use token::{Key, Token, TokenError};

use crate::{Alert, Time, millis};

/// The lifetime of a link by default.
pub const LIFETIME: Duration = Duration::from_secs(24 * 3_600);

/// Makes the links for messages.
#[derive(Clone)]
pub struct Links {
    base: String,
    key: Key,
    lifetime: Time,
}

impl Links {
    /// Links to the program whose admin port is reached at `base`, a URL without a query.
    #[must_use]
    pub fn new(base: &str, key: Key, lifetime: Duration) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            key,
            lifetime: millis(lifetime),
        }
    }

    /// The link that acknowledges an alert, made at `now`. It is a secret of those who get the message.
    #[must_use]
    pub fn acknowledge(&self, alert: &Alert, now: Time) -> String {
        let token = Token::of(alert, now.saturating_add(self.lifetime));
        format!("{}/ack/{}", self.base, self.key.sign(&token))
    }
}
