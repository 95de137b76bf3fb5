//! `match[]`: selectors of series.

use vigie_promql::{Expr, Matcher};

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
    texts.iter().map(|text| selector(text)).collect()
}

fn selector(text: &str) -> Result<Selector, String> {
    let expr = vigie_promql::parse(text).map_err(|error| error.to_string())?;
    match expr {
        Expr::Selector(selector) if selector.shift == Default::default() => {
            Ok(selector.all_matchers().collect())
        }
        expr => {
            let (line, column) = expr.span().position(text);
            Err(format!(
                "{line}:{column}: expected the name of a metric or a selector alone, like up{{job=\"api\"}}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::selector;

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
            "{}",
            "{a=~\".*\"}",
            "up{",
        ] {
            let error = selector(refused).unwrap_err();
            assert!(error.starts_with("1:"), "{refused}: {error}");
        }
    }
}
