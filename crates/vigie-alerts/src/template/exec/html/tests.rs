#![allow(clippy::unwrap_used)]
use super::super::super::Library;
use super::super::{Clock, Limits, Value};

fn html(text: &str, value: Value) -> Result<String, String> {
    let clock = Clock { now: 0 };
    let html = Library::default().html(text, &value, &clock, Limits::default());
    html.map_err(|failure| failure.to_string())
}

#[test]
fn values_are_escaped_for_their_place() {
    let value = || Value::text("a'<b>&\"+ javascript:x?y=1");
    for (text, expected) in [
        (
            "<p>{{ . }}</p>",
            "<p>a&#39;&lt;b&gt;&amp;&#34;&#43; javascript:x?y=1</p>",
        ),
        (
            "<p title='{{ . }}'>",
            "<p title='a&#39;&lt;b&gt;&amp;&#34;&#43; javascript:x?y=1'>",
        ),
        (
            "<p title={{ . }}>",
            "<p title=a&#39;&lt;b&gt;&amp;&#34;&#43;&#32;javascript:x?y&#61;1>",
        ),
        (
            "<a href=\"/x?q={{ . }}\">",
            "<a href=\"/x?q=a%27%3cb%3e%26%22%2b%20javascript%3ax%3fy%3d1\">",
        ),
        ("<a href=\"{{ . }}\">", "<a href=\"#ZgotmplZ\">"),
        (
            "<a href=\"/{{ . }}\">",
            "<a href=\"/a%27%3cb%3e&amp;%22&#43;%20javascript:x?y=1\">",
        ),
        (
            "<title>{{ . }}</title>",
            "<title>a&#39;&lt;b&gt;&amp;&#34;&#43; javascript:x?y=1</title>",
        ),
        (
            "<p style=\"color: {{ . }}\">",
            "<p style=\"color: ZgotmplZ\">",
        ),
        (
            "a<!-- {{ . }} -->b < c<!DOCTYPE html>",
            "ab &lt; c<!DOCTYPE html>",
        ),
        (
            "{{ . | safeHtml }}{{ html . }}",
            "a'<b>&\"+ javascript:x?y=1a&#39;&lt;b&gt;&amp;&#34;+ javascript:x?y=1",
        ),
        (
            "<a href=\"{{ . | safeUrl }}\">",
            "<a href=\"a%27%3cb%3e&amp;%22&#43;%20javascript:x?y=1\">",
        ),
        (
            "<style>p { /* x */ color: red }</style>{{ . }}",
            "<style>p {   color: red }</style>a&#39;&lt;b&gt;&amp;&#34;&#43; javascript:x?y=1",
        ),
        (
            "<{{ . }}",
            "&lt;a&#39;&lt;b&gt;&amp;&#34;&#43; javascript:x?y=1",
        ),
    ] {
        assert_eq!(html(text, value()).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn places_that_cannot_be_made_safe_are_refused() {
    for (text, part) in [
        ("<script>{{ . }}</script>", "a value in a script"),
        ("<a onclick=\"{{ . }}\">", "a value in a script"),
        (
            "<p style=\"background: url({{ . }})\">",
            "an address of a style",
        ),
        ("<img srcset=\"{{ . }}\">", "`srcset`"),
        ("<a href=\"", "the HTML ends in an attribute"),
        ("<p", "the HTML ends in a tag"),
        ("<p \"x\">", "in attribute name"),
    ] {
        let error = html(text, Value::text("x")).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

proptest::proptest! {
    /// No text value leaves its place: the output has the tags of the template only.
    #[test]
    fn no_value_begins_a_tag(value in "[<>\"'&=+ a-z:/?!-]{0,12}", place in 0..6usize) {
        let text = [
            "<p>{{ . }}</p>", "<p title=\"{{ . }}\"></p>", "<p title='{{ . }}'></p>",
            "<p title={{ . }}></p>", "<a href=\"{{ . }}\"></a>", "<title>{{ . }}</title>",
        ][place];
        let html = html(text, Value::text(value)).unwrap();
        proptest::prop_assert_eq!(html.matches('<').count(), 2);
        proptest::prop_assert_eq!(html.matches('>').count(), 2);
    }

    #[test]
    fn no_html_panics(text in "(?s)(<|>|</|<!--|-->|style|script|title|href|on|=|\"|'|url\\(|/\\*|\\*/|\\\\|\\{\\{ \\. \\}\\}|[ a&#é]|.){0,24}") {
        let _ = html(&text, Value::text("<x>"));
    }
}
