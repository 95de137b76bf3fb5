//! `match[]`: selectors of series.

use vigie_promql::{Matcher, syntax::MAX_REGEX_BYTES};

use crate::params::Params;

/// The maximum number of `match[]` of a request.
const MOST: usize = 100;

/// The matchers of one `match[]`.
pub(crate) type Selector = Vec<Matcher>;

/// The texts of all `match[]`.
pub(crate) fn texts(params: &Params) -> Result<Vec<String>, String> {
    let texts: Vec<String> = params.all("match[]").map(str::to_owned).collect();
    match texts.len() > MOST {
        true => Err(format!(
            "there are {}, at most {MOST} are accepted",
            texts.len()
        )),
        false => Ok(texts),
    }
}

/// Parses all of them. Compiling a regular expression takes time: do not call this on a serving thread.
pub(crate) fn parse(texts: &[String]) -> Result<Vec<Selector>, String> {
    let mut regex_bytes = 0;
    let mut selectors = Vec::new();
    for text in texts {
        let selector = selector(text)?;
        regex_bytes += selector.iter().map(Matcher::regex_bytes).sum::<usize>();
        if regex_bytes > MAX_REGEX_BYTES {
            let most = MAX_REGEX_BYTES >> 20;
            return Err(format!(
                "the regular expressions together compile to more than {most} MiB"
            ));
        }
        selectors.push(selector);
    }
    Ok(selectors)
}

/// Like [`parse`], for requests that must not select every series.
pub(crate) fn parse_narrow(texts: &[String]) -> Result<Vec<Selector>, String> {
    let selectors = parse(texts)?;
    let is_narrow = |selector: &Selector| selector.iter().any(|matcher| !matcher.matches(""));
    match selectors.iter().all(is_narrow) {
        true => Ok(selectors),
        false => Err("match[] must contain at least one non-empty matcher".to_owned()),
    }
}

fn selector(text: &str) -> Result<Selector, String> {
    let selector = vigie_promql::parse_selector(text).map_err(|error| error.to_string())?;
    Ok(selector.all_matchers().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{parse, parse_narrow, selector};

    #[test]
    fn only_selectors() {
        assert_eq!(selector("up").unwrap().len(), 1);
        assert_eq!(selector(r#"up{job="api",code=~"5.."}"#).unwrap().len(), 3);
        assert_eq!(selector(r#"{"http.requests"}"#).unwrap().len(), 1);
        for refused in [
            "",
            "up[5m]",
            "up offset 5m",
            "up @ 1",
            "sum(up)",
            "(up)",
            "1",
            "up{",
        ] {
            let error = selector(refused).unwrap_err();
            assert!(error.starts_with("1:"), "{refused}: {error}");
        }
    }

    #[test]
    fn some_requests_must_not_select_every_series() {
        for text in ["{}", "{a=~\".*\"}", "{a=\"\",b!=\"x\"}"] {
            let texts = ["up".to_owned(), text.to_owned()];
            assert_eq!(parse(&texts).unwrap().len(), 2, "{text}");
            let error = parse_narrow(&texts).unwrap_err();
            assert!(error.contains("non-empty"), "{text}: {error}");
        }
    }

    #[test]
    fn expressions_have_a_bound_together() {
        let texts: Vec<String> = (0..50)
            .map(|n| format!("{{x{n}=~\"\\\\PL{{70}}\"}}"))
            .collect();
        let error = parse(&texts).unwrap_err();
        assert!(error.contains("together compile"), "{error}");
        assert!(parse(&texts[..1]).is_ok());
    }
}
