use super::*;

fn first(text: &str) -> Text {
    let node = parse(text).unwrap().root.unwrap();
    let Value::Table(entries) = &node.value else {
        panic!("{node:?}")
    };
    let Value::Scalar(Some(text)) = &entries[0].1.value else {
        panic!("{entries:?}")
    };
    text.clone()
}

#[test]
fn positions_in_a_text_map_to_the_file() {
    for (file, word) in [
        ("a: one two three\n", "two"),
        ("a: é two\n", "two"),
        ("a: 'it''s two'\n", "two"),
        ("a: \"\\u00e9\\n\\x41\\\\ two\"\n", "two"),
        ("a: \"one \\\n   two\"\n", "two"),
        ("a: |-\n  one\n  two\n", "two"),
        ("a: |\n\n  one\n    two\n\nb: 1\n", "two"),
        ("a: >-\n  one\n\n  two\n  three\n", "two"),
        ("a: >+2\n    one\n   two\n", "two"),
        ("a: one\n  \n  two\n", "two"),
        ("a: &x 'one two'\n", "two"),
        ("a: &x |-\n  one\n  two\n", "two"),
        ("a: !!str >-\n  one\n  two\n", "two"),
        ("a: |-\n  &one |\n  two\n", "two"),
        ("{a: one two, b: c}", "two"),
    ] {
        let text = first(file);
        let at = text.find(word).unwrap();
        let place = text.locate(at..at + word.len());
        assert_eq!(&file[place], word, "{file:?} {text:?}");
    }
}

#[test]
fn the_span_of_a_text_ends_with_the_text() {
    for (file, whole) in [
        ("a: 'x y'  # z\n", "'x y'"),
        ("a: |\n  x\n  y\nb: 1", "x\n  y"),
        ("a: x  # z\n", "x"),
        ("a: &b !!str x\n", "x"),
        ("a: |\n  x\n# z\nb: 1", "x"),
        ("a: ''\n", "''"),
        ("a: ' x '\n", "' x '"),
        ("a: 'it''s'\n", "'it''s'"),
        ("a: \"it's\" # \"\n", "\"it's\""),
        ("a: >-\n    x {{\n    y }}\n\nb: 1", "x {{\n    y }}"),
    ] {
        assert_eq!(&file[first(file).span()], whole);
    }
}

#[test]
fn positions_beyond_a_text_map_to_its_end() {
    let text = first("a: xy");
    assert_eq!(text.locate(2..2), 5..5);
    assert_eq!(text.locate(7..9), 5..5);
    assert_eq!(text.locate(1..9), 4..4);
}

#[test]
fn aliases_resolve_to_their_anchors() {
    let node = parse("a: &x {b: 1}\nc: *x\n").unwrap().root.unwrap();
    let Value::Table(entries) = &node.value else {
        panic!("{node:?}")
    };
    assert_eq!(entries[1].1.resolved().span, entries[0].1.span);
    assert_eq!(entries[1].1.span, 16..18);
}

#[test]
fn invalid_yaml() {
    let deep = "[".repeat(100);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        bomb += &format!("a{level}: &a{level} [{before}]\n");
    }
    for (file, title) in [
        ("a: b: c", "this is not YAML"),
        ("a: *x", "this is not YAML"),
        ("a: \"x", "this is not YAML"),
        ("a: &x [*x]", "an alias of a value that contains it"),
        (&deep, "nested too deep"),
        (&bomb, "too many aliases"),
    ] {
        assert_eq!(parse(file).unwrap_err().title, title, "{file:?}");
    }
    assert!(parse("").unwrap().root.is_none());
    assert!(parse("# nothing\n").unwrap().root.is_none());
}

#[test]
fn a_tag_is_reported_and_its_value_is_read() {
    let document = parse("a: !secret x\nb: !list [!!str 5]\n").unwrap();
    let titles: Vec<_> = document.findings.iter().map(|f| &*f.title).collect();
    assert_eq!(titles, ["the tag `!secret`", "the tag `!list`"]);
    let Value::Table(entries) = &document.root.unwrap().value else {
        panic!()
    };
    assert!(matches!(&entries[0].1.value, Value::Scalar(Some(text)) if &**text == "x"));
}

#[test]
fn only_the_first_document_is_read() {
    for (file, ignored) in [
        ("a: 1\n---\nb: 2", Some(9)),
        ("a: 1\n---\nb: c: d", Some(9)),
        ("---\n---\nb: 2", Some(8)),
        ("a: 1\n---\n", None),
        ("a: 1\n---\n# nothing\n---\n~\n", None),
        ("a: 1\n...\n", None),
        ("---\na: 1\n", None),
    ] {
        let document = parse(file).unwrap();
        assert_eq!(document.ignored.map(|span| span.start), ignored, "{file:?}");
    }
}
