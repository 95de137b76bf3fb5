//! The report of `vigie rules check` in its formats.

use std::io;

use serde::Serialize;
use vigie_alerts::{Finding, Level, Remaining};

use super::{Format, report};

/// A file with its findings.
pub(super) struct Checked<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    pub(super) rules: usize,
    pub(super) remaining: Remaining,
}

/// Writes the findings of all files.
pub(super) fn write(
    files: &[Checked<'_>],
    format: Format,
    styled: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Text => text(files, styled, out),
        Format::Json => {
            let rows: Vec<_> = rows(files).collect();
            serde_json::to_writer_pretty(&mut *out, &rows)?;
            writeln!(out)
        }
        Format::Github => rows(files).try_for_each(|row| github(&row, out)),
    }
}

fn text(files: &[Checked<'_>], styled: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let (mut errors, mut warnings) = (0, 0);
    for file in files {
        let findings = &file.remaining.findings;
        let serious = findings.iter().filter(|it| it.level() == Level::Error);
        let serious = serious.count();
        errors += serious;
        warnings += findings.len() - serious;
        if !findings.is_empty() {
            let drawn = report::draw(file.path, file.text, findings, styled);
            out.write_all(drawn.as_bytes())?;
        }
        let suppressed = match file.remaining.suppressed {
            0 => String::new(),
            count => format!(", {count} suppressed"),
        };
        if findings.is_empty() || !suppressed.is_empty() {
            let found = match findings.len() {
                0 => "nothing found".to_owned(),
                count => counted(count, "finding"),
            };
            let rules = counted(file.rules, "rule");
            writeln!(out, "{}: {rules}, {found}{suppressed}", file.path)?;
        }
    }
    if errors + warnings > 0 {
        let (errors, warnings) = (counted(errors, "error"), counted(warnings, "warning"));
        writeln!(out, "{errors}, {warnings}")?;
    }
    Ok(())
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A finding for programs. Lines and columns count from 1, columns in characters.
#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    level: &'static str,
    name: &'static str,
    message: &'a str,
    label: &'a str,
    help: Option<&'a str>,
}

fn rows<'a>(files: &'a [Checked<'a>]) -> impl Iterator<Item = Row<'a>> {
    let all = |file: &'a Checked<'a>| {
        let findings = file.remaining.findings.iter();
        findings.map(move |finding| row(file, finding))
    };
    files.iter().flat_map(all)
}

fn row<'a>(file: &'a Checked<'a>, finding: &'a Finding) -> Row<'a> {
    let (line, column) = position(file.text, finding.span.start);
    let (end_line, end_column) = position(file.text, finding.span.end.max(finding.span.start));
    Row {
        file: file.path,
        line,
        column,
        end_line,
        end_column,
        level: finding.level().name(),
        name: finding.lint.name(),
        message: &finding.title,
        label: &finding.label,
        help: finding.help.as_deref(),
    }
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let newlines = before.bytes().filter(|byte| *byte == b'\n').count();
    (newlines + 1, before[line..].chars().count() + 1)
}

/// A workflow command: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.
fn github(row: &Row<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let help = row.help.map(|help| format!(" ({help})"));
    let message = format!("{}: {}{}", row.message, row.label, help.unwrap_or_default());
    writeln!(
        out,
        "::{} file={},line={},col={},endLine={},title={}::{}",
        row.level,
        property(row.file),
        row.line,
        row.column,
        row.end_line,
        property(row.name),
        data(&message)
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
