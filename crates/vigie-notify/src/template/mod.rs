//! Alertmanager's templates: the texts of messages.
//!
//! ```
//! use vigie_notify::template::{Data, NoLinks, Templates};
//! # use vigie_notify::{Alert, Message};
//! # use vigie_promql::Labels;
//! # let labels = Labels::new([("alertname", "Slow"), ("severity", "warning")]);
//! # let message = Message {
//! #     id: 1, receiver: "ops".into(), integration: "slack/0".into(), group_key: String::new(),
//! #     group_labels: Labels::new([("alertname", "Slow")]), reason: String::new(), at: 60_000,
//! #     firing: vec![Alert::firing(labels, 0)], resolved: Vec::new(), summary: None,
//! # };
//! let own = ("own.tmpl", r#"{{ define "slack.default.title" }}{{ .CommonLabels.alertname | toUpper }}{{ end }}"#);
//! let templates = Templates::load([own])?;
//! let data = Data::new(&message, 60_000, &NoLinks);
//! assert_eq!(templates.text(r#"{{ template "slack.default.title" . }}"#, &data)?, "SLOW");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A template sees what Alertmanager 0.33 passes to it (see [`Data`]), and has its functions and those of 0.34.
//! Templates under Alertmanager's names are built in, in words of our own; the user's replace them.

mod data;
mod order;
#[cfg(test)]
mod tests;
mod threshold;

use std::fmt;
use std::sync::{Arc, LazyLock};

use vigie_alerts::template::exec::Limits;
use vigie_alerts::template::{self, Dialect, Library};

pub use data::{Data, Links, NoLinks};
pub use order::ordered;

use crate::problem::{Problem, position};

/// The built-in templates, by the name of their file.
const BUILT_IN: [(&str, &str); 3] = [
    ("default.tmpl", include_str!("default.tmpl")),
    ("chat.tmpl", include_str!("chat.tmpl")),
    ("email.tmpl", include_str!("email.tmpl")),
];

/// The largest template file that is read.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// The bounds of one text: 1 MiB and a million steps.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    steps: 1_000_000,
    depth: 100,
};

/// The templates of the user and the built-in ones. Clones share them.
#[derive(Clone, Debug)]
pub struct Templates(Arc<Library>);

impl Templates {
    /// The built-in templates.
    #[must_use]
    pub fn builtin() -> Self {
        Self(Arc::clone(&LIBRARY))
    }

    /// The built-in templates and those of files, given by name and text in the order of reading. A template replaces
    /// an earlier one of the same name.
    ///
    /// # Errors
    /// The first mistake of each file.
    pub fn load<N: AsRef<str>, T: AsRef<str>>(
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, FileProblems> {
        let mut library = Library::over(Arc::clone(&LIBRARY));
        let mut problems = Vec::new();
        for (name, text) in files {
            let (name, text) = (name.as_ref(), text.as_ref());
            let added = match text.len() > MAX_FILE_BYTES {
                true => Err(too_large(text)),
                false => library
                    .add(base(name), text)
                    .map_err(|error| problem(text, error)),
            };
            if let Err(problem) = added {
                let file = name.to_owned();
                problems.push(FileProblem { file, problem });
            }
        }
        match problems.is_empty() {
            true => Ok(Self(Arc::new(library))),
            false => Err(FileProblems(problems)),
        }
    }

    /// Renders a text, such as a setting of a receiver.
    ///
    /// # Errors
    /// The text does not parse, the run fails, or it exceeds its bounds.
    pub fn text(&self, text: &str, data: &Data) -> Result<String, Failure> {
        match text.contains("{{") {
            true => self
                .0
                .text(text, data.value(), data.clock(), LIMITS)
                .map_err(Failure),
            false => Ok(text.to_owned()),
        }
    }

    /// Renders HTML: the values in it are escaped as their place needs it.
    ///
    /// # Errors
    /// As [`Templates::text`], and a value in a place that cannot be made safe.
    pub fn html(&self, text: &str, data: &Data) -> Result<String, Failure> {
        self.0
            .html(text, data.value(), data.clock(), LIMITS)
            .map_err(Failure)
    }

    /// Whether there is a template of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// Reads a text that may contain templates, such as a setting of a receiver.
///
/// # Errors
/// Its first mistake.
pub fn check(text: &str) -> Result<(), Problem> {
    let parsed = template::parse_as(Dialect::Alertmanager, text);
    parsed.map(drop).map_err(|error| problem(text, error))
}

/// A text that could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template failed: {0}")]
pub struct Failure(template::Failure);

/// A mistake in a template file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// The name of the file.
    pub file: String,
    /// The mistake, with its position in the file.
    pub problem: Problem,
}

/// The first mistakes of template files; at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FileProblems(pub Vec<FileProblem>);

impl fmt::Display for FileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, FileProblem { file, problem }) in self.0.iter().enumerate() {
            let line = if at > 0 { "\n" } else { "" };
            write!(f, "{line}{file}: {problem}")?;
        }
        Ok(())
    }
}

/// The library of the built-in templates, which are parsed once.
static LIBRARY: LazyLock<Arc<Library>> = LazyLock::new(|| {
    let mut library = Library::default();
    for (name, text) in BUILT_IN {
        // A test renders each of them.
        let added = library.add(name, text);
        debug_assert!(added.is_ok(), "{name}: {added:?}");
    }
    Arc::new(library)
});

/// The name under which a file is a template itself: its last component.
fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn problem(text: &str, error: template::Error) -> Problem {
    let (line, column) = position(text, error.span.start);
    Problem {
        span: error.span,
        line,
        column,
        found: error.title,
        accepted: error.label,
        help: error.help,
    }
}

fn too_large(text: &str) -> Problem {
    Problem {
        span: 0..0,
        line: 1,
        column: 1,
        found: format!("the file has {} bytes", text.len()),
        accepted: format!("at most {MAX_FILE_BYTES} are accepted"),
        help: None,
    }
}
