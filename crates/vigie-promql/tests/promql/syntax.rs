//! Parsing, printing and error messages.

use std::thread;

use vigie_promql::{
    Engine, Features, parse, parse_with,
    storage::MemoryStorage,
    syntax::{
        Call, Expr, Left, MAX_DEPTH, MAX_QUERY_BYTES, MAX_TOKENS, Operation, ParseErrorKind,
        Selector, Visitor, is_costly, walk,
    },
};

#[track_caller]
fn prints(query: &str, expected: &str) {
    let expr = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let printed = expr.to_string();
    assert_eq!(printed, expected);
    let again = parse(&printed).unwrap_or_else(|error| panic!("{printed}: {error}"));
    assert_eq!(again, expr, "{printed} means something else than {query}");
}

#[track_caller]
fn same(query: &str) {
    prints(query, query);
}

#[track_caller]
fn fails(query: &str, expected: &str) {
    match parse(query) {
        Ok(expr) => panic!("{query} was parsed: {expr}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[test]
fn literals() {
    for (query, expected) in [
        ("12.34e6", "12340000"),
        ("12.34e-6", "0.00001234"),
        (".2", "0.2"),
        ("2.", "2"),
        ("+0.2", "0.2"),
        ("- -1", "1"),
        ("0x1f", "31"),
        ("0X_1F", "31"),
        ("010", "8"),
        ("08", "8"),
        ("1_000", "1000"),
        ("inF", "Inf"),
        ("+Inf", "Inf"),
        ("1e300", "1e300"),
        ("-1e-300", "-1e-300"),
        ("-INF", "-Inf"),
        ("nan", "NaN"),
        ("5m", "5m"),
        ("-90s", "-1m30s"),
        ("-00y", "-0s"),
        ("-0", "-0"),
        ("1h30m", "1h30m"),
        ("7d", "1w"),
        ("36h", "1d12h"),
        ("1ms", "1ms"),
        (r#""a\tb\"""#, r#""a\tb\"""#),
        (r"'it\'s'", r#""it's""#),
        ("`a\\b\n`", r#""a\\b\n""#),
        (r#""\u00e9\x41\101\U0001F600""#, r#""éAA😀""#),
    ] {
        prints(query, expected);
    }
}

#[test]
fn selectors() {
    same("up");
    same("a:b:c");
    same(r#"up{job="api"}"#);
    same(r#"up{job!="api",x=~"a.*",y!~"b|c"}"#);
    prints("up { job = 'api' , }", r#"up{job="api"}"#);
    prints("up{}", "up");
    prints(r#"{__name__="up"}"#, r#"{__name__="up"}"#);
    prints(r#"{"up"}"#, "up");
    same(r#"{"utf.8","a b"="c"}"#);
    prints(r#"{"a"="c",x="y"}"#, r#"{a="c",x="y"}"#);
    same("up offset 5m");
    prints("up offset 50", "up offset 50s");
    same("up offset -1h30m");
    same("up @ 1600000000.123");
    same("up @ start()");
    prints("up offset 5m @ end()", "up @ end() offset 5m");
    prints("up @ 100s", "up @ 100.000");
    prints("up @ -1.5", "up @ -1.500");
    same("up[5m]");
    prints("up[300]", "up[5m]");
    prints("up[5m] offset 1m @ 10", "up[5m] @ 10.000 offset 1m");
    same("rate(up[5m])[1h:1m]");
    prints("up[1h:] offset 5m", "up[1h:] offset 5m");
    same("max_over_time((a + b)[1h:5m] @ end() offset 1d)");
}

#[test]
fn keywords_can_be_names() {
    for name in [
        "sum", "count", "by", "offset", "start", "end", "and", "without", "fill", "range",
    ] {
        let quoted = format!("{{\"{name}\"}}");
        prints(name, &quoted);
        prints(&format!("{name} + {name}"), &format!("{quoted} + {quoted}"));
    }
    same(
        "x{sum=\"a\",by=\"b\",nan=\"c\"}"
            .replace("nan=", "\"nan\"=")
            .as_str(),
    );
    same("sum by (sum, by, on, \"inf\") (x)");
    same("group_left_x");
    prints("COUNT By (a) (x)", "count by (a) (x)");
}

#[test]
fn duration_arithmetic() {
    same("x[1h / 2s]");
    prints("x[-5m+35m]", "x[-5m + 35m]");
    same("x[(10m + 5m) * 2s]");
    prints("x[1+(STep()-5)*2]", "x[1s + (step() - 5s) * 2s]");
    same("x offset step()");
    prints("x offset -(2^2)", "x offset -(2s ^ 2s)");
    prints("x offset 100 + 2", "x offset 1m40s + 2");
    prints("x offset -2 ^ 2", "x offset -2s ^ 2");
    same("x offset -min_of(step(), 1s)");
    same("x[max_of(min_of(step() + 1s, 1h), 1ms)]");
    same("sum_over_time(x[29s + 1s:5s + 5s])");
}

#[test]
fn operators() {
    same("a + b * c ^ d ^ e - f");
    same("a or b and c unless d");
    same("-a ^ b");
    same("Inf ^ x");
    same("2 ^ -1 * 3");
    same("-1 ^ 2");
    same("(-1) ^ 2");
    prints("- - a", "--a");
    same("a atan2 b % c");
    same("a > bool 1");
    same("1 == bool 1");
    same("a * on (x, y) group_left (z) b");
    same("a * ignoring () b");
    prints("a * on(x)group_right b", "a * on (x) group_right () b");
    same("a and on () b");
    same("a == bool ignoring (x) b");
    prints("a # comment\n+ b # another", "a + b");
    same("a > 1 < 3");
    prints("a==b!=c", "a == b != c");
}

#[test]
fn calls() {
    same("sum(x)");
    same("sum by (a) (x)");
    prints("sum(x) by (a,)", "sum by (a) (x)");
    prints("sum(x) without(a, b)", "sum without (a, b) (x)");
    same("sum by () (x)");
    same("topk by (a) (5, x)");
    same("quantile(scalar(x), y)");
    same(r#"count_values("v", x)"#);
    same("time()");
    same("hour()");
    same("hour(x)");
    same("round(x, 5)");
    same(r#"label_join(x, "a", "b")"#);
    same(r#"label_join(x, "a", "b", "c", "d")"#);
    same("histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m])))");
}

#[test]
fn grammar_errors() {
    fails("", "1:1: the query is empty");
    fails(" # nothing", "1:11: the query is empty");
    fails(
        "sum(rate(x[5m])) by job",
        r#"1:21: unexpected "job", expected "(" after by"#,
    );
    fails(
        "sum by job (x)",
        r#"1:8: unexpected "job", expected "(" after by"#,
    );
    fails(
        "foo > and bar",
        r#"1:7: unexpected "and", expected an expression after ">""#,
    );
    fails(
        "foo bar",
        r#"1:5: unexpected "bar", expected an operator or the end of the query"#,
    );
    fails("foo = 1", r#"1:5: unexpected "=": did you mean "=="?"#);
    fails(
        "foo +",
        "1:6: unexpected the end of the query, expected an expression",
    );
    fails(
        "sum(foo",
        r#"1:8: unexpected the end of the query, expected an operator, "," or ")" to close the "(" at 1:4"#,
    );
    fails(
        "(a\n+ (b",
        r#"2:5: unexpected the end of the query, expected an operator or ")" to close the "(" at 2:3"#,
    );
    fails("a)", r#"1:2: unexpected ")": no "(" is open here"#);
    fails(
        "x{job=api}",
        r#"1:7: unexpected "api", expected a quoted string after "=""#,
    );
    fails(
        r#"x{job="a""#,
        r#"1:10: unexpected the end of the query, expected "," or "}" to close the "{" at 1:2"#,
    );
    fails(
        r#"x{job "a"}"#,
        r#"1:7: unexpected the string "a", expected =, !=, =~ or !~ after the label "job""#,
    );
    fails(
        "rate(x[5m)",
        r#"1:10: unexpected ")", expected ":" or "]" to close the "[" at 1:7"#,
    );
    fails(
        "rate(x[5 m])",
        r#"1:10: unexpected "m", expected ":" or "]" to close the "[" at 1:7"#,
    );
    fails(
        "rate(x[5q])",
        r#"1:8: "5q" is neither a number nor a duration"#,
    );
    fails(
        "x[1m2h]",
        "1:3: \"1m2h\" is not a duration: write 30s, 5m or 1h30m, units in order y w d h m s ms",
    );
    fails("x[0s]", "1:3: this duration must be greater than 0");
    fails("x[300y]", "1:3: the duration 300y is out of range");
    fails(
        "x offset",
        "1:9: unexpected the end of the query, expected a duration such as 5m",
    );
    fails(
        "x @ foo",
        r#"1:5: unexpected "foo", expected a time in seconds, start() or end() after "@""#,
    );
    fails(
        "sum(x,)",
        r#"1:7: unexpected ")", expected another argument after ",""#,
    );
    fails(
        "rate(x[5m]) by (job)",
        r#"1:13: unexpected "by": it belongs directly before or after the parentheses of an aggregation such as sum"#,
    );
    fails("a && b", r#"1:3: unexpected '&', did you mean "and"?"#);
    fails(
        "rate(x[$__rate_interval])",
        "1:8: unexpected '$'; a dashboard variable must be replaced before the query is evaluated",
    );
    fails(
        "\"é\" \u{201c}",
        "1:5: unexpected '“', which is not a quote of PromQL: use \" or '",
    );
    fails("'abc", "1:1: this string is not closed");
    fails(
        "\"a\nb\"",
        "1:1: this string is not closed at the end of its line",
    );
    fails(
        r#""\q""#,
        r"1:2: unknown escape; a backslash itself is written \\",
    );
    fails(
        "a * group_left b",
        r#"1:5: unexpected "group_left": write on (…) or ignoring (…) before group_left"#,
    );
    fails(
        "x{:",
        r#"1:3: unexpected ":", expected a label name or "}""#,
    );
    fails(
        "x{a:b=\"c\"}",
        r#"1:4: unexpected ":", expected =, !=, =~ or !~ after the label "a""#,
    );
    fails("1e999", "1:1: the number 1e999 is out of range");
    fails("foo offset 5m offset 5m", "1:15: offset is given twice");
    fails("foo @ 1 @ 2", "1:9: @ is given twice");
    fails(
        "foo and bar{x=1",
        r#"1:15: unexpected "1", expected a quoted string after "=""#,
    );
}

#[test]
fn type_errors() {
    fails(
        "rate(x)",
        "1:6: rate() expects a range vector, got an instant vector: add a range such as [5m]",
    );
    fails(
        "rate(sum(x))",
        "1:6: rate() expects a range vector, got an instant vector: make it a subquery such as [5m:]",
    );
    fails(
        "abs(x[5m])",
        "1:5: abs() expects an instant vector, got a range vector: remove the range, or apply a function such as rate()",
    );
    fails("sum(1)", "1:5: sum expects an instant vector, got a scalar");
    fails(
        "topk(x, x)",
        "1:6: topk expects a scalar, got an instant vector",
    );
    fails(
        "topk(x)",
        "1:1: topk takes 2 arguments, a number and a vector, got 1",
    );
    fails(
        "count_values(1, x)",
        "1:14: count_values expects a string, got a scalar",
    );
    fails(
        "x[5m] + 1",
        r#"1:1: "+" works on scalars and instant vectors, this is a range vector; a function such as rate() makes a vector of it"#,
    );
    fails(
        "1 + \"a\"",
        r#"1:5: "+" works on scalars and instant vectors, this is a string"#,
    );
    fails(
        "1 > 2",
        r#"1:3: a comparison of two scalars needs bool: "> bool""#,
    );
    fails(
        "a + bool b",
        r#"1:3: bool belongs to comparisons, not to "+""#,
    );
    fails(
        "a and 1",
        r#"1:7: "and" works on two instant vectors, this is a scalar"#,
    );
    fails(
        "a + on (x) 1",
        "1:5: on needs an instant vector on both sides",
    );
    fails(
        "a and on (x) group_left b",
        r#"1:7: "and" matches many with many: group_left and group_right do not apply"#,
    );
    fails(
        "a + on (x) group_left (x) b",
        r#"1:24: the label "x" appears both in on and in the group modifier"#,
    );
    fails(
        "-\"a\"",
        "1:2: a sign works on scalars and instant vectors, this is a string",
    );
    fails(
        "{}",
        "1:1: this selects every series: name a metric, or a label with a value that is not empty",
    );
    fails(
        "{a=~\".*\"}",
        "1:1: this selects every series: name a metric, or a label with a value that is not empty",
    );
    fails(
        "x{__name__=\"y\"}",
        r#"1:3: the metric is named twice, "x" and "y""#,
    );
    fails("x{\"y\"}", r#"1:3: the metric is named twice, "x" and "y""#);
    fails(
        "{\"\"}",
        "1:1: this selects every series: name a metric, or a label with a value that is not empty",
    );
    fails(
        "x{a=~\"(\"}",
        "1:6: invalid regular expression: unclosed group: `(` at character 1",
    );
    fails(
        "sum(x)[5m]",
        "1:7: only a selector can have a range; for an expression use a subquery such as [5m:]",
    );
    fails(
        "x offset 5m [5m]",
        "1:13: a range must precede offset and @: x[5m] offset 1h",
    );
    fails(
        "sum(x) offset 5m",
        "1:8: offset must directly follow a selector, a range or a subquery",
    );
    fails(
        "1[5m:]",
        "1:1: a subquery works on an instant vector, this is a scalar",
    );
    fails("time(1)", "1:1: time() takes no arguments, got 1");
    fails("clamp(x, 1)", "1:1: clamp() takes 3 arguments, got 2");
    fails("round()", "1:1: round() takes 1 to 2 arguments, got 0");
}

#[test]
fn unknown_and_unsupported_syntax() {
    fails(
        "rat(x[5m])",
        r#"1:1: unknown function "rat", did you mean "rate"?"#,
    );
    fails(
        "histogram_quantil(0.9, x)",
        r#"1:1: unknown function "histogram_quantil", did you mean "histogram_quantile"?"#,
    );
    fails("frobnicate(x)", r#"1:1: unknown function "frobnicate""#);
    let start =
        "1:1: start_timestamp(): samples have no start timestamps here, so it is not supported";
    fails("start_timestamp(x)", start);
    let error = parse("holt_winters(x[5m], 0.1, 0.1)").unwrap_err();
    assert_eq!(error.kind, ParseErrorKind::NotSupported);
    assert!(
        error.message.contains("double_exponential_smoothing()"),
        "{error}"
    );
}

#[test]
fn experimental_syntax_must_be_enabled() {
    for (query, what) in [
        ("mad_over_time(x[5m])", "mad_over_time()"),
        ("limitk(1, x)", "limitk()"),
        ("end()", "end()"),
        ("info(x, {a=\"b\"})", "info()"),
        ("rate(x[5m] smoothed)", "smoothed"),
        ("a + fill (0) b", "fill"),
    ] {
        let error = parse(query).unwrap_err();
        let expected = format!(
            "{what} is experimental and must be enabled with experimental = true in [query]"
        );
        assert_eq!(
            (error.kind, error.message),
            (ParseErrorKind::Experimental, expected)
        );
        let expr = parse_with(query, Features::Experimental).unwrap();
        assert_eq!(expr.to_string(), query);
    }
}

#[test]
fn experimental_syntax_is_checked() {
    for (query, message) in [
        (
            "x smoothed anchored",
            "1:12: anchored is given after smoothed",
        ),
        (
            "sum(x)[5m:] anchored",
            "1:13: anchored must directly follow a selector or a range",
        ),
        (
            "x smoothed[5m]",
            "1:11: a range must precede offset and @: x[5m] offset 1h",
        ),
        (
            "a + fill (1) 2",
            "1:3: fill needs an instant vector on both sides",
        ),
        (
            "a and fill (1) b",
            "1:3: fill applies to two instant vectors and not to \"and\"",
        ),
        (
            "a + fill (1) fill_left (2) b",
            "1:14: unexpected \"fill_left\": this side is filled already",
        ),
        (
            "info(x, y)",
            "1:9: the second argument of info() is a selector without a metric name, such as {version=~\".+\"}",
        ),
        (
            "1 >/ 2",
            "1:1: \">/\" trims native histograms, this is a scalar",
        ),
        (
            "histogram_quantiles(x, \"q\")",
            "1:1: histogram_quantiles() takes 3 to 12 arguments, got 2",
        ),
    ] {
        let error = parse_with(query, Features::Experimental).unwrap_err();
        assert_eq!(error.to_string(), message, "{query}");
    }
}

#[test]
fn columns_count_characters() {
    fails(
        "\"é😀\" +\n  \"é\" é",
        "1:6: \"+\" works on scalars and instant vectors, this is a string"
            .replace("1:6", "1:1")
            .as_str(),
    );
    fails("up{a=\"é😀\"} é", "1:12: unexpected 'é'");
}

#[test]
fn spans_cover_the_source_text() {
    let query = "sum by (a) (rate( x_total{b=\"c\"}[5m] offset 1h )) / -y > 3";
    let expr = parse(query).unwrap();
    #[derive(Default)]
    struct Seen(Vec<String>, &'static str);
    impl<'a> Visitor<'a> for Seen {
        fn selector(&mut self, selector: &'a Selector, ancestors: &[&'a Expr]) {
            self.0.push(format!(
                "selector {} in {}",
                selector.span.text(self.1),
                ancestors.len()
            ));
        }
        fn call(&mut self, call: &'a Call, _: &[&'a Expr]) {
            self.0.push(format!(
                "{} of {}",
                call.name_span.text(self.1),
                call.args[0].span().text(self.1)
            ));
        }
        fn operation(&mut self, left: Left<'a>, operation: &'a Operation, _: &[&'a Expr]) {
            let left = left.expr().map_or("", |expr| expr.span().text(self.1));
            let right = operation.rhs.span().text(self.1);
            self.0.push(format!(
                "[{left}] {} [{right}]",
                operation.op_span.text(self.1)
            ));
        }
    }
    let mut seen = Seen(Vec::new(), query);
    walk(&expr, &mut seen);
    assert_eq!(
        seen.0,
        [
            "[sum by (a) (rate( x_total{b=\"c\"}[5m] offset 1h )) / -y] > [3]",
            "[sum by (a) (rate( x_total{b=\"c\"}[5m] offset 1h ))] / [-y]",
            "rate of x_total{b=\"c\"}[5m] offset 1h",
            "selector x_total{b=\"c\"} in 5",
            "selector y in 3",
        ]
    );
}

/// Runs `run` in a thread with the stack size of a tokio worker.
fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap();
    thread.join().unwrap();
}

#[test]
fn long_and_deep_queries_do_not_overflow_the_stack() {
    on_small_stack(|| {
        let long = format!("1{}", "+1".repeat(20_000));
        let expr = parse(&long).unwrap();
        assert_eq!(expr.to_string().len(), 1 + 4 * 20_000);
        assert_eq!(parse(&expr.to_string()).unwrap(), expr);
        drop(expr.clone());
        let longest = format!("1{}", "+1".repeat(MAX_TOKENS / 2 - 1));
        assert!(parse(&longest).is_ok());
        let error = parse(&(longest + "+1")).unwrap_err();
        assert_eq!(error.kind, ParseErrorKind::TooLong, "{error}");

        for (left, right) in [
            ("(", ")"),
            ("-", ""),
            ("abs(", ")"),
            ("1+(", ")"),
            ("2^", ""),
            ("max_over_time(", "[1m:])"),
            ("x or (", ")"),
        ] {
            let deepest = |times: usize| format!("{}x{}", left.repeat(times), right.repeat(times));
            let error = parse(&deepest(2_000)).unwrap_err();
            assert_eq!(error.kind, ParseErrorKind::TooDeep, "{left}");
            let fits = parse(&deepest(MAX_DEPTH / 2 - 1)).unwrap();
            assert_eq!(parse(&fits.to_string()).unwrap(), fits);
            let storage = MemoryStorage::new();
            let outcome = Engine::default().instant(&storage, &fits, 0, &|| false);
            assert!(outcome.is_ok(), "{left}: {outcome:?}");
        }
        for durations in [
            "1+".repeat(5_000),
            "-".repeat(5_000),
            "(".repeat(5_000),
            "2^".repeat(5_000),
        ] {
            assert!(parse(&format!("x[{durations}1]")).is_err());
        }
        let too_long = "x".repeat(MAX_QUERY_BYTES + 1);
        assert_eq!(parse(&too_long).unwrap_err().kind, ParseErrorKind::TooLong);
    });
}

#[test]
fn a_matcher_may_list_thousands_of_names() {
    let names: Vec<String> = (0..10_000)
        .map(|n| format!("backend-7d4b9c6f5d-{n:07}"))
        .collect();
    let all = names.join("|");
    for query in [
        format!("up{{pod=~\"{all}\"}}"),
        format!("up{{pod!~\"({all})\"}}"),
        format!("up{{pod=~\"(?i:{all})\"}}"),
    ] {
        let expr = parse(&query).unwrap();
        assert_eq!(expr.to_string(), query);
        assert!(!is_costly(&query));
    }
}

#[test]
fn regular_expressions_that_compile_are_costly() {
    for query in [
        "up",
        "up{job=~\"demo|x.*|\"} + x{y!~\"(?i)z\"}",
        "sum by (label_replaced) (up)",
        "up{job=~\"(\"}",
        "up{job=~",
    ] {
        assert!(!is_costly(query), "{query}");
    }
    for query in [
        "up{job=~\"[^x]+\"}",
        "up + up{job!~\"d\\\\d*\"}",
        "label_replace(up, \"a\", \"b\", \"c\", \"d\")",
    ] {
        assert!(is_costly(query), "{query}");
    }
}

/// Each expression is below the limit, all of them together are above it.
#[test]
fn the_total_size_of_regular_expressions_is_limited() {
    let matchers: String = (0..200)
        .map(|n| format!("l{n}=~\"\\\\PL{{50}}\","))
        .collect();
    let error = parse(&format!("{{{matchers}}}")).unwrap_err();
    assert_eq!(error.kind, ParseErrorKind::TooLong);
    assert!(
        error.message.contains("compile to more than 16 MiB"),
        "{error}"
    );
    assert!(parse("{l=~\"\\\\PL{50}\"}").is_ok());
}

/// A quoted name is an ordinary condition.
#[test]
fn a_quoted_name_may_be_combined_with_other_name_matchers() {
    for (query, printed, matchers) in [
        (
            "{\"up\", __name__=~\"u.*\"}",
            "{\"up\",__name__=~\"u.*\"}",
            2,
        ),
        ("{__name__!=\"x\",\"up\"}", "{\"up\",__name__!=\"x\"}", 2),
        ("{\"up\",\"down\",}", "{\"up\",__name__=\"down\"}", 2),
        ("{\"\",a=\"b\"}", "{__name__=\"\",a=\"b\"}", 2),
        ("{\"up\",a=\"b\"}", "up{a=\"b\"}", 2),
    ] {
        let expr = parse(query).unwrap();
        assert_eq!(expr.to_string(), printed);
        assert_eq!(parse(printed).unwrap(), expr);
        let Expr::Selector(selector) = expr else {
            panic!("{query}");
        };
        assert_eq!(selector.all_matchers().count(), matchers, "{query}");
    }
}
