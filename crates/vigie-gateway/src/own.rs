//! The responses that the gateway makes itself.

use crate::reason::Reason;

/// The response for a reason. The connection is closed after it.
pub(crate) fn response(reason: Reason, to_head: bool) -> Vec<u8> {
    let text = reason.text();
    // The text begins with the status and its name.
    let status = text.split(':').next().unwrap_or_default();
    let length = text.len();
    let body = if to_head { "" } else { text };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
