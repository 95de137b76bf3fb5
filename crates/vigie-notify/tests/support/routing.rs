//! Generated configurations and labels; `amtool config routes test` must send them where Vigie does.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use vigie_notify::config;
use vigie_notify::route::Routes;
use vigie_promql::Labels;

/// Each pair of labels is a run of amtool, which takes 25 ms of processor time.
const CONFIGS: u64 = 500;
const LABELS: usize = 2;

/// A number generator; the same seed gives the same numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        let bits = usize::try_from(self.0 >> 33).unwrap();
        bits % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const NAMES: [&str; 4] = ["severity", "team", "queue", "_x"];
const UTF8_NAMES: [&str; 6] = ["severity", "team", "queue", "_x", "queue é", "a.b"];
const VALUES: [&str; 10] = [
    "a", "b", "ab", "mail", "push", "", "a b", "a,b", "a\"b\\", "10",
];
const PATTERNS: [&str; 12] = [
    "a.*",
    "a|b",
    "(mail|push)",
    "[a-c]+",
    ".+",
    ".*",
    "",
    "\\d+",
    "a",
    "(?i)MAIL",
    "[^ab]*",
    "a.b",
];

/// A text in YAML's single quotes.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn double(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn matcher(random: &mut Random, names: &[&str]) -> String {
    let name = random.one(names);
    let op = random.one(&["=", "=", "!=", "=~", "!~"]);
    let value = random.one(if op.contains('~') { &PATTERNS } else { &VALUES });
    let plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let classic = name
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let name = match classic {
        true => name.to_owned(),
        false => double(name),
    };
    // The older syntax takes many values without quotes.
    let value =
        match plain(value) || (classic && random.below(4) == 0 && !value.contains([',', '"'])) {
            true => value.to_owned(),
            false => double(value),
        };
    let space = random.one(&["", " "]);
    let text = format!("{name}{space}{op}{space}{value}");
    match random.below(4) {
        0 => format!("{{{text}}}"),
        _ => text,
    }
}

fn route(random: &mut Random, out: &mut String, names: &[&str], depth: usize) {
    let indent = "  ".repeat(2 * depth);
    let key = |random: &mut Random| random.below(3) == 0;
    let receiver = random.below(5);
    if depth == 0 || random.below(3) > 0 {
        writeln!(out, "{indent}  receiver: r{receiver}").unwrap();
    } else {
        writeln!(out, "{indent}  group_wait: 1s").unwrap();
    }
    if depth > 0 {
        if key(random) {
            writeln!(out, "{indent}  continue: true").unwrap();
        }
        if key(random) {
            let (name, value) = (random.one(&NAMES), single(random.one(&VALUES)));
            writeln!(out, "{indent}  match: {{{name}: {value}}}").unwrap();
        }
        if key(random) {
            let (name, value) = (random.one(&NAMES), single(random.one(&PATTERNS)));
            writeln!(out, "{indent}  match_re: {{{name}: {value}}}").unwrap();
        }
        if !key(random) {
            let count = random.below(3);
            let matchers = (0..count).map(|_| single(&matcher(random, names)));
            let matchers = matchers.collect::<Vec<_>>().join(", ");
            writeln!(out, "{indent}  matchers: [{matchers}]").unwrap();
        }
    }
    if depth < 4 {
        let children = random.below(4);
        if children > 0 {
            writeln!(out, "{indent}  routes:").unwrap();
        }
        for _ in 0..children {
            writeln!(out, "{indent}    -").unwrap();
            route(random, out, names, depth + 1);
        }
    }
}

fn configuration(random: &mut Random, names: &[&str]) -> String {
    let mut text =
        "receivers: [{name: r0}, {name: r1}, {name: r2}, {name: r3}, {name: r4}]\nroute:\n"
            .to_owned();
    route(random, &mut text, names, 0);
    text
}

fn labels(random: &mut Random, names: &[&str]) -> Labels {
    let count = random.below(names.len() + 1);
    let pairs = (0..count).map(|_| (random.one(names), random.one(&VALUES)));
    Labels::new(pairs.collect::<Vec<_>>())
}

/// The receivers that amtool names.
fn amtool(program: &Path, file: &Path, labels: &Labels) -> String {
    let mut command = Command::new(program);
    command.args(["config", "routes", "test"]);
    command.arg(format!("--config.file={}", file.display()));
    for (name, value) in labels.iter() {
        let name = match name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        {
            true => name.to_owned(),
            false => double(name),
        };
        command.arg(format!("{name}={}", double(value)));
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{labels}: {errors}");
    // The newer one has its warnings on standard output, too.
    let output = String::from_utf8(output.stdout).unwrap();
    output.lines().last().unwrap_or_default().to_owned()
}

/// Compares the receivers of all configurations.
pub(crate) fn compare(program: &Path, utf8: bool) {
    let names: &[&str] = if utf8 { &UTF8_NAMES } else { &NAMES };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("alertmanager.yml");
    let mut several = 0;
    for seed in 0..CONFIGS {
        let mut random = Random(seed);
        let text = configuration(&mut random, names);
        std::fs::write(&file, &text).unwrap();
        let config =
            config::load(&text).unwrap_or_else(|problems| panic!("{seed}: {problems}\n{text}"));
        let routes = Routes::new(&config.route);
        for _ in 0..LABELS {
            let labels = labels(&mut random, names);
            let found = routes.find(&labels);
            several += usize::from(found.len() > 1);
            let found = found.into_iter();
            let found = found.map(|route| routes.options(route).receiver.to_string());
            let found = found.collect::<Vec<_>>().join(",");
            assert_eq!(
                found,
                amtool(program, &file, &labels),
                "{seed}: {labels}\n{text}"
            );
        }
    }
    assert!(several > 15, "{several} alerts went to several receivers");
}
