//! The settings: a TOML file, overridden by the environment, overridden by flags.
//!
//! ```text
//! file ─┐
//! env  ─┼─► one value per key, each with its place ─► every key read ─► Settings
//! flags ┘                                             └► every mistake ─► ConfigError
//! ```
//! Reading does not stop at the first mistake: all are reported together, each with its line, the value found and the
//! accepted values. If a key is given more than once, only the value that takes effect is validated. Messages never
//! show a secret, nor a value that may be one.
//!
//! ```
//! let settings = vigie_config::Settings::from_toml(
//!     r#"
//!     [gateway]
//!     app = "http://127.0.0.1:3000"
//!     "#,
//! )?;
//! assert_eq!(settings.unwatched(), ["redis", "database", "tick"]);
//! # Ok::<(), vigie_config::ConfigError>(())
//! ```

mod access;
mod env;
mod exposed;
mod file;
mod given;
mod heartbeat;
mod mask;
mod notify;
mod problem;
mod reader;
mod render;
mod route;
mod rules;
mod secret_file;
mod sections;
mod settings;
mod unknown;
mod values;

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use given::{Given, Layer, Place};
use problem::{Problem, Shown};
use reader::Reader;
use vigie_redis::redact;

pub use exposed::Exposed;
pub use problem::ConfigError;
pub use route::validate_route;
pub use secret_file::read as secret_file;
pub use settings::{
    Access, Admin, Alerts, BuiltIn, Capture, Check, Checks, Database, Engine, Exporter, Gateway,
    Heartbeat, LeaseIn, Log, LogFormat, Notify, Page, Queues, Rules, Settings, Shutdown, Unusable,
};

/// About a thousand times the size of a realistic file, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// The sources of settings, in order of increasing precedence.
#[derive(Default)]
pub struct Sources {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// The environment.
    pub env: Vec<(OsString, OsString)>,
    /// The keys set on the command line.
    pub flags: Vec<Flag>,
}

/// One key set by a flag. Not `Debug`: the value may be a secret.
pub struct Flag {
    /// The flag as typed, for messages: `--redis`.
    pub name: &'static str,
    /// The key it sets: `redis.url`.
    pub key: &'static str,
    /// Its value; `None` removes a value of lower precedence.
    pub value: Option<String>,
}

impl Settings {
    /// Reads all sources and resolves the settings.
    ///
    /// # Errors
    /// All mistakes in all sources.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::load_with(sources, false)
    }

    /// Like [`Settings::load`], but mistakes that only disable a check are returned in [`Settings::unusable`]: the
    /// gateway must start without its optional parts.
    ///
    /// # Errors
    /// All mistakes in all sources, if one of them affects more than a check.
    pub fn load_to_serve(sources: &Sources) -> Result<Self, ConfigError> {
        Self::load_with(sources, true)
    }

    /// Reads only the section `[rules]`: mistakes elsewhere do not affect `vigie rules check`.
    ///
    /// # Errors
    /// All mistakes in that section.
    pub fn load_rules(sources: &Sources) -> Result<Rules, ConfigError> {
        Self::load_section(sources, "rules", sections::rules)
    }

    /// The limits of queries and the part of the language that they may use, without the other settings.
    ///
    /// # Errors
    ///
    /// As [`load_rules`](Self::load_rules).
    pub fn load_query(sources: &Sources) -> Result<vigie_api::Settings, ConfigError> {
        Self::load_section(sources, "query", sections::query)
    }

    fn load_section<T>(
        sources: &Sources,
        name: &'static str,
        read: fn(&mut Reader) -> T,
    ) -> Result<T, ConfigError> {
        let file = read_file(sources)?;
        let resolved = resolve(given(&file), sources, Some(name), read);
        match resolved.problems.is_empty() {
            true => Ok(resolved.value),
            false => Err(ConfigError::new(resolved.problems, resolved.shown)),
        }
    }

    fn load_with(sources: &Sources, to_serve: bool) -> Result<Self, ConfigError> {
        let file = read_file(sources)?;
        Self::resolved(given(&file), sources, to_serve)
    }

    fn resolved(
        file: Option<(&Path, &str)>,
        sources: &Sources,
        to_serve: bool,
    ) -> Result<Self, ConfigError> {
        let Resolved {
            value: mut settings,
            problems,
            shown,
            exposed,
            holds_credentials,
        } = resolve(file, sources, None, |reader| {
            let settings = sections::settings(reader);
            rules::check(&settings, reader);
            settings
        });
        let unusable: Vec<_> = problems.iter().filter_map(Problem::unusable).collect();
        if problems.is_empty() || to_serve && unusable.len() == problems.len() {
            settings.unusable = unusable;
            let file = sources.file.as_deref().filter(|_| holds_credentials);
            settings.exposed.extend(file.and_then(Exposed::find));
            settings.exposed.extend(exposed);
            Ok(settings)
        } else {
            Err(ConfigError::new(problems, shown))
        }
    }

    /// Resolves the text of a file, without environment variables or flags.
    ///
    /// # Errors
    /// All mistakes in the text.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file = Some((Path::new("vigie.toml"), text));
        Self::resolved(file, &Sources::default(), false)
    }

    /// Every key that can be set, as `section.key`.
    #[must_use]
    pub fn keys() -> Vec<String> {
        let mut reader = Reader::new(Layer::default(), PathBuf::new());
        sections::settings(&mut reader);
        reader.finish().known
    }
}

/// The configuration file of `sources`.
fn read_file(sources: &Sources) -> Result<Option<(&Path, String)>, ConfigError> {
    let Some(path) = &sources.file else {
        return Ok(None);
    };
    read(path)
        .map(|text| Some((path.as_path(), text)))
        .map_err(|reason| {
            let title = format!("the configuration file {} cannot be read", path.display());
            ConfigError::new(vec![Problem::at(None, title, reason)], None)
        })
}

fn given<'a>(file: &'a Option<(&Path, String)>) -> Option<(&'a Path, &'a str)> {
    file.as_ref().map(|(path, text)| (*path, text.as_str()))
}

/// A value with all mistakes, and the masked file for messages.
struct Resolved<T> {
    value: T,
    problems: Vec<Problem>,
    shown: Option<Shown>,
    /// Files with secrets that other users can read.
    exposed: Vec<Exposed>,
    /// Whether the configuration file itself contains credentials.
    holds_credentials: bool,
}

/// Resolves a value from all sources, or from one section of them.
fn resolve<T>(
    file: Option<(&Path, &str)>,
    sources: &Sources,
    section: Option<&str>,
    read: impl FnOnce(&mut Reader) -> T,
) -> Resolved<T> {
    let (mut layer, broken) = file.map_or_else(Default::default, |(_, text)| file::parse(text));
    let (variables, mut problems) = match section {
        Some(section) => env::layer_of(section, &sources.env),
        None => env::layer(&sources.env),
    };
    layer.overlay(variables);
    overlay_flags(&sources.flags, &mut layer);
    match section {
        Some(section) => layer.retain(section),
        None => problems.extend(env::fall_back(&sources.env, &mut layer)),
    }

    let directory = file.and_then(|(path, _)| path.parent());
    let mut reader = Reader::new(layer, directory.map(Path::to_owned).unwrap_or_default());
    let value = read(&mut reader);
    let mut outcome = reader.finish();

    problems.append(&mut outcome.problems);
    let shown = file.map(|(path, text)| Shown {
        path: redact::addresses(&path.display().to_string()),
        text: if broken.is_empty() {
            mask::parsed(text, &outcome.values, &outcome.names, &outcome.covered)
        } else {
            mask::broken(text, |name| outcome.is_public(name))
        },
    });
    if let (Some((_, text)), false) = (file, broken.is_empty()) {
        problems.retain(|problem| problem.local && !is_echo(text, problem, &broken));
        problems.extend(broken);
    }
    for problem in &mut problems {
        let also = problem.also.as_mut().map(|(place, _)| place);
        for place in problem.place.as_mut().into_iter().chain(also) {
            if let Place::File(span) = place {
                *span = outcome.visible(span.clone());
            }
        }
    }
    Resolved {
        value,
        problems,
        shown,
        exposed: outcome.exposed,
        holds_credentials: outcome.holds_credentials,
    }
}

fn overlay_flags(flags: &[Flag], layer: &mut Layer) {
    let mut above = Layer::default();
    for flag in flags {
        match &flag.value {
            Some(value) => {
                let given = Given::untyped(value, Place::Flag(flag.name));
                above.values.insert(flag.key.to_owned(), given);
            }
            None => {
                layer.values.remove(flag.key);
            }
        }
    }
    layer.overlay(above);
}

/// Whether a problem only results from a parse error: it is on a line that did not parse, or after a lost section
/// header, so that its keys are assigned to the wrong section.
fn is_echo(text: &str, problem: &Problem, broken: &[Problem]) -> bool {
    let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let is_header = |number: usize| {
        let line = text.lines().nth(number);
        line.is_some_and(|line| line.trim_start().starts_with('['))
    };
    problem.span().is_some_and(|span| {
        let (first, last) = (line(span.start), line(span.end));
        let mut lost = broken.iter().filter_map(Problem::span);
        lost.any(|span| {
            let lost = line(span.start);
            (first..=last).contains(&lost) || (lost < first && is_header(lost))
        })
    })
}

fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("it is larger than {LARGEST_FILE} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".into())
}
