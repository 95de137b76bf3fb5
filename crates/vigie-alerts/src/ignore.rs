//! Comments that suppress findings: `# vigie: ignore NAME[, NAME] -- reason`.
//!
//! A comment at the end of a line applies to the rule of that line, or to its group if there is no rule. A comment on
//! its own line applies to what the next line starts: a rule, a group or the file; otherwise to the rule or group
//! that contains it.

use crate::finding::{Finding, Span};
use crate::lint::Lint;
use crate::rules::{Loaded, Outline};
use crate::suggest::{did_you_mean, nearest};

/// How many names comments may list in a file.
const MAX_IGNORES: usize = 1_000;

const SYNTAX: &str = "expected `# vigie: ignore NAME[, NAME] -- reason`";

/// The findings that remain, and how many were suppressed.
#[derive(Debug, Default)]
pub struct Remaining {
    /// The findings in the order of the file, including those about the comments themselves.
    pub findings: Vec<Finding>,
    /// How many findings were suppressed.
    pub suppressed: usize,
}

/// Removes the findings that comments in `text` suppress. In a file that is not YAML, comments have no effect.
#[must_use]
pub fn suppress(text: &str, loaded: &Loaded, findings: Vec<Finding>) -> Remaining {
    let mut remaining = Remaining::default();
    let (mut ignores, invalid) = match &loaded.outline {
        Some(outline) => read(text, outline),
        None => (Vec::new(), Vec::new()),
    };
    for finding in findings {
        let mut suppressed = false;
        for ignore in &mut ignores {
            if ignore.lint == finding.lint && ignore.applies_at(finding.span.start) {
                ignore.used = true;
                suppressed = true;
            }
        }
        if suppressed {
            remaining.suppressed += 1;
        } else {
            remaining.findings.push(finding);
        }
    }
    remaining.findings.extend(invalid);
    let unused = ignores.into_iter().filter(|ignore| !ignore.used);
    remaining.findings.extend(unused.map(|ignore| {
        let title = format!("`{}` is not found here", ignore.lint.name());
        let label = "suppresses nothing";
        let help = "remove it".to_owned();
        Finding::new(Lint::UnusedIgnore, ignore.span, title, label).help(help)
    }));
    remaining.findings.sort_by_key(|finding| finding.span.start);
    remaining
}

/// One name of a comment.
struct Ignore {
    lint: Lint,
    span: Span,
    /// Where it applies.
    scope: Vec<Span>,
    used: bool,
}

impl Ignore {
    fn applies_at(&self, at: usize) -> bool {
        self.scope
            .iter()
            .any(|span| span.start <= at && at <= span.end)
    }
}

fn read(text: &str, outline: &Outline) -> (Vec<Ignore>, Vec<Finding>) {
    let mut ignores = Vec::new();
    let mut invalid = Vec::new();
    for (at, _) in text.match_indices('#') {
        let is_comment = at == 0 || text[..at].ends_with(char::is_whitespace);
        let Some(names) = Some(at)
            .filter(|at| is_comment && !is_inside_text(outline, *at))
            .and_then(|at| instruction(text, at, &mut invalid))
        else {
            continue;
        };
        let scope = scope(text, outline, at);
        for name in split(text, names) {
            if ignores.len() + invalid.len() >= MAX_IGNORES {
                let title = format!("more than {MAX_IGNORES} ignored names in a file");
                let label = "this one and the following have no effect";
                invalid.push(Finding::new(Lint::InvalidIgnore, name, title, label));
                return (ignores, invalid);
            }
            match Lint::named(&text[name.clone()]) {
                Some(lint) => ignores.push(Ignore {
                    lint,
                    span: name,
                    scope: scope.clone(),
                    used: false,
                }),
                None => {
                    let written = &text[name.clone()];
                    let title = format!("no finding is named `{}`", written.escape_debug());
                    let names = Lint::ALL.iter().map(|lint| lint.name());
                    let help = did_you_mean(written, names);
                    let finding = Finding::new(Lint::InvalidIgnore, name, title, SYNTAX);
                    invalid.push(finding.help(help));
                }
            }
        }
    }
    (ignores, invalid)
}

fn is_inside_text(outline: &Outline, at: usize) -> bool {
    let before = outline.texts.partition_point(|text| text.start <= at);
    before
        .checked_sub(1)
        .is_some_and(|last| outline.texts[last].contains(&at))
}

/// The part of a comment that lists the names, or `None` if it is an ordinary comment.
fn instruction(text: &str, comment: usize, invalid: &mut Vec<Finding>) -> Option<Span> {
    let line = &text[comment..line_end(text, comment)];
    let rest = line[1..].trim_start().strip_prefix("vigie:")?.trim_start();
    let word = rest.split_whitespace().next()?;
    if word != "ignore" {
        if nearest(word, ["ignore"]).is_some() {
            let start = comment + line.len() - rest.len();
            let title = format!("unknown instruction `{}`", word.escape_debug());
            let finding = Finding::new(
                Lint::InvalidIgnore,
                start..start + word.len(),
                title,
                SYNTAX,
            );
            invalid.push(finding.help("did you mean `ignore`?".to_owned()));
        }
        return None;
    }
    let names = &rest[word.len()..];
    let start = comment + line.len() - names.len();
    let names = names.split("--").next().unwrap_or_default();
    if names.trim().is_empty() {
        let span = comment..comment + line.trim_end().len();
        let title = "an ignore without a name";
        invalid.push(Finding::new(Lint::InvalidIgnore, span, title, SYNTAX));
        return None;
    }
    Some(start..start + names.len())
}

/// The names in a list separated by commas.
fn split(text: &str, names: Span) -> Vec<Span> {
    let mut start = names.start;
    let mut spans = Vec::new();
    for part in text[names].split(',') {
        let name = part.trim_start();
        let begin = start + part.len() - name.len();
        spans.push(begin..begin + name.trim_end().len());
        start += part.len() + 1;
    }
    spans
}

/// Where a comment applies.
fn scope(text: &str, outline: &Outline, comment: usize) -> Vec<Span> {
    let lines = |span: &Span| line_start(text, span.start)..line_end(text, span.end);
    let whole = 0..text.len();
    let start = line_start(text, comment);
    let own_line = text[start..comment].trim().is_empty();
    let next = if own_line {
        next_line(text, comment)
    } else {
        None
    };
    let line = match next {
        Some(next) => next,
        // At the end of the file, an indented comment belongs to the preceding item.
        None if own_line && comment > start => last_line(text, start),
        None if own_line => return vec![whole],
        None => start,
    };
    let line = line..line_end(text, line);
    if next.is_some() {
        if line.contains(&outline.start) {
            return vec![whole];
        }
        for items in [&outline.groups, &outline.rules] {
            let begun: Vec<_> = items
                .iter()
                .filter(|item| line.contains(&item.start))
                .collect();
            if !begun.is_empty() {
                return begun.into_iter().map(lines).collect();
            }
        }
    }
    for items in [&outline.rules, &outline.groups] {
        let touched: Vec<_> = items
            .iter()
            .map(lines)
            .filter(|item| item.start <= line.start && line.start <= item.end)
            .collect();
        if !touched.is_empty() {
            return touched;
        }
    }
    vec![whole]
}

/// The next line that is neither empty nor a comment.
fn next_line(text: &str, at: usize) -> Option<usize> {
    let mut start = line_end(text, at) + 1;
    while start < text.len() {
        let end = line_end(text, start);
        if has_content(&text[start..end]) {
            return Some(start);
        }
        start = end + 1;
    }
    None
}

/// The last line before `at` that is neither empty nor a comment.
fn last_line(text: &str, at: usize) -> usize {
    let lines = text[..at].split_inclusive('\n').rev();
    let mut start = at;
    for line in lines {
        start -= line.len();
        if has_content(line) {
            break;
        }
    }
    start
}

fn has_content(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

fn line_start(text: &str, at: usize) -> usize {
    let before = &text[..text.floor_char_boundary(at)];
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    let at = text.floor_char_boundary(at);
    text[at..]
        .find('\n')
        .map_or(text.len(), |length| at + length)
}

#[cfg(test)]
mod tests;
