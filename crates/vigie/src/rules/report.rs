//! Renders findings like the diagnostics of the Rust compiler.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use vigie_alerts::{Finding, Level as Severity, Span};

/// The number of findings shown for each level: a file that is not a rule file can have thousands.
const MOST: usize = 50;

/// The findings of one file, each followed by an empty line.
pub(crate) fn draw(path: &str, text: &str, findings: &[Finding], styled: bool) -> String {
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    let mut left = [MOST; 2];
    let drawn = findings.iter().filter(|finding| {
        let left = &mut left[usize::from(finding.level() == Severity::Error)];
        let draws = *left > 0;
        *left = left.saturating_sub(1);
        draws
    });
    let mut count = 0;
    for finding in drawn {
        count += 1;
        let drawn = renderer.render(&[group(path, text, finding)]);
        for line in drawn.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
    if findings.len() > count {
        out += &format!("… and {} more in {path}\n", findings.len() - count);
    }
    out
}

fn group<'a>(path: &'a str, text: &'a str, finding: &'a Finding) -> Group<'a> {
    let primary = AnnotationKind::Primary.span(fit(text, &finding.span));
    let mut snippet = Snippet::source(text)
        .path(path)
        .annotation(primary.label(&finding.label));
    if let Some((span, label)) = &finding.also {
        let context = AnnotationKind::Context.span(fit(text, span));
        snippet = snippet.annotation(context.label(label));
    }
    let level = match finding.level() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&finding.title).id(finding.lint.name());
    let group = Group::with_title(title).element(snippet);
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// The span within the text, at character boundaries.
fn fit(text: &str, span: &Span) -> Span {
    let start = text.floor_char_boundary(span.start);
    start..text.ceil_char_boundary(span.end).max(start)
}
