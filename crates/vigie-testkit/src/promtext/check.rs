//! Checks beyond the grammar.

use super::lex::number;
use super::{Family, Format, Kind, Sample};

/// A sample in its family: the suffix of the name, the reserved labels of its type, its value.
pub(super) fn sample(
    family: &str,
    kind: Kind,
    format: Format,
    sample: &Sample,
) -> Result<(), String> {
    let name = &sample.name;
    let Some(suffix) = name.strip_prefix(family) else {
        return Err(format!("{name} in the block of {family}"));
    };
    let open_metrics = format == Format::OpenMetrics;
    let fits = match (kind, suffix) {
        (Kind::Counter, "_total") => open_metrics,
        (Kind::Counter, "") => !open_metrics,
        (Kind::Gauge | Kind::Unknown | Kind::StateSet | Kind::Summary, "") => true,
        (Kind::Info, "_info") => true,
        (Kind::Histogram, "_bucket" | "_sum" | "_count") => true,
        (Kind::GaugeHistogram, "_bucket" | "_gsum" | "_gcount") => true,
        (Kind::Summary, "_sum" | "_count") => true,
        (Kind::Counter | Kind::Histogram | Kind::Summary, "_created") => open_metrics,
        _ => false,
    };
    if !fits {
        return Err(format!("{name} does not suit {family}, a {kind:?}"));
    }
    let histogram = matches!(kind, Kind::Histogram | Kind::GaugeHistogram);
    let reserved = [
        ("le", histogram, suffix == "_bucket"),
        ("quantile", kind == Kind::Summary, suffix.is_empty()),
    ];
    for (label, applies, needed) in reserved {
        if applies && needed != sample.label(label).is_some() {
            let verb = if needed { "lacks" } else { "may not have" };
            return Err(format!("{name} {verb} the label {label}"));
        }
    }
    let grows = kind == Kind::Counter || kind == Kind::Histogram && suffix != "_sum";
    let value = sample.value;
    if grows && (value.is_nan() || value < 0.0) {
        return Err(format!("{name} is {value}, which cannot be a count"));
    }
    if suffix == "_count" && value.fract() != 0.0 {
        return Err(format!("{name} is {value}, which is no whole number"));
    }
    Ok(())
}

/// A whole family.
pub(super) fn family(family: &Family, format: Format) -> Result<(), String> {
    let grouped = matches!(
        family.kind,
        Kind::Histogram | Kind::GaugeHistogram | Kind::Summary
    );
    if !grouped {
        return Ok(());
    }
    // In order of appearance.
    let mut groups: Vec<(Labels<'_>, Vec<&Sample>)> = Vec::new();
    for sample in &family.samples {
        let labels = without(sample, &["le", "quantile"]);
        match groups.last_mut() {
            Some((last, members)) if *last == labels => members.push(sample),
            _ => match groups.iter_mut().find(|(known, _)| *known == labels) {
                Some(_) if format == Format::OpenMetrics => {
                    return Err(format!(
                        "{}: the samples of {labels:?} are mixed with others",
                        family.name
                    ));
                }
                Some((_, members)) => members.push(sample),
                None => groups.push((labels, vec![sample])),
            },
        }
    }
    for (labels, members) in &groups {
        let checked = match family.kind {
            Kind::Summary => summary(&family.name, members),
            _ => histogram(family, members),
        };
        checked.map_err(|reason| format!("{} {labels:?}: {reason}", family.name))?;
    }
    Ok(())
}

type Labels<'a> = Vec<(&'a str, &'a str)>;

fn without<'a>(sample: &'a Sample, reserved: &[&str]) -> Labels<'a> {
    let labels = sample.labels.iter();
    let mut kept: Labels<'a> = labels
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, value)| !reserved.contains(name) && !value.is_empty())
        .collect();
    kept.sort_unstable();
    kept
}

fn histogram(family: &Family, members: &[&Sample]) -> Result<(), String> {
    let name = &family.name;
    let (count, sum) = match family.kind {
        Kind::GaugeHistogram => ("_gcount", "_gsum"),
        _ => ("_count", "_sum"),
    };
    let of = |suffix: &str| {
        let whole = format!("{name}{suffix}");
        members.iter().find(|sample| sample.name == whole)
    };
    let bucket = format!("{name}_bucket");
    let mut last: Option<(f64, f64)> = None;
    for sample in members.iter().filter(|sample| sample.name == bucket) {
        let text = sample.label("le").unwrap_or_default();
        let bound = number(text).filter(|bound| !bound.is_nan());
        let bound = bound.ok_or_else(|| format!("le={text:?} is no bound"))?;
        if let Some((lower, below)) = last {
            if bound <= lower {
                return Err(format!("le={text:?} does not ascend"));
            }
            if sample.value.is_nan() || sample.value < below {
                return Err(format!(
                    "the bucket le={text:?} holds less than the one before"
                ));
            }
        }
        last = Some((bound, sample.value));
    }
    let Some((f64::INFINITY, total)) = last else {
        return Err("no +Inf bucket at the end".into());
    };
    let Some(count) = of(count) else {
        return Err(format!("no {name}{count}"));
    };
    if count.value != total {
        return Err(format!(
            "{} is {}, the +Inf bucket {total}",
            count.name, count.value
        ));
    }
    of(sum).map(drop).ok_or_else(|| format!("no {name}{sum}"))
}

fn summary(name: &str, members: &[&Sample]) -> Result<(), String> {
    for sample in members.iter().filter(|sample| sample.name == *name) {
        let text = sample.label("quantile").unwrap_or_default();
        if !number(text).is_some_and(|quantile| (0.0..=1.0).contains(&quantile)) {
            return Err(format!("quantile={text:?} is not between 0 and 1"));
        }
    }
    for suffix in ["_sum", "_count"] {
        let whole = format!("{name}{suffix}");
        if !members.iter().any(|sample| sample.name == whole) {
            return Err(format!("no {whole}"));
        }
    }
    Ok(())
}
