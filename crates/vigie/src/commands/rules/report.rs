//! Findings drawn the way the Rust compiler draws them.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use vigie_alerts::{Finding, Span};

/// A wrong file (a picture, say) could hold thousands of mistakes.
const MOST: usize = 50;

/// The findings of one file, each followed by an empty line.
pub(super) fn draw(path: &str, text: &str, findings: &[Finding], styled: bool) -> String {
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for finding in findings.iter().take(MOST) {
        let drawn = renderer.render(&[group(path, text, finding)]);
        for line in drawn.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
    if findings.len() > MOST {
        out += &format!("… and {} more in {path}\n", findings.len() - MOST);
    }
    out
}

fn group<'a>(path: &'a str, text: &'a str, finding: &'a Finding) -> Group<'a> {
    let primary = AnnotationKind::Primary.span(fit(text, &finding.span));
    let mut snippet = Snippet::source(text)
        .path(path)
        .annotation(primary.label(&finding.label));
    if let Some((span, what)) = &finding.also {
        let context = AnnotationKind::Context.span(fit(text, span));
        snippet = snippet.annotation(context.label(what));
    }
    let group = Group::with_title(Level::ERROR.primary_title(&finding.title)).element(snippet);
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// The span, kept within the text and off the middle of its characters.
fn fit(text: &str, span: &Span) -> Span {
    let start = text.floor_char_boundary(span.start);
    start..text.ceil_char_boundary(span.end).max(start)
}
