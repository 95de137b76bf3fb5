#![allow(clippy::unwrap_used)]

use super::*;

/// An expression, values that match, and values that do not.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const MEANINGS: &[Row] = &[
    ("", &[""], &["a"]),
    (r"\d+", &["12"], &["١٢"]),
    (r"\w+", &["a_1"], &["é"]),
    (r"\s", &["\t"], &["\u{a0}", "\u{b}"]),
    (r"[[:space:]]", &["\t", "\u{b}"], &["\u{a0}"]),
    (r"\D\W\S", &["aéb"], &["1éb"]),
    (r"[\d\w]+", &["a1"], &["é"]),
    (r"[^\D]", &["1"], &["a"]),
    (r".\bé", &["aé"], &[" é"]),
    ("/api/{id}", &["/api/{id}"], &["/api/id"]),
    ("a{2}", &["aa"], &["a{2}"]),
    ("a{2,}b{1,2}", &["aaab"], &["ab"]),
    ("a{,2}", &["a{,2}"], &["aa"]),
    ("a{01}", &["a{01}"], &["a"]),
    ("x{y", &["x{y"], &["x"]),
    ("[[]", &["["], &["a"]),
    ("[a&&b]", &["&"], &["c"]),
    ("[a~~b]", &["~"], &["c"]),
    ("[+--]", &[",", "-"], &["a"]),
    ("[a-]", &["-"], &["b"]),
    ("[-a]", &["-"], &["b"]),
    ("[]a]", &["]"], &["b"]),
    ("[^]a]", &["b"], &["]"]),
    ("[a^]", &["^"], &["b"]),
    (r"[\d-z]", &["5", "-", "z"], &["a"]),
    ("[[:alpha:]]+", &["ab"], &["1"]),
    ("[[:^alpha:]_]+", &["1_"], &["a"]),
    (r"\Qa.b\E+", &["a.bb"], &["acb"]),
    (r"\Q[{", &["[{"], &["["]),
    (r"a\Q\E*", &["", "aa"], &["b"]),
    (r"\<b\>\_", &["<b>_"], &["b"]),
    (r"[\<]", &["<"], &["b"]),
    (r"\x41\x{42}\103\07", &["ABC\u{7}"], &["abc\u{7}"]),
    (r"\p{Greek}\pL", &["αb"], &["bα"]),
    (r"\P{^Greek}\p{^L}", &["α1"], &["a1", "αb"]),
    (r"\p{Any}\PN", &["1a"], &["11"]),
    (r"\x{D800}|a", &["a"], &["", "\u{fffd}"]),
    ("(?i:abc)", &["ABC"], &["ABCD"]),
    ("(?i)k(?-i)k", &["kk", "Kk", "\u{212a}k"], &["kK"]),
    (r"(?i)[^k]", &["a"], &["K", "\u{212a}"]),
    (r"(?i)\W", &["."], &["k", "\u{17f}"]),
    ("(?i)é[à-ç]", &["ÉÇ"], &["EC"]),
    ("(?i:a)b|(?i)c", &["Ab", "C"], &["AB"]),
    ("(?-s:.)a", &["ba"], &["\na"]),
    ("(?m)a$.^b", &["a\nb"], &["ab", "axb"]),
    ("(?U)a*", &["aaa"], &["b"]),
    ("a.b", &["a\nb"], &["ab"]),
    ("a|b", &["b"], &["ab"]),
    ("^a|b$", &["a", "b"], &["ab"]),
    ("(^|x)a($|y)", &["a", "xa", "ay"], &["ba"]),
    ("a^b|c", &["c"], &["ab"]),
    (r"\Aa\z", &["a"], &["a\n"]),
    ("(?P<n>a)(?<n>b)", &["ab"], &["a"]),
    ("((((a|b))))", &["a", "b"], &["c"]),
    ("(?:)*^*", &[""], &["a"]),
];

/// Expressions that are matched without an automaton.
const PLAIN: &[Row] = &[
    ("a|b|c", &["a", "c"], &["d", "ab", ""]),
    (r"a\.b|c\-d", &["a.b", "c-d"], &["axb"]),
    ("foo(a|b|c)bar", &["fooabar"], &["foobar", "fooabbar"]),
    ("(a|b)[0-3]?", &["a", "b3"], &["a4", "3"]),
    ("a{2}(b|)", &["aa", "aab"], &["a"]),
    ("^(a|b)$", &["a"], &["c"]),
    ("(?i)prod|Stage", &["PROD", "stage"], &["product"]),
    (
        "(?i:straße|k1)",
        &["STRAßE", "K1", "\u{212a}1"],
        &["STRASSE"],
    ),
    ("(?i)[ab]1.*", &["A1", "b12"], &["c1"]),
    ("(?i:a|b)-?[0-9]", &["A-1", "b2"], &["A-", "a1 "]),
    (".*", &["", "a\nb"], &[]),
    (".+", &["a"], &[""]),
    ("api-.*", &["api-", "api-1\n"], &["api", "xapi-"]),
    (".*-api", &["-api", "x-api"], &["-apix"]),
    ("api.+", &["api1"], &["api"]),
    (".+a.+", &["xax", "aaa", "xaax"], &["a", "ax", "xa"]),
    (".*a.+b.*", &["axb", "aab", "xaxbx"], &["ab", "ba"]),
    ("a.+.+b", &["axxb", "aééb"], &["axb", "aéb"]),
    ("ab.*ba", &["abba", "abxba"], &["aba"]),
    ("x|foo.*|.*bar", &["x", "foo1", "1bar"], &["y", "1foo"]),
    (r"[^\x00-\x{10FFFF}]", &[], &["", "a"]),
];

fn hold((pattern, yes, no): &Row) -> Regexp {
    let regexp = Regexp::new(pattern).unwrap();
    for text in *yes {
        assert!(regexp.is_match(text), "{pattern} does not match {text}");
    }
    for text in *no {
        assert!(!regexp.is_match(text), "{pattern} matches {text}");
    }
    regexp
}

#[test]
fn expressions_mean_what_they_mean_in_re2() {
    for row in MEANINGS {
        hold(row);
    }
}

#[test]
fn sets_prefixes_and_suffixes_need_no_automaton() {
    for row in PLAIN {
        assert!(matches!(hold(row), Regexp::Plain(_)), "{}", row.0);
        assert!(!is_costly(row.0), "{}", row.0);
    }
    for pattern in ["a.b", "a*", r"\d+", "(?i:a)b", r"a\b|b", "[^a].*", ".?"] {
        let regexp = Regexp::new(pattern).unwrap();
        assert!(matches!(regexp, Regexp::Automaton(_)), "{pattern}");
        assert!(is_costly(pattern), "{pattern}");
    }
}

/// The plain matcher and the automaton agree.
#[test]
fn plain_matchers_agree_with_automata() {
    let values = MEANINGS
        .iter()
        .chain(PLAIN)
        .flat_map(|row| row.1.iter().chain(row.2));
    let values: Vec<&str> = values.copied().collect();
    for (pattern, ..) in MEANINGS.iter().chain(PLAIN) {
        let regexp @ Regexp::Plain(_) = Regexp::new(pattern).unwrap() else {
            continue;
        };
        let automaton = read(pattern).unwrap().visit(compile::whole).unwrap();
        for value in &values {
            let expected = automaton.is_match(value);
            assert_eq!(regexp.is_match(value), expected, "{pattern} and {value:?}");
        }
    }
}

#[test]
fn thousands_of_names_are_a_set() {
    let names: Vec<String> = (0..10_000)
        .map(|n| format!("backend-7d4b9c6f5d-{n:07}"))
        .collect();
    let all = names.join("|");
    let patterns = [
        all.clone(),
        format!("({all})"),
        format!("(?i:{all})"),
        format!("shop/({all})"),
        format!("^(?:{all}|)$"),
        all.replace('-', r"\-"),
        (0..10_000)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .join("|"),
    ];
    for pattern in patterns {
        let regexp = Regexp::new(&pattern).unwrap();
        assert!(matches!(regexp, Regexp::Plain(_)), "{}", &pattern[..40]);
        let prefix = if pattern.starts_with("shop") {
            "shop/"
        } else {
            ""
        };
        assert_eq!(
            regexp.is_match(&format!("{prefix}{}", names[9_999])),
            pattern.contains("backend"),
        );
        assert!(!regexp.is_match(&names[5][1..]));
    }
}

#[test]
fn combinations_are_limited() {
    let many = ["[a-j]"; 12].concat();
    assert!(matches!(Regexp::new(&many).unwrap(), Regexp::Automaton(_)));
    let long = format!("({}){}", vec!["ab"; 10_000].join("|"), "c".repeat(10_000));
    let fault = Regexp::new(&long).map(|regexp| regexp.bytes());
    assert!(fault.is_ok_and(|bytes| bytes < 8 << 20) || is_costly(&long));
}

#[test]
fn errors_quote_the_faulty_part_and_its_position() {
    for (pattern, reason) in [
        ("(", "unclosed group: `(` at character 1"),
        ("é(?i:(a)", "unclosed group: `(?i:(a)` at character 2"),
        ("a)b", "unopened group: `)` at character 2"),
        ("a)|(b", "unopened group: `)` at character 2"),
        ("x[a", "unclosed character class: `[a` at character 2"),
        ("[]", "unclosed character class: `[]` at character 1"),
        ("[^]", "unclosed character class: `[^]` at character 1"),
        ("*", "repetition of nothing: `*` at character 1"),
        ("a|*?", "repetition of nothing: `*?` at character 3"),
        ("(?i)+", "repetition of nothing: `+` at character 5"),
        ("a**", "repetition of a repetition: `**` at character 2"),
        (
            "aé{2}{3}?",
            "repetition of a repetition: `{2}{3}?` at character 3",
        ),
        ("a???", "repetition of a repetition: `???` at character 2"),
        (
            "a{1001}",
            "repeat count out of order, or more than 1000 copies: `{1001}` at character 2",
        ),
        (
            "a{2,1}",
            "repeat count out of order, or more than 1000 copies: `{2,1}` at character 2",
        ),
        (
            "a{99999999999}",
            "repeat count out of order, or more than 1000 copies: `{99999999999}` at character 2",
        ),
        (
            "((a{100}){10}){2}",
            "repeat count out of order, or more than 1000 copies: `{2}` at character 15",
        ),
        (r"a\", r"backslash without a character: `\` at character 2"),
        (r"\C", r"unknown escape sequence: `\C` at character 1"),
        (r"\Z", r"unknown escape sequence: `\Z` at character 1"),
        (r"\1", r"unknown escape sequence: `\1` at character 1"),
        (r"\é", r"unknown escape sequence: `\é` at character 1"),
        (
            r"\x{110000}",
            r"unknown escape sequence: `\x{110000` at character 1",
        ),
        (r"[a-\d]", r"unknown escape sequence: `\d` at character 4"),
        (r"[\b]", r"unknown escape sequence: `\b` at character 2"),
        (r"\pX", r"unknown character class: `\pX` at character 1"),
        (
            r"\p{greek}",
            r"unknown character class: `\p{greek}` at character 1",
        ),
        (r"\p{L", r"unknown character class: `\p{L` at character 1"),
        (
            "[[:nope:]]",
            "unknown character class: `[:nope:]` at character 2",
        ),
        (
            "[z-a]",
            "character range out of order: `z-a` at character 2",
        ),
        ("(?x)a", "unsupported group or flag: `(?x` at character 1"),
        ("(?=a)", "unsupported group or flag: `(?=` at character 1"),
        ("(?#c)", "unsupported group or flag: `(?#` at character 1"),
        (
            "(?i-)a",
            "unsupported group or flag: `(?i-)` at character 1",
        ),
        ("(?P=n)", "unsupported group or flag: `(?P` at character 1"),
        (
            "(?P<é>a)",
            "group name other than letters, digits and \"_\": `(?P<é>` at character 1",
        ),
        (
            "(?P<n",
            "group name other than letters, digits and \"_\": `(?P<n` at character 1",
        ),
        (
            "(?:a{1000}[\\pL1]){1}\\pL{900}",
            "it compiles to more than 4 MiB",
        ),
    ] {
        let error = Regexp::new(pattern).err().map(|error| error.to_string());
        let expected = format!("invalid regular expression: {reason}");
        assert_eq!(error, Some(expected), "{pattern}");
    }
}

#[test]
fn nesting_is_bounded_where_go_bounds_it() {
    let nested = |open: &str, close: &str, depth| open.repeat(depth) + "a" + &close.repeat(depth);
    assert!(Regexp::new(&nested("(", ")", 999)).is_ok());
    let error = Regexp::new(&nested("(", ")", 1000)).err().unwrap();
    assert_eq!(
        error.to_string(),
        "invalid regular expression: nesting of more than 1000 levels"
    );
    assert!(Regexp::new(&nested("(?:", ")", 20_000)).is_ok());
    assert!(Regexp::new(&nested("(?:", ")?", 1000)).is_err());
    assert!(Regexp::new(&nested("(?:", ")?", 999)).is_ok());
    assert!(Regexp::new(&nested("(?:b|c", ")+", 332)).is_ok());
    assert!(Replacer::new(&nested("(b|c", ")+", 240)).is_ok());
    assert!(Replacer::new(&nested("(", ")?", 490)).is_ok());
}

#[test]
fn the_size_of_classes_is_limited() {
    let error = Regexp::new(&r"\PN?".repeat(20_000)).err().unwrap();
    assert_eq!(
        error.to_string(),
        "invalid regular expression: it compiles to more than 4 MiB"
    );
    assert!(Regexp::new(&format!("(?i)({}).*x+", "[àâäéèêëïîôöùûüç]".repeat(100))).is_ok());
}

#[test]
fn groups_replace_as_in_go() {
    for (pattern, value, template, expected) in [
        ("(.*):(.*)", "host:80", "$2 at ${1}", Some("80 at host")),
        ("(.*)", "a", "$1x-${1}x", Some("-ax")),
        ("(.*)", "a", "$1é", Some("")),
        (
            "(.*)",
            "a",
            "$$1 $ ${ ${1 ${1-} $-",
            Some("$1 $ ${ ${1 ${1-} $-"),
        ),
        ("(.*)", "a", "$0$9$01$", Some("a$")),
        ("(?P<n>a)?(?P<n>b)", "b", "$n", Some("b")),
        ("(?P<1a>a)(?P<_>b)", "ab", "$1a$_", Some("ab")),
        ("a)|(b", "ab", "$1", Some("")),
        ("(a*?)(a*)", "aa", "$1,$2", Some(",aa")),
        ("(a*)(?U)(a*)(a*)", "aa", "$1,$2,$3", Some("aa,,")),
        ("(a|ab)(c|bcd)(d*)", "abcd", "$1,$2,$3", Some("a,bcd,")),
        ("a", "b", "x", None),
    ] {
        let replacer = Replacer::new(pattern).unwrap();
        let replaced = replacer.replace(value, template);
        assert_eq!(replaced.as_deref(), expected, "{pattern} {template}");
    }
    for pattern in ["(", "a**", r"\Qa"] {
        assert!(Replacer::new(pattern).is_err(), "{pattern}");
    }
}
