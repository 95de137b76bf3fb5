//! The texts of SMTP: replies, challenges and mails.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;

use super::super::text::{excerpt, hex};

/// The longest part of a reply in an error, in characters.
pub(super) const SHOWN: usize = 200;

/// A reply: its code and its text.
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    pub(super) fn text(&self) -> String {
        excerpt(&self.lines.join(" "), SHOWN)
    }
}

/// A line of a reply: the code, whether it is the last line, and the text.
pub(super) fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches(['\r', '\n']);
    let digits = line.get(..3)?;
    let code = digits
        .parse()
        .ok()
        .filter(|code| (200..600).contains(code))?;
    let rest = &line[3..];
    let is_last = match rest.bytes().next() {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let text = rest.get(1..).unwrap_or_default();
    Some((code, is_last, text.to_owned()))
}

/// The response to a challenge of CRAM-MD5 (RFC 2195).
pub(super) fn cram_md5(user: &str, secret: &str, challenge: &[u8]) -> String {
    // HMAC accepts keys of any length.
    let Ok(mut hmac) = Hmac::<Md5>::new_from_slice(secret.as_bytes()) else {
        return user.to_owned();
    };
    hmac.update(challenge);
    format!("{user} {}", hex(&hmac.finalize().into_bytes()))
}

/// A mail with its dots doubled at the beginning of lines, and a line break at its end.
pub(super) fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_replies() {
        let line = |text: &str| parse(text.as_bytes());
        assert_eq!(line("250 OK\r\n"), Some((250, true, "OK".into())));
        assert_eq!(line("250-SIZE\r\n"), Some((250, false, "SIZE".into())));
        assert_eq!(line("221\r\n"), Some((221, true, String::new())));
        for odd in [
            "",
            "\r\n",
            "25",
            "HTTP/1.1 400 Bad Request\r\n",
            "250x\r\n",
            "099 a\r\n",
            "2é0 a",
        ] {
            assert_eq!(line(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_response_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let response = cram_md5("tim", "tanstaaftanstaaf", challenge);
        assert_eq!(response, "tim b913a602c7eda7a495b4e6e7334d3890");
    }

    #[test]
    fn dots_are_doubled() {
        assert_eq!(stuffed(b".a\r\n..\r\nb."), b"..a\r\n...\r\nb.\r\n");
        assert_eq!(stuffed(b"a\r\n"), b"a\r\n");
    }
}
