//! Generated templates; Vigie must render each as `amtool template render` does, errors included.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use vigie_notify::template::{Data, NoLinks, Templates};
use vigie_notify::{Alert, Message};
use vigie_promql::Labels;

/// How many are generated, of text and of HTML each.
const GENERATED: usize = 500;

/// How many are rendered by one call of amtool.
const BATCH: usize = 50;

/// A number generator; the same seed gives the same numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// Values of every type, in Alertmanager 0.25 too.
const OPERANDS: [&str; 44] = [
    ".Status",
    ".Receiver",
    ".ExternalURL",
    ".GroupLabels.alertname",
    ".CommonLabels.severity",
    ".CommonLabels.none",
    ".CommonAnnotations.summary",
    ".CommonAnnotations.html",
    ".CommonLabels",
    ".GroupLabels",
    ".CommonLabels.SortedPairs",
    ".CommonLabels.Names",
    ".CommonLabels.SortedPairs.Values",
    "(.CommonLabels.Remove (stringSlice \"severity\" \"x\"))",
    ".Alerts",
    ".Alerts.Firing",
    ".Alerts.Resolved",
    "(index .Alerts 0)",
    "(index .Alerts 1).Labels",
    "(index .Alerts 0).Labels.queue",
    "(index .Alerts 0).StartsAt",
    "(index .Alerts 0).EndsAt",
    "((index .Alerts 1).EndsAt.Sub (index .Alerts 1).StartsAt)",
    "(index .Alerts 0).Fingerprint",
    "(index .Alerts 0).StartsAt.Unix",
    "0",
    "1",
    "-3",
    "2.5",
    "3725.5",
    "1e-7",
    "\"\"",
    "\"text\"",
    "\"two WORDS\"",
    "\"12.5\"",
    "\"é😀\\n<b>&'+\"",
    "\"a%20b+c\"",
    "\"https://x.example/a b?q=1&r=é#f\"",
    "\"javascript:alert(1)\"",
    "'c'",
    "true",
    "nil",
    "(stringSlice \"b\" \"a\" \"\")",
    ".",
];

/// Values that Alertmanager 0.25 does not have.
const NEWER_OPERANDS: [&str; 8] = [
    "(list 1 \"a\" nil 2.5)",
    "(dict \"b\" 1 \"a\" \"x\")",
    "(append (list) \"a\" 1)",
    "(dict \"a\" (list 1 2))",
    "(tz \"Europe/Paris\" (index .Alerts 0).StartsAt)",
    "(tz \"Asia/Kolkata\" (index .Alerts 1).EndsAt)",
    "((index .Alerts 0).StartsAt.Add 1500000000)",
    "(list)",
];

const UNARY: [&str; 22] = [
    "toUpper",
    "toLower",
    "title",
    "len",
    "not",
    "print",
    "println",
    "html",
    "js",
    "urlquery",
    "safeHtml",
    "join \",\"",
    "join \"\"",
    "printf \"%v\"",
    "printf \"%s\"",
    "printf \"%q\"",
    "printf \"%d\"",
    "printf \"%.2f\"",
    "printf \"%T\"",
    "match \"[a-z]+\"",
    "reReplaceAll \"([a-z])([a-z]*)\" \"$2-$1\"",
    "stringSlice \"x\"",
];

const NEWER_UNARY: [&str; 12] = [
    "trimSpace",
    "safeUrl",
    "urlUnescape",
    "humanizeDuration",
    "toJson",
    "date \"Mon, 02 Jan 2006 15:04:05.000 -0700\"",
    "date \"_2 January 06 3:4:5PM MST Z07:00 002 __2\"",
    "tz \"America/New_York\"",
    "tz \"Nowhere/None\"",
    "list 1",
    "append (list 1)",
    "dict \"k\"",
];

const BINARY: [&str; 10] = [
    "eq", "ne", "lt", "gt", "and", "or", "print", "index", "slice", "printf",
];

/// Places in HTML; `@` stands for an action.
const PLACES: [&str; 16] = [
    "<p>@</p>",
    "<p>@ and @</p>",
    "<a href=\"@\">@</a>",
    "<a href='@'>x</a>",
    "<a href=\"https://x.example/@?q=@&r=@\">x</a>",
    "<a href=\"/@#@\">x</a>",
    "<p title=\"@\">x</p>",
    "<p title='a @ b'>x</p>",
    "<p title=@>x</p>",
    "<p @>x</p>",
    "<p style=\"color: @; width: 1px\">x</p>",
    "<title>@</title>",
    "<!-- @ -->a < b <textarea>@</textarea>",
    "<style>p { color: red; /* c */ }</style><br/>@",
    "<!DOCTYPE html><td data-url=\"@\" class=\"a\" onclick='f()'>@</td>",
    "<script>var x = 1 < 2;</script>@",
];

struct Generator {
    random: Random,
    is_newer: bool,
}

impl Generator {
    fn one(&mut self, all: &[&'static str], newer: &[&'static str]) -> &'static str {
        match self.is_newer && self.random.below(3) == 0 {
            true => self.random.one(newer),
            false => self.random.one(all),
        }
    }

    fn operand(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 4 } else { 6 }) {
            0..=3 => self.one(&OPERANDS, &NEWER_OPERANDS).to_owned(),
            _ => format!("({})", self.pipeline(depth - 1)),
        }
    }

    fn unary(&mut self) -> &'static str {
        self.one(&UNARY, &NEWER_UNARY)
    }

    fn pipeline(&mut self, depth: usize) -> String {
        match self.random.below(6) {
            0 | 1 => self.operand(depth),
            2 => format!("{} {}", self.unary(), self.operand(depth)),
            3 => format!("{} | {}", self.operand(depth), self.unary()),
            4 => {
                let function = self.random.one(&BINARY);
                format!("{function} {} {}", self.operand(depth), self.operand(depth))
            }
            _ => format!(
                "{} | {} | {}",
                self.operand(depth),
                self.unary(),
                self.unary()
            ),
        }
    }

    fn text(&mut self) -> String {
        let (a, b) = (self.pipeline(2), self.pipeline(1));
        match self.random.below(11) {
            0..=4 => format!("{{{{ {a} }}}}"),
            5 => format!("{{{{ if {a} }}}}yes {{{{ {b} }}}}{{{{ else }}}}no{{{{ end }}}}"),
            6 => format!("a {{{{- with {a} }}}} {{{{ . }}}} {{{{- else }}}}none{{{{ end -}}}} z"),
            7 => format!("{{{{ $x := {a} }}}}\n{{{{ $x }}}}{{{{ $x = {b} }}}}{{{{ $x }}}}"),
            8 => format!(
                "{{{{ range $i, $e := {a} }}}}{{{{ $i }}}}={{{{ $e }}}};{{{{ else }}}}empty{{{{ end }}}}"
            ),
            9 => format!(
                "{{{{ range .Alerts }}}}{{{{ .Labels.queue }}}}{{{{ range .Annotations.SortedPairs }}}} {{{{ .Name }}}}:{{{{ .Value | {} }}}}{{{{ end }}}}{{{{ end }}}}",
                self.unary()
            ),
            _ => format!(
                "{{{{ define \"t\" }}}}<{{{{ . }}}}>{{{{ end }}}}{{{{ template \"t\" {a} }}}}"
            ),
        }
    }

    fn html(&mut self) -> String {
        let place = self.random.one(&PLACES);
        let mut text = String::new();
        for (at, part) in place.split('@').enumerate() {
            if at > 0 {
                let _ = match self.random.below(4) {
                    0 => write!(
                        text,
                        "{{{{ if {} }}}}a{{{{ else }}}}{{{{ {} }}}}{{{{ end }}}}",
                        self.operand(0),
                        self.pipeline(1)
                    ),
                    _ => write!(text, "{{{{ {} }}}}", self.pipeline(1)),
                };
            }
            text.push_str(part);
        }
        text
    }
}

fn alert(queue: &str, start: i64) -> Alert {
    let labels = [
        ("alertname", "QueueWaiting"),
        ("severity", "warning"),
        ("queue", queue),
    ];
    let mut alert = Alert::firing(Labels::new(labels), start);
    alert.annotations = [
        ("summary", "12 jobs <wait> & \"see\""),
        ("html", "<b class=\"x\">it's</b><!-- c -->"),
        ("place", queue),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    alert.generator_url = "https://vigie.example/graph?g0.expr=a+%3E+1&g0.tab=1".into();
    alert
}

fn message() -> Message {
    let mut resolved = alert("push+é", 1_730_000_000_123);
    resolved.ends_at = Some(1_730_003_725_500);
    Message {
        id: 1,
        receiver: "ops.team (1)".into(),
        integration: "email/0".into(),
        group_key: "{}:{}".to_owned(),
        group_labels: Labels::new([("alertname", "QueueWaiting")]),
        reason: String::new(),
        at: 1_730_004_000_000,
        firing: vec![alert("mails", 1_643_114_203_000)],
        resolved: vec![resolved],
        summary: None,
    }
}

/// The program, the file with the data, and the template files.
struct Amtool<'a> {
    program: &'a Path,
    directory: &'a Path,
    /// A pattern of files.
    files: String,
}

impl<'a> Amtool<'a> {
    fn new(program: &'a Path, directory: &'a Path, data: &Data) -> Self {
        let json = Templates::builtin().text("{{ toJson . }}", data).unwrap();
        fs::write(directory.join("data.json"), json).unwrap();
        fs::write(directory.join("empty.tmpl"), "").unwrap();
        Self {
            program,
            directory,
            files: directory.join("empty.tmpl").display().to_string(),
        }
    }

    fn render(&self, text: &str, is_html: bool) -> Result<String, String> {
        let output = Command::new(self.program)
            .args(["template", "render"])
            .arg(format!("--template.glob={}", self.files))
            .arg(format!("--template.text={text}"))
            .arg(format!(
                "--template.type={}",
                if is_html { "html" } else { "text" }
            ))
            .arg(format!(
                "--template.data={}",
                self.directory.join("data.json").display()
            ))
            .output()
            .unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => {
                let error = String::from_utf8_lossy(&output.stderr);
                let error = error.trim().trim_start_matches("amtool: error: ");
                Err(error.to_owned())
            }
        }
    }

    /// Several templates, each of which renders alone.
    fn render_all(&self, texts: &[&str], is_html: bool) -> Vec<Result<String, String>> {
        let mark = |at: usize| format!("\n@@@{at}@@@\n");
        let mut all = String::new();
        for (at, text) in texts.iter().enumerate() {
            // The block keeps variables apart.
            let _ = write!(all, "{}{{{{ if true }}}}{text}{{{{ end }}}}", mark(at));
        }
        let alone = || {
            texts
                .iter()
                .map(|text| self.render(text, is_html))
                .collect()
        };
        let Ok(rendered) = self.render(&all, is_html) else {
            return alone();
        };
        let mut found = Vec::new();
        let mut rest = rendered.as_str();
        for at in 0..texts.len() {
            let Some((_, own)) = rest.split_once(&mark(at)) else {
                return alone();
            };
            let end = own.find(&mark(at + 1)).unwrap_or(own.len());
            found.push(Ok(own[..end].to_owned()));
            rest = &own[end..];
        }
        found
    }
}

type Rendered = Result<String, String>;

/// Whether a difference is intended.
type Differs = fn(&str, &Rendered, &Rendered) -> bool;

fn agree(
    amtool: &Amtool<'_>,
    templates: &Templates,
    data: &Data,
    texts: &[String],
    (is_html, differs): (bool, Differs),
) {
    let ours: Vec<Rendered> = texts
        .iter()
        .map(|text| {
            let rendered = match is_html {
                true => templates.html(text, data),
                false => templates.text(text, data),
            };
            rendered.map_err(|error| {
                let error = error.to_string();
                let error = error.trim_start_matches("the template failed: ");
                error.trim().to_owned()
            })
        })
        .collect();
    let mut theirs = vec![None; texts.len()];
    let (together, alone): (Vec<_>, Vec<_>) =
        (0..texts.len()).partition(|at| ours[*at].is_ok() && !texts[*at].contains("define"));
    for batch in together.chunks(BATCH) {
        let batched: Vec<_> = batch.iter().map(|at| texts[*at].as_str()).collect();
        let rendered = amtool.render_all(&batched, is_html);
        for (at, rendered) in batch.iter().zip(rendered) {
            theirs[*at] = Some(rendered);
        }
    }
    for at in alone {
        theirs[at] = Some(amtool.render(&texts[at], is_html));
    }
    let mut differences = String::new();
    let (mut count, mut rendered) = (0, 0);
    for ((text, ours), theirs) in texts.iter().zip(&ours).zip(theirs) {
        let theirs = theirs.unwrap();
        rendered += usize::from(theirs.is_ok());
        if *ours != theirs && !differs(text, ours, &theirs) {
            count += 1;
            if count <= 40 {
                let _ = writeln!(
                    differences,
                    "{text}\n  amtool: {theirs:?}\n  vigie:  {ours:?}"
                );
            }
        }
    }
    assert!(
        count == 0,
        "{count} of {} differ:\n{differences}",
        texts.len()
    );
    // A test in which most templates fail would say little.
    assert!(rendered * 3 > texts.len(), "only {rendered} render");
}

/// Differences that are intended.
fn is_meant(text: &str, ours: &Rendered, theirs: &Rendered) -> bool {
    // Go prints the private fields of a time in a format that is not one for strings.
    let prints_fields = ["%d", "%.2f"].iter().any(|format| text.contains(format));
    if prints_fields
        && ["At", ".Alerts", " . ", "(.)"]
            .iter()
            .any(|part| text.contains(part))
    {
        return true;
    }
    // Vigie has one type of integers.
    let same = |theirs: &String| theirs.replace("int64", "int");
    if *ours == theirs.as_ref().map(same).map_err(same) {
        return true;
    }
    let (Err(ours), Err(theirs)) = (ours, theirs) else {
        return false;
    };
    // Errors of regular expressions and of Go's parser are in words of our own.
    theirs.contains("error parsing regexp") && ours.contains("error parsing regexp")
        || !ours.starts_with("template: ")
}

/// In HTML, Go names the escapes in errors, and checks branches that are not taken.
fn is_meant_in_html(text: &str, ours: &Rendered, theirs: &Rendered) -> bool {
    is_meant(text, ours, theirs)
        || ours.is_err() && theirs.is_err()
        || theirs
            .as_ref()
            .is_err_and(|error| error.starts_with("html/template:"))
        || theirs
            .as_ref()
            .is_ok_and(|text| text.contains("time.Location="))
}

/// Alertmanager 0.25 has fewer functions and methods, and was built with Go 1.19.
fn is_older(text: &str, ours: &Rendered, theirs: &Rendered) -> bool {
    let is_absent = |error: &String| error.contains("not defined");
    let error = |part| ours.as_ref().is_err_and(|error| error.contains(part)) && theirs.is_err();
    is_meant(text, ours, theirs)
        || theirs.as_ref().is_err_and(is_absent)
        // Its labels have no text of their own.
        || ["Labels", "Pairs", ".Alerts", " . ", "(.)"].iter().any(|part| text.contains(part))
        || theirs.as_ref().is_err_and(|error| error.contains("range can't iterate over"))
        // It names no incomparable types.
        || error("comparison")
}

fn is_older_in_html(text: &str, ours: &Rendered, theirs: &Rendered) -> bool {
    is_older(text, ours, theirs) || is_meant_in_html(text, ours, theirs)
}

/// Generated templates.
pub(crate) fn compare(program: &Path, is_newer: bool) {
    let directory = tempfile::tempdir().unwrap();
    let message = message();
    let data = Data::new(&message, message.at, &NoLinks);
    let amtool = Amtool::new(program, directory.path(), &data);
    let templates = Templates::builtin();
    let random = Random(11);
    let mut generator = Generator { random, is_newer };
    let texts: Vec<_> = (0..GENERATED).map(|_| generator.text()).collect();
    let differs = if is_newer { is_meant } else { is_older };
    agree(&amtool, &templates, &data, &texts, (false, differs));
    let texts: Vec<_> = (0..GENERATED).map(|_| generator.html()).collect();
    let differs = if is_newer {
        is_meant_in_html
    } else {
        is_older_in_html
    };
    agree(&amtool, &templates, &data, &texts, (true, differs));
}

/// The templates of Alertmanager's package.
#[allow(dead_code)] // Only the newer package has the same ones as its amtool.
pub(crate) fn compare_packaged(program: &Path) {
    let share = program.parent().unwrap().join("../share");
    let files = [
        "prometheus/alertmanager/default.tmpl",
        "prometheus/alertmanager/email.tmpl",
    ];
    let directory = tempfile::tempdir().unwrap();
    let message = message();
    let data = Data::new(&message, message.at, &NoLinks);
    let mut amtool = Amtool::new(program, directory.path(), &data);
    amtool.files = share
        .join("prometheus/alertmanager/*.tmpl")
        .display()
        .to_string();
    let mut names = Vec::new();
    let files = files.map(|file| {
        let text = fs::read_to_string(share.join(file)).unwrap();
        let defined = text.split("define \"").skip(1);
        names.extend(defined.map(|rest| rest.split('"').next().unwrap().to_owned()));
        (file, text)
    });
    assert!(names.len() > 50);
    let templates = Templates::load(files).unwrap();
    let calls = names.iter().map(|name| {
        let argument = match name.contains("list") || name.ends_with(".instances") {
            true => ".Alerts.Firing",
            false => ".",
        };
        format!("{{{{ template {name:?} {argument} }}}}")
    });
    let calls: Vec<_> = calls.collect();
    agree(&amtool, &templates, &data, &calls, (false, is_meant));
    agree(&amtool, &templates, &data, &calls, (true, is_meant));
}

/// The fields that Alertmanager lacks, and others in their place.
const OWN: [(&str, &str); 10] = [
    ("$.Unknown", "(eq $.Status \"firing\")"),
    (".UnknownSince", ".EndsAt"),
    (".AllUnknown", "(eq (len .Alerts) 7)"),
    (".Unknown", "(eq .Status \"firing\")"),
    (".Worst", ".Alerts.Firing"),
    (".ValueString", ".Fingerprint"),
    (".Threshold", ".Labels.queue"),
    (".Duration.Seconds", "3725.5"),
    (".DashboardURL", ".GeneratorURL"),
    (".AckURL", ".GeneratorURL"),
];

/// The built-in templates, with fields of Alertmanager in place of Vigie's own.
#[allow(dead_code)] // Alertmanager 0.25 lacks functions that they use.
pub(crate) fn compare_built_in(program: &Path) {
    let files = [
        (
            "default.tmpl",
            include_str!("../../src/template/default.tmpl"),
        ),
        ("chat.tmpl", include_str!("../../src/template/chat.tmpl")),
        ("email.tmpl", include_str!("../../src/template/email.tmpl")),
    ];
    let directory = tempfile::tempdir().unwrap();
    let message = message();
    let data = Data::new(&message, message.at, &NoLinks);
    let mut amtool = Amtool::new(program, directory.path(), &data);
    let own = directory.path().join("own");
    fs::create_dir(&own).unwrap();
    amtool.files = own.join("*.tmpl").display().to_string();
    let mut names = Vec::new();
    let files = files.map(|(file, text)| {
        let mut text = text.to_owned();
        for (field, other) in OWN {
            text = text.replace(field, other);
        }
        let defined = text.split("define \"").skip(1);
        names.extend(defined.map(|rest| rest.split('"').next().unwrap().to_owned()));
        fs::write(own.join(file), &text).unwrap();
        (file, text)
    });
    let templates = Templates::load(files).unwrap();
    let calls = names.iter().map(|name| {
        let argument = match name.as_str() {
            name if name.contains("list") || name.ends_with(".instances") => ".Alerts",
            "__subject" | "__body" | "__alertmanager" | "__alertmanagerURL" | "__description" => {
                "."
            }
            name if name.starts_with("__") => "(index .Alerts 1)",
            _ => ".",
        };
        format!("{{{{ template {name:?} {argument} }}}}")
    });
    let calls: Vec<_> = calls.collect();
    assert!(calls.len() > 40);
    let never = |_: &str, _: &Rendered, _: &Rendered| false;
    agree(&amtool, &templates, &data, &calls, (false, never));
    agree(&amtool, &templates, &data, &calls, (true, never));
}
