//! `multipart/form-data` (RFC 7578), as `curl -F` sends it.

/// The names and values of a form's fields, up to the closing boundary or the first invalid part.
pub(crate) fn fields(body: &[u8], boundary: &str) -> Vec<(String, String)> {
    let delimiter = format!("\r\n--{boundary}");
    let mut fields = Vec::new();
    // The first delimiter may be at the start, without a line break before it.
    let mut rest = match body.strip_prefix(&delimiter.as_bytes()[2..]) {
        Some(rest) => Some(rest),
        None => split(body, delimiter.as_bytes()).map(|(_, rest)| rest),
    };
    while let Some(part) = rest.and_then(after_line) {
        let Some((part, after)) = split(part, delimiter.as_bytes()) else {
            break;
        };
        rest = Some(after);
        fields.extend(field(part));
    }
    fields
}

/// The text after the blanks and line break of a delimiter; `None` after the closing delimiter.
fn after_line(rest: &[u8]) -> Option<&[u8]> {
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
    rest[blanks.count()..].strip_prefix(b"\r\n")
}

/// The name and value of a part. `None` for a file, which is not a parameter.
fn field(part: &[u8]) -> Option<(String, String)> {
    let (headers, value) = split(part, b"\r\n\r\n")?;
    let headers = std::str::from_utf8(headers).ok()?;
    let disposition = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_disposition = name.trim().eq_ignore_ascii_case("content-disposition");
        is_disposition.then_some(value)
    })?;
    let (kind, parameters) = disposition.split_once(';')?;
    let is_field = kind.trim().eq_ignore_ascii_case("form-data")
        && parameter(parameters, "filename").is_none();
    let name = parameter(parameters, "name").filter(|_| is_field)?;
    Some((name.to_owned(), String::from_utf8_lossy(value).into_owned()))
}

/// The value of a header parameter, without its quotes. The names of parameters here need no escapes.
pub(crate) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let value = parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })?;
    let value = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    (!value.is_empty()).then_some(value)
}

/// The text before and after the first `separator`.
fn split<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut windows = text.windows(separator.len());
    let at = windows.position(|window| window == separator)?;
    Some((&text[..at], &text[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::{fields, parameter};

    #[test]
    fn fields_of_a_form() {
        let part = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let file = "--b\r\ncontent-disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n1\r\n";
        let form = part("query", "up\r\n--a + 1")
            + &part("match[]", "é")
            + file
            + &part("e", "")
            + "--b--\r\n";
        let expected = [("query", "up\r\n--a + 1"), ("match[]", "é"), ("e", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(fields(form.as_bytes(), "b"), expected);
        let after_preamble = format!("preamble\r\n{form}");
        assert_eq!(fields(after_preamble.as_bytes(), "b"), expected);
        for broken in [
            "",
            "--b",
            "--b--",
            "--b\r\n",
            "--b\r\n\r\n\r\n--b",
            "--c\r\n",
        ] {
            assert_eq!(fields(broken.as_bytes(), "b"), [], "{broken:?}");
        }
    }

    #[test]
    fn parameters_of_a_header() {
        assert_eq!(parameter(" a=1; Boundary=\"x y\"", "boundary"), Some("x y"));
        assert_eq!(parameter("boundary=x", "boundary"), Some("x"));
        assert_eq!(parameter("boundary=\"\"", "boundary"), None);
    }

    proptest::proptest! {
        #[test]
        fn parsing_arbitrary_bodies_does_not_panic(body in "(?s)((\r\n)?(--b|: |;|name=|\"|content-disposition:form-data|.){0,3}){0,9}") {
            let _ = fields(body.as_bytes(), "b");
        }
    }
}
