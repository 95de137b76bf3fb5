//! Renders mistakes like the diagnostics of the Rust compiler.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use vigie_redis::redact;

use crate::given::Place;
use crate::problem::{ConfigError, Problem, Shown};

/// Mistakes shown: a wrong file (a picture, for example) can contain thousands.
const MOST: usize = 50;

pub(crate) fn render(error: &ConfigError, styled: bool) -> String {
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for problem in error.problems.iter().take(MOST) {
        let drawn = renderer.render(&[group(problem, error.file.as_ref())]);
        for line in drawn.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
    let count = error.count();
    if count > MOST {
        let _ = writeln!(out, "… and {} more", count - MOST);
    }
    let plural = if count == 1 { "" } else { "s" };
    let _ = write!(out, "{count} error{plural} in the settings");
    out
}

fn group<'a>(problem: &'a Problem, file: Option<&'a Shown>) -> Group<'a> {
    let mut group = Group::with_title(Level::ERROR.primary_title(&problem.title));
    let second = problem.also.as_ref();
    match (problem.span(), file) {
        (Some(span), Some(file)) => {
            let mut snippet = Snippet::source(&file.text).path(&file.path).annotation(
                AnnotationKind::Primary
                    .span(file.fit(span))
                    .label(&problem.label),
            );
            if let Some((Place::File(span), label)) = second {
                snippet =
                    snippet.annotation(AnnotationKind::Context.span(file.fit(span)).label(label));
            }
            group = group.element(snippet);
        }
        _ => {
            if let Some(place) = &problem.place {
                group = group.element(Level::NOTE.message(given_by(place)));
            }
            if !problem.label.is_empty() {
                group = group.element(Level::NOTE.message(&problem.label));
            }
        }
    }
    if let Some((place, label)) = second {
        let drawn = matches!(place, Place::File(_)) && problem.span().is_some();
        if !drawn {
            group = group.element(Level::NOTE.message(format!("{label}, {}", given_by(place))));
        }
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help));
    }
    group
}

fn given_by(place: &Place) -> String {
    match place {
        Place::File(_) => "given in the configuration file".into(),
        Place::Env(name) => {
            let name = redact::addresses(&name.escape_debug().to_string());
            format!("given by the environment variable {name}")
        }
        Place::Flag(flag) => format!("given by the flag {flag}"),
    }
}
