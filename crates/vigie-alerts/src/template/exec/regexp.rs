//! The functions with regular expressions, which are compiled once in a run.

use std::collections::HashMap;
use std::sync::Arc;

use vigie_promql::Search;

use super::super::function::Function;
use super::budget::Budget;
use super::value::Value;

/// How many expressions are kept.
const MAX_KEPT: usize = 32;

/// The expressions of a run.
#[derive(Default)]
pub(super) struct Regexps(HashMap<Arc<str>, Arc<Search>>);

impl Regexps {
    /// Calls a function; `None` if it is another one.
    pub(super) fn call(
        &mut self,
        function: Function,
        values: &[Value],
        budget: &mut Budget,
    ) -> Option<Result<Value, String>> {
        match (function, values) {
            (Function::Match, [Value::Text(pattern), Value::Text(text)]) => {
                Some(self.is_match(pattern, text, budget))
            }
            (
                Function::ReReplaceAll,
                [Value::Text(pattern), Value::Text(with), Value::Text(text)],
            ) => Some(self.replace_all(pattern, with, text, budget)),
            _ => None,
        }
    }

    /// `regexp.MatchString`.
    fn is_match(
        &mut self,
        pattern: &Arc<str>,
        text: &str,
        budget: &mut Budget,
    ) -> Result<Value, String> {
        let search = self.find(pattern, text, budget)?;
        Ok(Value::Bool(search.is_match(text)))
    }

    /// `regexp.MustCompile` and `ReplaceAllString`.
    fn replace_all(
        &mut self,
        pattern: &Arc<str>,
        with: &str,
        text: &str,
        budget: &mut Budget,
    ) -> Result<Value, String> {
        let search = self.find(pattern, text, budget);
        let search = search.map_err(|error| format!("regexp: Compile(`{pattern}`): {error}"))?;
        let most = budget.limits.bytes;
        match search.replace_all(text, with, most) {
            Some(replaced) => Ok(Value::text(replaced)),
            None => Err(format!("the text exceeds {most} bytes")),
        }
    }

    /// The compiled expression, with the steps counted that compiling it and searching `text` take.
    fn find(
        &mut self,
        pattern: &Arc<str>,
        text: &str,
        budget: &mut Budget,
    ) -> Result<Arc<Search>, String> {
        let search = match self.0.get(pattern) {
            Some(search) => Arc::clone(search),
            None => {
                let search = Search::new(pattern);
                let search = search.map_err(|error| format!("error parsing regexp: {error}"))?;
                let search = Arc::new(search);
                budget.steps(search.bytes() / 256)?;
                if self.0.len() < MAX_KEPT {
                    self.0.insert(Arc::clone(pattern), Arc::clone(&search));
                }
                search
            }
        };
        let states = 1 + search.bytes() / (16 << 10);
        budget.steps((text.len() / 64).saturating_mul(states))?;
        Ok(search)
    }
}
