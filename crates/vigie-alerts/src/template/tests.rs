use super::*;

fn error_of(text: &str) -> (String, String) {
    let error = parse(text).unwrap_err();
    let at = text.get(error.span.clone());
    let at = at.unwrap_or_else(|| panic!("{:?} in {text:?}", error.span));
    (error.title, at.to_owned())
}

#[test]
fn valid_templates() {
    for text in [
        "",
        "plain { text }",
        "{{ $value }}",
        "{{$value}}",
        "{{- $value -}}",
        "{{ $labels.queue }} and {{ .Labels.queue }} {{ . }} {{ $.Value }}",
        "{{ $value | humanize }}",
        "{{ $value | printf \"%.2f\" | title }}",
        "{{ printf \"%s\\n\\x41\\u00e9\" `raw \\ text` 'c' 1 -2.5 0x1f 1e3 true nil }}",
        "{{/* a comment */}}{{- /* another */ -}}",
        "{{ if $value }}a{{ else if gt $value 5.0 }}b{{ else }}c{{ end }}",
        "{{ if and (gt $value 1.0) (lt $value 2.0) }}x{{ end }}",
        "{{ with $labels.instance }} on {{ . }}{{ end }}",
        "{{ with $x := $labels.a }}{{ $x }}{{ else }}none{{ end }}",
        "{{ range query \"up\" }}{{ .Labels.job }}{{ break }}{{ end }}",
        "{{ range $i, $s := query \"up\" }}{{ if $i }},{{ end }}{{ $s.Value }}{{ else }}-{{ end }}",
        "{{ (query \"up\" | first).Value | humanize }}",
        "{{ $x := 1 }}{{ $x = 2 }}{{ $x }}",
        "{{ define \"a\" }}{{ . }} {{ $ }}{{ end }}{{ template \"a\" $value }}{{ template \"a\" }}",
        "{{ block \"b\" . }}x{{ end }}",
        "{{ index $labels \"a-b\" }}",
        "{{ args 1 2 | len }}",
        "{{ $labels.a\n | toUpper }}",
    ] {
        assert!(parse(text).is_ok(), "{text:?}: {:?}", parse(text));
    }
}

#[test]
fn invalid_templates() {
    for (text, title, at) in [
        ("{{ $value", "an unclosed action", "{{"),
        ("a {{ }}", "a value is missing", "}}"),
        ("{{ $value | }}", "a value is missing", "}}"),
        ("{{ | title }}", "a value is missing", "|"),
        ("{{ $vlaue }}", "unknown variable `$vlaue`", "$vlaue"),
        (
            "{{ humanise 1 }}",
            "unknown function `humanise`",
            "humanise",
        ),
        (
            "{{ $value | humanze }}",
            "unknown function `humanze`",
            "humanze",
        ),
        ("{{ if $value }}x", "unclosed `if`", "{{ if $value }}"),
        (
            "{{ if 1 }}{{ else }}{{ else }}{{ end }}",
            "a second `else`",
            "else",
        ),
        ("{{ end }}", "unexpected `end`", "end"),
        ("{{ break }}", "`break` outside of a `range`", "break"),
        (
            "{{ if 1 }}{{ define \"a\" }}{{ end }}{{ end }}",
            "`define` in a block",
            "{{ define \"a\" }}",
        ),
        (
            "{{ range $x := 1 }}{{ end }}{{ $x }}",
            "unknown variable `$x`",
            "$x",
        ),
        (
            "{{ define \"a\" }}{{ $labels }}{{ end }}",
            "unknown variable `$labels`",
            "$labels",
        ),
        ("{{ $x = 1 }}", "unknown variable `$x`", "$x"),
        ("{{ \"a }}", "an unclosed string", "\""),
        ("{{ `a }}", "an unclosed string", "`a }}"),
        ("{{ \"\\q\" }}", "an unknown escape", "\\"),
        ("{{ (1 }}", "an unclosed parenthesis", "}}"),
        ("{{ 1 | 2 }}", "a value after `|`", "2"),
        ("{{ print 1\"a\" }}", "two values without a space", "\"a\""),
        ("{{ true.x }}", "a field of a plain value", ".x"),
        ("{{ ..x }}", "a field of a plain value", ".x"),
        ("{{ 1x }}", "`1x` is not a number", "1x"),
        ("{{ $value # }}", "`#` in an action", "#"),
        ("{{ end 1 }}", "unexpected `end`", "end"),
        ("{{ with 1 }}{{ end 1 }}", "a word too many", "1"),
        ("{{ /* x }}", "`/` in an action", "/"),
        ("{{/* x */ 1 }}", "text after a comment", ""),
        ("{{/* x", "an unclosed comment", "{{/* x"),
        ("{{ template a }}", "a name is missing", "a"),
    ] {
        assert_eq!(
            error_of(text),
            (title.to_owned(), at.to_owned()),
            "{text:?}"
        );
    }
}

#[test]
fn suggestions() {
    let help = |text| parse(text).unwrap_err().help;
    let humanize = help("{{ humanise 1 }}");
    assert_eq!(humanize.as_deref(), Some("did you mean `humanize`?"));
    assert_eq!(
        help("{{ $lables.x }}").as_deref(),
        Some("did you mean `$labels`?")
    );
    assert_eq!(help("{{ somethingElse 1 }}"), None);
}

#[test]
fn depth_is_bounded() {
    let blocks = "{{ if 1 }}".repeat(1_000);
    assert_eq!(error_of(&blocks).0, "nested too deep");
    let parens = format!("{{{{ {}", "(".repeat(1_000));
    assert_eq!(
        parse(&format!("{parens} }}}}")).unwrap_err().title,
        "nested too deep"
    );
    let chain = format!("{{{{ if 1 }}}}{}", "{{ else if 1 }}".repeat(1_000));
    assert_eq!(error_of(&chain).0, "nested too deep");
}

#[test]
fn markers_trim() {
    let template = parse("a \n {{- 1 -}} \t b {{ 2 }} c").unwrap();
    let texts = template.nodes.iter().filter_map(|node| match node {
        Node::Text(text) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["a", "b ", " c"]);
}

#[test]
fn functions_by_dialect() {
    let count = |dialect| Function::ALL.iter().filter(|f| f.is_in(dialect)).count();
    // 19 of Go, and the program's own.
    assert_eq!(count(Dialect::Prometheus), 19 + 29);
    assert_eq!(count(Dialect::Alertmanager), 19 + 25);
    assert!(parse_as(Dialect::Alertmanager, "{{ date \"15:04\" now }}").is_ok());
    let chain = "{{ with 0 }}a{{ else with 1 }}b{{ else }}c{{ end }}";
    assert!(parse_as(Dialect::Alertmanager, chain).is_ok());
    assert!(parse(chain).is_err());
    let error = parse("{{ date \"15:04\" now }}").unwrap_err();
    assert_eq!(error.label, "Prometheus has no such function");
    let error = parse_as(Dialect::Alertmanager, "{{ $value | humanize }}").unwrap_err();
    assert_eq!(error.title, "unknown variable `$value`");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(?s)(\\{\\{-? ?|-?\\}\\}|[ $.|()\"'`=:,é\n]|if |else |end|range |with |define |template |\\$labels|\\$x|query|1|/\\*|\\*/|\\\\u|.){0,24}") {
        if let Err(error) = parse(&text) {
            proptest::prop_assert!(text.get(error.span.clone()).is_some(), "{error:?}");
        }
    }
}
