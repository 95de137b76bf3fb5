//! ntfy. It is not in Alertmanager's format.

use super::super::http::HttpConfig;
use super::super::secret::Secret;

/// A topic of an ntfy server. The texts are templates.
#[derive(Clone, Debug)]
pub struct Ntfy {
    /// The URL of the topic, as in `https://ntfy.sh/TOPIC`.
    pub url: Secret,
    /// The access token.
    pub token: Option<Secret>,
    /// The HTTP client's settings.
    pub http: HttpConfig,
    /// The title.
    pub title: String,
    /// The text.
    pub message: String,
    /// The URL that a tap opens.
    pub click: String,
    /// The priority of a message about firing alerts, from 1 to 5.
    pub priority: u8,
}
