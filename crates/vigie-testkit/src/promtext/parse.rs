//! Builds families from lines.

use std::collections::{HashMap, HashSet};

use super::lex::{Line, unescape};
use super::{Exemplar, Family, Format, Kind, ParseError, Sample, check};

/// The maximum length of an exemplar's label set, in characters.
const EXEMPLAR: usize = 128;

pub(super) fn page(page: &str, format: Format) -> Result<Vec<Family>, ParseError> {
    let mut reader = Reader {
        format,
        families: Vec::new(),
        open: None,
        owners: HashMap::new(),
        series: HashSet::new(),
    };
    let mut number = 0;
    let mut ended = false;
    let mut rest = page;
    let failed = |line, reason: String| ParseError { line, reason };
    while !rest.is_empty() {
        number += 1;
        let (line, after) = match rest.split_once('\n') {
            Some(parts) => parts,
            None if rest == "# EOF" && format == Format::OpenMetrics => (rest, ""),
            None => return Err(failed(number, "the last line does not end".into())),
        };
        rest = after;
        if ended {
            return Err(failed(number, "something follows # EOF".into()));
        }
        ended = format == Format::OpenMetrics && line == "# EOF";
        if !ended {
            reader.line(line).map_err(|reason| failed(number, reason))?;
        }
    }
    if format == Format::OpenMetrics && !ended {
        return Err(failed(number, "no # EOF at the end".into()));
    }
    reader.close().map_err(|reason| failed(number, reason))?;
    Ok(reader.families)
}

/// The family that is being read.
struct Open {
    name: String,
    kind: Option<Kind>,
    help: Option<String>,
    unit: Option<String>,
    samples: Vec<Sample>,
}

struct Reader {
    format: Format,
    families: Vec<Family>,
    open: Option<Open>,
    /// The family of each sample name: `a_count` must be unambiguous.
    owners: HashMap<String, String>,
    series: HashSet<(String, Vec<(String, String)>)>,
}

impl Reader {
    fn line(&mut self, text: &str) -> Result<(), String> {
        let mut line = Line::new(text, self.format);
        line.skip_blanks();
        if line.is_empty() {
            return match self.format {
                Format::Text => Ok(()),
                Format::OpenMetrics => Err("an empty line".into()),
            };
        }
        if line.take("#") {
            return self.descriptor(line);
        }
        self.sample(line)
    }

    fn descriptor(&mut self, mut line: Line<'_>) -> Result<(), String> {
        if self.format == Format::OpenMetrics {
            line.gap()?;
        }
        line.skip_blanks();
        let keyword = line.word().unwrap_or_default();
        let known = matches!(keyword, "HELP" | "TYPE")
            || keyword == "UNIT" && self.format == Format::OpenMetrics;
        if !known {
            return match self.format {
                Format::Text => Ok(()), // a comment
                Format::OpenMetrics => Err(format!("no such descriptor: {keyword}")),
            };
        }
        line.gap()?;
        let name = line.metric_name()?;
        if self.open.as_ref().is_none_or(|open| open.name != name) {
            self.close()?;
            if self.families.iter().any(|family| family.name == name) {
                return Err(format!("{name} has a block already"));
            }
            self.open = Some(Open {
                name: name.to_owned(),
                kind: None,
                help: None,
                unit: None,
                samples: Vec::new(),
            });
        }
        let format = self.format;
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        if !open.samples.is_empty() {
            return Err(format!("{keyword} after samples of {name}"));
        }
        let again = match keyword {
            "HELP" => {
                // HELP may be empty; the text format then requires no blank after the name.
                if !line.is_empty() || format == Format::OpenMetrics {
                    line.gap()?;
                }
                let help = unescape(line.rest(), format == Format::OpenMetrics)?;
                open.help.replace(help).is_some()
            }
            "UNIT" => {
                line.gap()?;
                let unit = line.rest();
                if !unit.is_empty() && !name.ends_with(&format!("_{unit}")) {
                    return Err(format!("{name} does not end in its unit {unit:?}"));
                }
                open.unit.replace(unit.to_owned()).is_some()
            }
            _ => {
                line.gap()?;
                let word = line.word()?;
                line.skip_blanks();
                if !line.is_empty() {
                    return Err(format!("something follows the type: {:?}", line.rest()));
                }
                let kind = kind(word, format).ok_or_else(|| format!("no such type: {word}"))?;
                open.kind.replace(kind).is_some()
            }
        };
        if again {
            return Err(format!("a second {keyword} of {name}"));
        }
        Ok(())
    }

    fn sample(&mut self, mut line: Line<'_>) -> Result<(), String> {
        let name = line.metric_name()?.to_owned();
        let mut labels = Vec::new();
        let mut braces = line.clone();
        braces.skip_blanks();
        let braced = braces.starts_with('{');
        if braced {
            labels = braces.labels()?;
            line = braces;
        }
        // The text format requires no blank after a brace.
        match self.format {
            Format::Text if braced => line.skip_blanks(),
            _ => line.gap()?,
        }
        let value = line.number()?;
        let timestamp = self.timestamp(&mut line)?;
        let exemplar = self.exemplar(&mut line, &name)?;
        line.skip_blanks();
        if !line.is_empty() {
            return Err(format!("something follows the sample: {:?}", line.rest()));
        }
        let mut identity: Vec<(String, String)> = labels.clone();
        // An empty label is equivalent to a missing one.
        identity.retain(|(_, value)| !value.is_empty());
        identity.sort();
        if !self.series.insert((name.clone(), identity)) {
            return Err(format!("the series {name} {labels:?} comes twice"));
        }
        let sample = Sample {
            name,
            labels,
            value,
            timestamp,
            exemplar,
        };
        let Some(open) = &mut self.open else {
            return Err(format!("{} has neither HELP nor TYPE", sample.name));
        };
        let Some(kind) = open.kind else {
            return Err(format!("{} has no TYPE", open.name));
        };
        if open.help.is_none() {
            return Err(format!("{} has no HELP", open.name));
        }
        check::sample(&open.name, kind, self.format, &sample)?;
        let owner = self.owners.entry(sample.name.clone());
        let owner = owner.or_insert_with(|| open.name.clone());
        if *owner != open.name {
            return Err(format!("{} is also of the family {owner}", sample.name));
        }
        open.samples.push(sample);
        Ok(())
    }

    fn timestamp(&self, line: &mut Line<'_>) -> Result<Option<f64>, String> {
        let mut ahead = line.clone();
        if ahead.gap().is_err() || ahead.is_empty() || ahead.take("#") {
            return Ok(None);
        }
        line.gap()?;
        let time = line.number()?;
        let whole = self.format == Format::OpenMetrics || time.fract() == 0.0;
        if !time.is_finite() || !whole {
            return Err(format!("not a timestamp: {time}"));
        }
        Ok(Some(time))
    }

    fn exemplar(&self, line: &mut Line<'_>, name: &str) -> Result<Option<Exemplar>, String> {
        if self.format == Format::Text || line.is_empty() {
            return Ok(None);
        }
        line.gap()?;
        if !line.take("#") {
            return Err(format!(
                "neither a timestamp nor an exemplar: {:?}",
                line.rest()
            ));
        }
        line.gap()?;
        if !(name.ends_with("_bucket") || name.ends_with("_total")) {
            return Err(format!("{name} may have no exemplar"));
        }
        let labels = line.labels()?;
        let chars = |(name, value): &(String, String)| name.chars().count() + value.chars().count();
        if labels.iter().map(chars).sum::<usize>() > EXEMPLAR {
            return Err("the exemplar is too long".into());
        }
        line.gap()?;
        let value = line.number()?;
        self.timestamp(line)?;
        Ok(Some(Exemplar { labels, value }))
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let (Some(kind), Some(help)) = (open.kind, open.help) else {
            return Err(format!("{} has not both HELP and TYPE", open.name));
        };
        let family = Family {
            name: open.name,
            kind,
            help,
            unit: open.unit,
            samples: open.samples,
        };
        check::family(&family, self.format)?;
        self.families.push(family);
        Ok(())
    }
}

fn kind(word: &str, format: Format) -> Option<Kind> {
    let open_metrics = format == Format::OpenMetrics;
    Some(match word {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        "summary" => Kind::Summary,
        "untyped" if !open_metrics => Kind::Unknown,
        "unknown" if open_metrics => Kind::Unknown,
        "gaugehistogram" if open_metrics => Kind::GaugeHistogram,
        "info" if open_metrics => Kind::Info,
        "stateset" if open_metrics => Kind::StateSet,
        _ => return None,
    })
}
