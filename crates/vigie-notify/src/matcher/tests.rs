use super::*;

fn written(text: &str) -> String {
    match parse(text) {
        Ok(matchers) => {
            let all: Vec<_> = matchers.iter().map(ToString::to_string).collect();
            all.join(" ")
        }
        Err(error) => format!(
            "{}..{}: {}",
            error.span.start, error.span.end, error.message
        ),
    }
}

#[test]
fn both_syntaxes() {
    for (text, expected) in [
        ("", ""),
        ("{}", ""),
        ("a=b", r#"a="b""#),
        (" a = b ", r#"a="b""#),
        (r#"a!="b""#, r#"a!="b""#),
        ("a=~b.*,c!~d", r#"a=~"b.*" c!~"d""#),
        (r#"{a="b",}"#, r#"a="b""#),
        (r#"{a="b", c="d,e"}"#, r#"a="b" c="d,e""#),
        // Only the newer syntax.
        (r#""é ü"="x""#, r#""é ü"="x""#),
        ("é=ü", r#"é="ü""#),
        (r#"a="\u00e9""#, r#"a="\\u00e9""#),
        (r#""a.b"="\u00e9""#, r#"a.b="é""#),
        (r#""a b"="\n\"""#, r#""a b"="\n\"""#),
        // Only the older syntax.
        ("a=b c", r#"a="b c""#),
        ("a=", r#"a="""#),
        ("a=b=c", r#"a="b=c""#),
        (r#"a="b\d""#, r#"a="b\\d""#),
        ("a=~(x|y)", r#"a=~"(x|y)""#),
        ("a={b}", r#"a="{b""#),
        ("{a=b", r#"a="b""#),
        ("a=b}", r#"a="b""#),
        // Neither.
        ("=b", "0..1: found `=`, expected the name of a label"),
        ("a", "1..1: found the end, expected `=`, `!=`, `=~` or `!~`"),
        ("a b", "2..3: found `b`, expected `=`, `!=`, `=~` or `!~`"),
        (r#"a="b"#, "2..4: found `\"b`, expected a closing `\"`"),
        (r#"a="b"c"#, "5..6: found `c`, expected a comma or the end"),
        ("a=b,,c=d", "4..5: found `,`, expected the name of a label"),
        (r#"{"é"=b"#, "7..7: found the end, expected `}`"),
        (
            r#""é"=b}"#,
            "6..7: found `}`, expected the end, since no `{` is open",
        ),
        (
            "é='b'",
            "3..4: found `'`, expected a value with this character in double quotes",
        ),
        (
            r#""é\d"=b"#,
            r#"0..6: "é\d" has an invalid escape; accepted: \\, \", \n, \xHH and Go's others"#,
        ),
    ] {
        assert_eq!(written(text), expected, "{text}");
    }
    assert!(
        parse("a=~\"(\"")
            .unwrap_err()
            .message
            .contains("invalid regular expression")
    );
}

#[test]
fn matches_are_anchored_and_absent_is_empty() {
    let labels = Labels::new([("a", "foo"), ("b", "x\ny")]);
    for (text, expected) in [
        ("a=foo", true),
        ("a=fo", false),
        ("a=~fo", false),
        ("a=~fo+", true),
        ("a=~f|g", false),
        ("a!~fo", true),
        ("c=\"\"", true),
        ("c=~.*", true),
        ("c!=x", true),
        ("c=~.+", false),
        ("b=~x.y", false),
        (r#"b=~"x\ny""#, true),
        ("b=~(?s)x.y", true),
        ("a=foo,c=x", false),
    ] {
        let matchers = Matchers::new(parse(text).unwrap());
        assert_eq!(matchers.matches(&labels), expected, "{text}");
    }
}

#[test]
fn written_matchers_are_read_back() {
    for text in [r#"a="b\\c\n""#, r#""a b"=~"x\"y""#, "é!~ü"] {
        let matchers = Matchers::new(parse(text).unwrap());
        assert_eq!(
            Matchers::new(parse(&matchers.to_string()).unwrap()),
            matchers
        );
    }
}

#[test]
fn the_shape_of_the_api() {
    let matcher = parse("a!~b").unwrap().remove(0);
    let json = r#"{"name":"a","value":"b","isRegex":true,"isEqual":false}"#;
    assert_eq!(serde_json::to_string(&matcher).unwrap(), json);
    assert_eq!(serde_json::from_str::<Matcher>(json).unwrap(), matcher);
    let older = r#"{"name":"a","value":"b","isRegex":false}"#;
    let older: Matcher = serde_json::from_str(older).unwrap();
    assert_eq!(older.to_string(), r#"a="b""#);
    assert!(serde_json::from_str::<Matcher>(&json.replace("\"b\"", "\"(\"")).is_err());
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_is_read_back(name: String, value: String, other: String) {
        let matchers = Matchers::new(vec![
            Matcher::new(&*name, MatchOp::Equal, &*value).unwrap(),
            Matcher::new("a", MatchOp::NotEqual, &*value).unwrap(),
            Matcher::new(&*other, MatchOp::NotEqual, &*name).unwrap(),
        ]);
        let written = matchers.to_string();
        proptest::prop_assert_eq!(parse(&written).map(Matchers::new), Ok(matchers), "{}", written);
    }

    #[test]
    fn any_text_is_read_or_refused_within_it(text: String) {
        if let Err(error) = parse(&text) {
            proptest::prop_assert!(text.get(error.span).is_some());
        }
    }
}

#[test]
fn one_matcher() {
    for (text, shown) in [
        ("a=1", Some("a=\"1\"")),
        ("a=1,b=2", Some("a=\"1,b=2\"")),
        ("a =~ \"x|y\"", Some("a=~\"x|y\"")),
        ("\"é\"!=b", Some("é!=\"b\"")),
        ("\"é\"=b,c=d", None),
        ("{a=1}", None),
        ("", None),
        ("a", None),
        ("a=~(", None),
    ] {
        let matcher = parse_one(text).ok();
        assert_eq!(
            matcher.map(|matcher| matcher.to_string()).as_deref(),
            shown,
            "{text}"
        );
    }
}
