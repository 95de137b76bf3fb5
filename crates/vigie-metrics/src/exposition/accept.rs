//! Parses `Accept` (RFC 9110, section 12.5.1) to choose between two formats.

use super::Format;

/// The first supported format with the highest weight.
pub(super) fn preferred(accept: &str) -> Format {
    let mut best = (Format::Text, 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let mut weight = 1.0;
        let mut version = None;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => weight = value.trim().parse().unwrap_or(0.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        let format = if media.eq_ignore_ascii_case("application/openmetrics-text") {
            // 0.0.1 was a draft with other rules; only 1.0.0 is written.
            version
                .is_none_or(|v| v == "1.0.0")
                .then_some(Format::OpenMetrics)
        } else if media.eq_ignore_ascii_case("text/plain") {
            version.is_none_or(|v| v == "0.0.4").then_some(Format::Text)
        } else {
            matches!(media, "*/*" | "text/*").then_some(Format::Text)
        };
        if let Some(format) = format
            && weight > best.1
        {
            best = (format, weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_weights() {
        let cases = [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text; version=0.0.1", Format::Text),
            (
                "text/plain;q=0.9, application/openmetrics-text;q=0.5",
                Format::Text,
            ),
            (
                "text/plain;q=0.2, application/openmetrics-text;q=0.5",
                Format::OpenMetrics,
            ),
            // Prometheus 2.42.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            // Prometheus 3.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;q=nonsense, */*;q=0.1",
                Format::Text,
            ),
        ];
        for (accept, format) in cases {
            assert_eq!(preferred(accept), format, "{accept}");
        }
    }
}
