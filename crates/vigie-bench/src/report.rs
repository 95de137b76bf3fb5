//! Results as Markdown, ready for `BENCHMARKS.md`.

/// Bytes of a KiB.
pub(crate) const KIB: f64 = 1024.0;
/// Bytes of a MiB.
pub(crate) const MIB: f64 = 1024.0 * 1024.0;

/// A table; the first row is its head.
pub(crate) struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    pub(crate) fn new(head: [&str; N]) -> Self {
        Self(vec![head.map(String::from)])
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.0.push(cells);
    }

    pub(crate) fn print(&self) {
        for (at, row) in self.0.iter().enumerate() {
            println!("| {} |", row.join(" | "));
            if at == 0 {
                println!("|{}", " --- |".repeat(N));
            }
        }
        println!();
    }
}

pub(crate) fn heading(title: &str) {
    println!("## {title}\n");
}

pub(crate) fn note(text: &str) {
    println!("{text}\n");
}

/// What was promised, and whether it holds.
pub(crate) struct Targets(Table<4>);

impl Targets {
    pub(crate) fn new() -> Self {
        Self(Table::new(["promised", "limit", "measured", "holds"]))
    }

    pub(crate) fn at_least(&mut self, what: &str, limit: f64, measured: f64, unit: &str) {
        self.add(what, ("≥", limit), measured, unit, measured >= limit);
    }

    pub(crate) fn at_most(&mut self, what: &str, limit: f64, measured: f64, unit: &str) {
        self.add(what, ("≤", limit), measured, unit, measured <= limit);
    }

    fn add(&mut self, what: &str, limit: (&str, f64), measured: f64, unit: &str, holds: bool) {
        self.0.row([
            what.into(),
            format!("{} {}{unit}", limit.0, figure(limit.1)),
            format!("{}{unit}", figure(measured)),
            if holds { "yes" } else { "**no**" }.into(),
        ]);
    }

    pub(crate) fn print(&self) {
        self.0.print();
    }
}

/// With as many digits as say something.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        1000.0.. => thousands(value.round() as i64),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_matter() {
        let figures = [0.123, 1.1, 12.34, 123.4, 1234.5, 1_234_567.0, -4321.0].map(figure);
        assert_eq!(
            figures,
            [
                "0.12",
                "1.10",
                "12.3",
                "123",
                "1,235",
                "1,234,567",
                "-4,321"
            ]
        );
    }
}
