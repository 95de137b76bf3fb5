#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use super::super::parse;
use super::*;

struct Fixed;

impl Environment for Fixed {
    fn query(&self, expression: &str) -> Result<Vec<Sample>, String> {
        if expression == "wrong(" {
            return Err("parse error".to_owned());
        }
        let series = |job: &str, value| Sample {
            labels: Arc::new([("job".to_owned(), job.to_owned())].into()),
            value,
        };
        Ok(vec![series("b", 2.0), series("a", 1.0)])
    }

    fn external_url(&self) -> &'static str {
        "http://vigie.example:9850/vigie"
    }

    fn now(&self) -> i64 {
        1_643_114_203_000
    }
}

fn data() -> Value {
    let labels = [("queue".to_owned(), "mails".to_owned())].into();
    Value::Data(Arc::new(Data {
        kind: "struct",
        hidden: Vec::new(),
        fields: vec![
            ("Labels", Value::Strings(Arc::new(labels))),
            ("ExternalLabels", Value::Strings(Arc::default())),
            (
                "ExternalURL",
                Value::text("http://vigie.example:9850/vigie"),
            ),
            ("Value", Value::Float(1234.5)),
        ],
    }))
}

fn run(text: &str) -> Result<String, ExecutionError> {
    let template = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    execute(
        "__alert_A",
        &template,
        text,
        &data(),
        &Fixed,
        Limits::default(),
    )
}

#[test]
fn outputs() {
    for (text, expected) in [
        ("plain", "plain"),
        (
            "{{ $value }} {{ .Value }} {{ $.Value }}",
            "1234.5 1234.5 1234.5",
        ),
        (
            "{{ $labels.queue }}{{ .Labels.none }}|{{ $labels }}",
            "mails|map[queue:mails]",
        ),
        (
            "{{ if gt $value 5.0 }}a{{ else if lt $value 1.0 }}b{{ else }}c{{ end }}",
            "a",
        ),
        ("{{ if and $value .Labels.none }}a{{ else }}b{{ end }}", "b"),
        (
            "{{ or .Labels.none \"x\" }}{{ not 0 }}{{ len \"é\" }}",
            "xtrue2",
        ),
        (
            "{{ with $x := 5 }}{{ $x }}{{ . }}{{ end }}{{ with 0 }}a{{ else }}b{{ end }}",
            "55b",
        ),
        (
            "{{ range $i, $s := query \"up\" }}{{ $i }}={{ $s.Labels.job }}:{{ .Value }} {{ end }}",
            "0=b:2 1=a:1 ",
        ),
        (
            "{{ range sortByLabel \"job\" (query \"up\") }}{{ . | label \"job\" }}{{ . | value }}{{ end }}",
            "a1b2",
        ),
        (
            "{{ range query \"up\" }}{{ .Value }}{{ break }}{{ end }}",
            "2",
        ),
        ("{{ range query \"up\" }}{{ continue }}x{{ end }}y", "y"),
        ("{{ (query \"up\" | first).Value }}", "2"),
        (
            "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}",
            "2",
        ),
        (
            "{{ define \"t\" }}<{{ . }}{{ .arg1 }}>{{ end }}{{ template \"t\" (args 1 \"b\") }}",
            "<map[arg0:1 arg1:b]b>",
        ),
        ("{{ (args 1).none }}", "<no value>"),
        ("{{ block \"b\" 7 }}{{ . }}{{ end }}", "7"),
        (
            "{{ printf \"%.2f|%5d|%-4s|%q|%v|%t|%c|%x|%08.3f|%+d|%%\" 1.0 42 \"ab\" \"é\\n\" 1.5 true 'a' 255 3.14159 7 }}",
            "1.00|   42|ab  |\"é\\n\"|1.5|true|a|ff|0003.142|+7|%",
        ),
        ("{{ printf \"%d %s\" \"a\" }}", "%!d(string=a) %!s(MISSING)"),
        ("{{ printf \"%d\" 1 2 }}", "1%!(EXTRA int=2)"),
        (
            "{{ print 1 2 \"a\" 3 }} {{ println 1 \"a\" }}",
            "1 2a3 1 a\n",
        ),
        (
            "{{ humanize 1048576 }} {{ humanize1024 1048576 }} {{ humanizeDuration 135.3563 }} {{ humanizePercentage 0.959 }} {{ humanizeTimestamp 1643114203 }}",
            "1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC",
        ),
        (
            "{{ title \"this part_of\" }} {{ toUpper \"is testing\" }} {{ toLower \"THE\" }}. {{ stripPort \"[::1]:6006\" }} {{ stripDomain \"a.b.c:80\" }}",
            "This Part_of IS TESTING the. ::1 a:80",
        ),
        (
            "{{ if match \"[0-9]+\" \"1234\" }}{{ reReplaceAll \"r(.*)d\" \"<$1>\" \"rpld text\" }}{{ end }}",
            "<pl> text",
        ),
        (
            "{{ parseDuration \"2h10m15s\" }} {{ pathPrefix }} {{ tableLink \"up > 1\" }}",
            "7815 /vigie /graph?g0.expr=up+%3E+1&g0.tab=1",
        ),
        (
            "{{ eq 1 2 1 }} {{ ne \"a\" \"b\" }} {{ index $labels \"queue\" }} {{ slice \"hello\" 1 3 }}",
            "true true mails el",
        ),
        (
            "{{ html \"<a>\" }} {{ js \"it's\" }} {{ urlquery \"a b&c\" }}",
            "&lt;a&gt; it\\'s a+b%26c",
        ),
        (
            "{{ 1e3 }} {{ 0x1f }} {{ 1_000 }} {{ -2.50 }} {{ print nil }}",
            "1000 31 1000 -2.5 <nil>",
        ),
        (
            "{{ now }} {{ 1643114203 | toTime }} {{ 90 | toDuration }}",
            "1.643114203e+09 2022-01-25 12:36:43 +0000 UTC 1m30s",
        ),
    ] {
        assert_eq!(run(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn errors() {
    for (text, expected) in [
        (
            "{{ humanize \"x\" }}",
            "error calling humanize: strconv.ParseFloat: parsing \"x\": invalid syntax",
        ),
        ("{{ query \"wrong(\" }}", "error calling query: parse error"),
        (
            "{{ eq 1 1.0 }}",
            "error calling eq: incompatible types for comparison: int and float64",
        ),
        ("{{ .Nope }}", "can't evaluate field Nope in type struct"),
        ("{{ template \"none\" }}", "template \"none\" not defined"),
        (
            "{{ index $labels 1 }}",
            "error calling index: value has type int; should be string",
        ),
        (
            "{{ label 1 (query \"up\" | first) }}",
            "expected string; found 1",
        ),
        (
            "{{ label \"a\" }}",
            "wrong number of args for label: want 2 got 1",
        ),
    ] {
        let error = run(text).unwrap_err();
        assert_eq!(error.message, expected, "{text}");
    }
}

#[test]
fn a_run_is_bounded() {
    let doubling = "{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}";
    assert!(
        run(doubling)
            .unwrap_err()
            .message
            .contains("maximum template depth")
    );
    let many = "{{ range 1000000 }}{{ range 1000000 }}{{ end }}{{ end }}";
    assert!(run(many).unwrap_err().message.contains("steps"));
    let long = format!("{{{{ range 1000 }}}}{}{{{{ end }}}}", "x".repeat(100));
    assert!(run(&long).unwrap_err().message.contains("exceeds"));
    for exact in [
        "%.70000f", "%.70000e", "%.70000g", "%.70000x", "%.70000d", "%70000s",
    ] {
        let text = format!("{{{{ printf {exact:?} 1 }}}}{{{{ printf {exact:?} 1.5 }}}}");
        let _ = run(&text);
    }
    for nested in ["args", "args 1"] {
        let nested =
            format!("{{{{ $x := 1 }}}}{{{{ range 100 }}}}{{{{ $x = {nested} $x }}}}{{{{ end }}}}");
        assert!(run(&nested).unwrap_err().message.contains("lists and maps"));
    }
    let many = format!("{{{{ printf \"{}\" 1 }}}}", "%999999[1]d".repeat(1000));
    assert!(run(&many).unwrap_err().message.contains("exceeds"));
    let costly = "{{ range 1000 }}{{ match (printf \"\\\\pL{20}%d\" .) \"x\" }}{{ end }}";
    let message = run(costly).unwrap_err().message;
    assert!(message.contains("steps"), "{message}");
    let wide = "{{ printf \"%999999d\" 1 }}";
    assert!(run(wide).unwrap_err().message.contains("exceeds"));
}

proptest::proptest! {
    #[test]
    fn no_template_panics(text in "(\\{\\{|\\}\\}|[ $.|()\"'=,é]|if |else |end|range |\\$labels|\\$value|query|1|2.5|printf|slice|index|humanize|\"%[#+ 0-9.*]{0,4}[a-zA-Z]\"){0,24}") {
        if let Ok(template) = parse(&text) {
            let _ = execute("t", &template, &text, &data(), &Fixed, Limits::default());
        }
    }
}
