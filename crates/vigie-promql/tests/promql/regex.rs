//! Random regular expressions are accepted, refused and matched as in Prometheus.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use tokio::runtime::{Builder, Runtime};
use vigie_promql::{
    Engine, Labels, MatchOp, Matcher, ParseError, Sample, Value, parse, storage::MemoryStorage,
};
use vigie_testkit::{Prometheus, prometheus::Release, sid, tools};

const ACCEPTANCES: usize = 8_000;
const MATCHES: usize = 300;
const VALUES: usize = 100;

const TOKENS: &[&str] = &[
    "a",
    "b",
    "k",
    "K",
    "é",
    "-",
    "_",
    "1",
    "0",
    ".",
    ",",
    ":",
    "=",
    "!",
    "<",
    ">",
    "'",
    "#",
    "&&",
    "~~",
    " ",
    "\n",
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?i:",
    "(?-i:",
    "(?s:",
    "(?-s:",
    "(?m)",
    "(?U)",
    "(?im-sU:",
    "(?-)",
    "(?i-)",
    "(?x)",
    "(?P<n>",
    "(?P<1a>",
    "(?P<>",
    "(?<n>",
    "(?P=n)",
    "(?=",
    "(?!",
    "(?#",
    "(?>",
    "(?",
    "|",
    "*",
    "+",
    "?",
    "*?",
    "+?",
    "??",
    "{2}",
    "{2,}",
    "{0,3}",
    "{,2}",
    "{01}",
    "{3,1}",
    "{1000}",
    "{1001}",
    "{40}",
    "{99999999999}",
    "{",
    "}",
    "{1",
    "[",
    "]",
    "[^",
    "[a-k]",
    "[^a]",
    "[]",
    "[]a]",
    "[b-a]",
    "[a-]",
    "[--a]",
    "[[:alpha:]]",
    "[[:^digit:]",
    "[:nope:]",
    "[:",
    ":]",
    "[[:word:]é]",
    "^",
    "$",
    "\\",
    r"\d",
    r"\D",
    r"\w",
    r"\W",
    r"\s",
    r"\S",
    r"\b",
    r"\B",
    r"\A",
    r"\z",
    r"\Z",
    r"\C",
    r"\Q",
    r"\E",
    r"\p{LC}",
    r"\p{Kawi}",
    r"\pL",
    r"\PN",
    r"\p{Greek}",
    r"\p{^Lu}",
    r"\P{Any}",
    r"\p{greek}",
    r"\pX",
    r"\p{",
    r"\p",
    r"\n",
    r"\t",
    r"\a",
    r"\v",
    r"\e",
    r"\_",
    r"\-",
    r"\.",
    r"\]",
    r"\[",
    r"\é",
    r"\1",
    r"\01",
    r"\12",
    r"\8",
    r"\08",
    r"\x41",
    r"\x4",
    r"\x",
    r"\x{6b}",
    r"\x{212A}",
    r"\x{}",
    r"\x{110000}",
    r"\x{D800}",
    r"\x{g}",
];

const SEEDS: &[&str] = &[
    r"api-[0-9]+\.example\.(com|org)",
    "(?i:prod|stage)-.*",
    r"[\w.+-]+@[^@]+",
    "a|b|ab|k1",
    "^(a|b)$",
    "(a|b)?k*",
    ".+-.*",
    "(?P<a>a+)(b{1,3}|[^k])",
    r"\Qa.b\E.*",
    "((a{10}){10}){10}",
    r"(?i)[a-k]\W?",
];

/// A linear congruential generator, for the same expressions on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// A sequence of tokens, or a seed with a few changes.
    fn pattern(&mut self) -> String {
        if self.below(3) > 0 {
            return (0..=self.below(6)).map(|_| self.one_of(TOKENS)).collect();
        }
        let mut pattern = self.one_of(SEEDS).to_owned();
        for _ in 0..=self.below(2) {
            let places: Vec<usize> = pattern.char_indices().map(|(at, _)| at).collect();
            if places.is_empty() {
                break;
            }
            let at = places[self.below(places.len())];
            match self.below(3) {
                0 => drop(pattern.remove(at)),
                1 => pattern.insert_str(at, self.one_of(TOKENS)),
                _ => {
                    pattern.remove(at);
                    pattern.insert_str(at, self.one_of(TOKENS));
                }
            }
        }
        pattern
    }

    fn value(&mut self, letters: &[&str]) -> String {
        (0..self.below(5)).map(|_| self.one_of(letters)).collect()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    V2_42,
    V3_5,
}

impl Version {
    /// Whether this version of Prometheus refuses the expression and newer ones accept it.
    fn is_older(self, pattern: &str) -> bool {
        let matcher = Matcher::new("x", MatchOp::Match, pattern);
        self == Self::V2_42 && matcher.is_ok_and(|matcher| matcher.newer_syntax().is_some())
    }
}

/// The text in double quotes, as PromQL and OpenMetrics read it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}

/// For each expression, whether promtool accepts a rule with it.
fn promtool(program: &Path, patterns: &[String]) -> Vec<bool> {
    let mut rules = "groups:\n- name: g\n  rules:\n".to_owned();
    for pattern in patterns {
        let expr = format!("{{x=~{},y=\"z\"}}", quoted(pattern));
        let expr = expr.replace('\'', "''");
        writeln!(rules, "  - {{record: r, expr: '{expr}'}}").unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rules.yml");
    std::fs::write(&file, rules).unwrap();
    let mut command = Command::new(program);
    let output = command
        .args(["check", "rules", "--lint=none"])
        .arg(&file)
        .output()
        .unwrap();
    let text =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    let mut accepted = vec![true; patterns.len()];
    let mut refused = 0;
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once(", rule ")
            && rest.contains("error parsing regexp")
        {
            let number: usize = rest.split(',').next().unwrap().parse().unwrap();
            accepted[number - 1] = false;
            refused += 1;
        }
    }
    assert!(refused > 0, "{text}");
    accepted
}

fn accept(program: &Path, version: Version) {
    let mut random = Random(11);
    let patterns: Vec<String> = (0..ACCEPTANCES).map(|_| random.pattern()).collect();
    let theirs = promtool(program, &patterns);
    let count = theirs.iter().filter(|accepted| **accepted).count();
    assert!(
        (ACCEPTANCES / 5..ACCEPTANCES * 4 / 5).contains(&count),
        "{count} are accepted"
    );
    let mut differ = String::new();
    for (pattern, theirs) in patterns.iter().zip(theirs) {
        let ours = parse(&format!("{{x=~{},y=\"z\"}}", quoted(pattern)));
        // Go has a higher size limit than this engine.
        let too_large = |error: &ParseError| error.message.contains("compiles to more than");
        let agreed = match &ours {
            Ok(_) => theirs != version.is_older(pattern),
            Err(error) => !theirs || too_large(error),
        };
        if !agreed {
            writeln!(
                differ,
                "{pattern:?} promtool accepts: {theirs}, Vigie: {ours:?}"
            )
            .unwrap();
        }
    }
    assert!(differ.is_empty(), "{differ}");
}

/// A server with a series for each value, and the same series in memory.
struct Peer {
    runtime: Runtime,
    prometheus: Prometheus,
    storage: MemoryStorage,
    values: Vec<String>,
}

impl Peer {
    fn start(release: &Release, letters: &[&str]) -> Self {
        let mut random = Random(5);
        let values: BTreeSet<String> = (0..VALUES).map(|_| random.value(letters)).collect();
        let values: Vec<String> = values.into_iter().collect();
        let mut text = "# TYPE m unknown\n".to_owned();
        let mut storage = MemoryStorage::new();
        for (id, value) in values.iter().enumerate() {
            writeln!(text, "m{{id=\"{id}\",v={}}} 1 1000", quoted(value)).unwrap();
            let labels = [("__name__", "m"), ("id", &id.to_string()), ("v", value)];
            let sample = Sample {
                time: 1_000_000,
                value: 1.0,
            };
            storage.insert(&Labels::new(labels), sample);
        }
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let prometheus = runtime.block_on(release.with_samples(&(text + "# EOF\n")));
        Self {
            prometheus: prometheus.unwrap(),
            runtime,
            storage,
            values,
        }
    }

    fn theirs(&self, query: &str) -> Result<BTreeSet<String>, String> {
        let answer = self.prometheus.query_range(query, (1000.0, 1000.0), 1.0);
        let series = self.runtime.block_on(answer);
        let series = series.map_err(|error| error.to_string())?.into_iter();
        Ok(series
            .map(|one| Labels::new(one.labels).to_string())
            .collect())
    }

    fn ours(&self, query: &str) -> Result<BTreeSet<String>, String> {
        let expr = parse(query).map_err(|error| error.to_string())?;
        let outcome = Engine::default().instant(&self.storage, &expr, 1_000_000, &|| false);
        match outcome.map_err(|error| error.to_string())?.value {
            Value::Vector(samples) => {
                Ok(samples.iter().map(|one| one.labels.to_string()).collect())
            }
            other => Err(format!("{other:?}")),
        }
    }
}

fn match_alike(release: &Release, version: Version) {
    // 2.42 does not let `.` match a newline.
    let mut letters = vec![
        "a", "b", "k", "A", "K", "\u{212a}", "é", "É", "α", "1", "_", "-", ".", " ",
    ];
    if version == Version::V3_5 {
        letters.push("\n");
    }
    let peer = Peer::start(release, &letters);
    let mut random = Random(3);
    let mut differ = String::new();
    let (mut matched, mut replaced) = (0, 0);
    while matched < MATCHES {
        let pattern = random.pattern();
        let accepted = Matcher::new("v", MatchOp::Match, pattern.as_str()).is_ok();
        if !accepted || version.is_older(&pattern) {
            continue;
        }
        let selected = format!("m{{v=~{}}}", quoted(&pattern));
        // All values, few of which most expressions match, and all groups.
        let groups = quoted("$1,${2}x,$n,$1a,$3_,$$");
        let labelled = format!(
            "label_replace(m, \"w\", {groups}, \"v\", {})",
            quoted(&pattern)
        );
        for query in [selected, labelled] {
            let (ours, theirs) = (peer.ours(&query), peer.theirs(&query));
            match (&ours, &theirs) {
                (Ok(ours), Ok(theirs)) if ours == theirs => {
                    matched += usize::from(!ours.is_empty() && ours.len() < peer.values.len());
                    replaced += usize::from(ours.iter().any(|labels| labels.contains("w=\"a,")));
                }
                (Err(_), Err(_)) => {}
                _ => writeln!(differ, "{query}\n  ours {ours:?}\n  theirs {theirs:?}").unwrap(),
            }
        }
    }
    assert!(differ.is_empty(), "{differ}");
    assert!(replaced > 5, "{replaced} expressions replaced something");
}

#[test]
fn acceptance_agrees_with_prometheus_2_42() {
    accept(&tools::PROMTOOL.find().unwrap(), Version::V2_42);
}

#[test]
#[ignore = "needs promtool 3.5 in target/servers/sid (`cargo xtask setup`)"]
fn acceptance_agrees_with_prometheus_3_5() {
    accept(&sid::PROMTOOL.find().unwrap(), Version::V3_5);
}

#[test]
fn matches_agree_with_prometheus_2_42() {
    match_alike(&Release::installed().unwrap(), Version::V2_42);
}

#[test]
#[ignore = "needs Prometheus 3.5 in target/servers/sid (`cargo xtask setup`)"]
fn matches_agree_with_prometheus_3_5() {
    match_alike(&Release::sid().unwrap(), Version::V3_5);
}
