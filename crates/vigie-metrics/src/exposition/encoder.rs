//! Encodes samples as text.
//!
//! Sources: the Prometheus text format 0.0.4 (`docs/instrumenting/exposition_formats`) and OpenMetrics 1.0.0. The
//! differences are the family name of counters, the type of untyped metrics, `# UNIT`, whole numbers in `le`, and the
//! final `# EOF`.

use std::time::Duration;

use super::{Format, Scrape, View};
use crate::desc::{Kind, Meta};
use crate::epoch::Birth;
use crate::value::Histogram;

/// The value of a series.
pub enum Sample<'a> {
    /// A counter.
    Integer(u64),
    /// A gauge.
    Float(f64),
    /// A histogram.
    Histogram(&'a Histogram),
}

/// The properties of a series that determine its value at a scrape.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) is_count: bool,
    pub(crate) birth: &'a Birth,
    /// In Unix seconds.
    pub(crate) created: u32,
}

pub(crate) struct Encoder<'a> {
    format: Format,
    created: bool,
    scrape: Option<Scrape>,
    kind: Kind,
    page: &'a mut String,
    name: &'static str,
    /// `,le="0.005"} ` for each bucket of the family, `,le="+Inf"} ` last.
    bucket_tails: Vec<String>,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(view: View, page: &'a mut String) -> Self {
        Self {
            format: view.format,
            created: view.created && view.format == Format::OpenMetrics,
            scrape: view.scrape,
            kind: Kind::Untyped,
            page,
            name: "",
            bucket_tails: Vec::new(),
        }
    }

    /// Starts a family, or continues it.
    pub(crate) fn family(&mut self, meta: &'static Meta) {
        if self.name == meta.name {
            return;
        }
        (self.name, self.kind) = (meta.name, meta.kind);
        let open = self.format == Format::OpenMetrics;
        let family = match meta.kind {
            Kind::Counter if open => meta.name.strip_suffix("_total").unwrap_or(meta.name),
            _ => meta.name,
        };
        let kind = match meta.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Untyped if open => "unknown",
            Kind::Untyped => "untyped",
        };
        for part in ["# HELP ", family, " "] {
            self.page.push_str(part);
        }
        for c in meta.help.chars() {
            match c {
                '\\' => self.page.push_str("\\\\"),
                '\n' => self.page.push_str("\\n"),
                '"' if open => self.page.push_str("\\\""),
                c => self.page.push(c),
            }
        }
        for part in ["\n# TYPE ", family, " ", kind, "\n"] {
            self.page.push_str(part);
        }
        if open && let Some(unit) = meta.unit() {
            for part in ["# UNIT ", family, " ", unit, "\n"] {
                self.page.push_str(part);
            }
        }
        self.bucket_tails.clear();
        for &bound in meta.buckets.seconds {
            let mut tail = String::from(",le=\"");
            push_bound(&mut tail, bound, self.format);
            tail.push_str("\"} ");
            self.bucket_tails.push(tail);
        }
        self.bucket_tails.push(String::from(",le=\"+Inf\"} "));
    }

    /// The current length of the page.
    pub(crate) fn position(&self) -> usize {
        self.page.len()
    }

    /// Removes everything written since `position`.
    pub(crate) fn rewind(&mut self, position: usize) {
        self.page.truncate(position);
    }

    /// Writes the lines of one series; `None` means that its value is unknown.
    pub(crate) fn series(&mut self, labels: &str, sample: Option<&Sample<'_>>, origin: Origin<'_>) {
        let Some(sample) = sample else {
            if let Some(scrape) = self.scrape {
                origin.birth.not_before(scrape.epoch);
            }
            return;
        };
        let is_new = |scrape: Scrape| origin.birth.is_since(scrape.zero_since);
        let is_zero = origin.is_count && self.scrape.is_some_and(is_new);
        match sample {
            Sample::Integer(_) if is_zero => self.sample(labels, &Sample::Integer(0)),
            Sample::Float(_) if is_zero => self.sample(labels, &Sample::Integer(0)),
            Sample::Histogram(histogram) => self.histogram(labels, histogram, is_zero),
            sample => self.sample(labels, sample),
        }
        if self.created && matches!(self.kind, Kind::Counter | Kind::Histogram) {
            let name = self.name.strip_suffix("_total").unwrap_or(self.name);
            self.line(name, "_created", labels);
            self.integer(u64::from(origin.created));
        }
    }

    /// Writes the lines of one series unchanged.
    pub(crate) fn sample(&mut self, labels: &str, sample: &Sample<'_>) {
        match sample {
            Sample::Integer(value) => {
                self.name_and_labels("", labels);
                self.integer(*value);
            }
            Sample::Float(value) => {
                self.name_and_labels("", labels);
                push_float(self.page, *value);
                self.page.push('\n');
            }
            Sample::Histogram(histogram) => self.histogram(labels, histogram, false),
        }
    }

    pub(crate) fn finish(self) {
        if self.format == Format::OpenMetrics {
            self.page.push_str("# EOF\n");
        }
    }

    fn histogram(&mut self, labels: &str, histogram: &Histogram, is_zero: bool) {
        let mut count = 0;
        let tails = std::mem::take(&mut self.bucket_tails);
        for (bucket, tail) in histogram.buckets().zip(&tails) {
            count += if is_zero { 0 } else { bucket };
            self.page.push_str(self.name);
            self.page.push_str("_bucket{");
            self.page.push_str(labels);
            // The tail starts with a comma, which is only valid after labels.
            self.page
                .push_str(if labels.is_empty() { &tail[1..] } else { tail });
            self.integer(count);
        }
        self.bucket_tails = tails;
        self.name_and_labels("_sum", labels);
        let sum = match is_zero {
            true => Duration::ZERO,
            false => histogram.sum(),
        };
        push_seconds(self.page, sum);
        self.name_and_labels("_count", labels);
        self.integer(count);
    }

    fn name_and_labels(&mut self, suffix: &str, labels: &str) {
        self.line(self.name, suffix, labels);
    }

    fn line(&mut self, name: &str, suffix: &str, labels: &str) {
        self.page.push_str(name);
        self.page.push_str(suffix);
        if labels.is_empty() {
            self.page.push(' ');
        } else {
            self.page.push('{');
            self.page.push_str(labels);
            self.page.push_str("} ");
        }
    }

    fn integer(&mut self, value: u64) {
        self.page.push_str(itoa::Buffer::new().format(value));
        self.page.push('\n');
    }
}

/// Appends `name="value"`, escaped, with a comma before it unless it is the first.
pub(crate) fn push_label(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push(',');
    }
    out.push_str(name);
    out.push_str("=\"");
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
}

pub(super) fn push_float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else if value.fract() == 0.0 && value.abs() < 1e15 {
        out.push_str(itoa::Buffer::new().format(value as i64));
    } else {
        out.push_str(ryu::Buffer::new().format_finite(value));
    }
}

/// A bound as each format requires: `1` in the text format, `1.0` in OpenMetrics.
fn push_bound(out: &mut String, bound: f64, format: Format) {
    match format {
        Format::Text => push_float(out, bound),
        Format::OpenMetrics => out.push_str(ryu::Buffer::new().format_finite(bound)),
    }
}

/// Seconds, exact, without trailing zeros.
fn push_seconds(out: &mut String, sum: Duration) {
    out.push_str(itoa::Buffer::new().format(sum.as_secs()));
    let nanos = sum.subsec_nanos();
    if nanos > 0 {
        let mut digits = [b'0'; 9];
        let mut rest = nanos;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        out.push('.');
        let all = digits.iter().map(|&digit| char::from(digit));
        let significant = 9 - nanos
            .to_string()
            .bytes()
            .rev()
            .take_while(|&b| b == b'0')
            .count();
        out.extend(all.take(significant));
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_shortest_and_exact() {
        let float = |value| {
            let mut out = String::new();
            push_float(&mut out, value);
            out
        };
        assert_eq!(float(0.0), "0");
        assert_eq!(float(-3.0), "-3");
        assert_eq!(float(0.1), "0.1");
        assert_eq!(float(1e300), "1e300");
        assert_eq!(float(f64::NAN), "NaN");
        assert_eq!(float(f64::NEG_INFINITY), "-Inf");

        let seconds = |nanos| {
            let mut out = String::new();
            push_seconds(&mut out, Duration::from_nanos(nanos));
            out
        };
        assert_eq!(seconds(0), "0\n");
        assert_eq!(seconds(1), "0.000000001\n");
        assert_eq!(seconds(1_500_000_000), "1.5\n");
        assert_eq!(seconds(10_000_000), "0.01\n");
    }
}
