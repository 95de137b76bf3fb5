//! The table that `vigie check` prints.

use vigie_redis::redact;

use super::Row;

/// Renders the rows, and the sections that are not configured.
pub(super) fn table(rows: &[Row], unwatched: &[&str]) -> String {
    let mut cells: Vec<[String; 4]> = rows
        .iter()
        .map(|row| {
            let verdict = match &row.verdict {
                Ok(text) => format!("ok      {text}"),
                Err((text, _)) if row.warns => format!("WARNING {text}"),
                Err((text, _)) => format!("FAILED  {text}"),
            };
            let took = format!("{:.1} ms", row.took.as_secs_f64() * 1e3);
            [row.what.to_owned(), row.place.clone(), took, verdict]
        })
        .collect();
    for section in unwatched {
        let verdict = format!("–       not configured, so not watched ([{section}])");
        cells.push([(*section).to_owned(), String::new(), String::new(), verdict]);
    }
    let width = |column: usize| {
        let lengths = cells.iter().map(|row| row[column].chars().count());
        lengths.max().unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    let mut table = String::new();
    for (n, [what, place, took, verdict]) in cells.iter().enumerate() {
        let [a, b, c] = widths;
        table += &format!("{what:<a$}  {place:<b$}  {took:>c$}  {verdict}\n");
        if let Some(Err((_, advice))) = rows.get(n).map(|row| &row.verdict) {
            let indent = a + b + c + 14;
            table += &format!("{:indent$}{advice}\n", "");
        }
    }
    // A place may be an address that was given as a path.
    redact::addresses(&table)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_address_in_place_of_a_path_is_not_shown() {
        let row = Row {
            what: "history",
            place: "redis://u:hunter2@h".into(),
            took: Duration::ZERO,
            verdict: Ok("can be made".into()),
            warns: false,
        };
        let page = table(&[row], &[]);
        assert!(
            page.contains("history") && !page.contains("hunter2"),
            "{page}"
        );
    }
}
