//! `/series`, `/labels` and `/label/NAME/values`.

use std::collections::BTreeSet;
use std::collections::btree_set::IntoIter;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use vigie_promql::Labels;
use vigie_promql::storage::Selection;
use vigie_promql::syntax::tree_bytes;

use crate::api::Api;
use crate::error::{self, ApiError, Kind};
use crate::gate::Running;
use crate::json::{self, Remarks};
use crate::params::Params;
use crate::selectors::{self, Selector};
use crate::sending::{self, PIECE, Pieces};

/// The memory that one request may take for what it finds, in bytes.
pub(crate) const MEMORY: usize = 4 << 20;
/// Bytes charged for an item beside its text.
const ITEM: usize = 64;

pub(crate) async fn series(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad_data("no match[] parameter provided"));
    }
    let most = api.settings().limits.series;
    let list = List {
        bad_selector: |reason| ApiError::parameter("match[]", reason),
        write: json::labels,
    };
    let found = move |found: &mut Found<Labels>, labels: &Labels| {
        // The labels are shared with the source.
        found.add(labels, ITEM, Labels::clone);
        found.items.len() > most
    };
    let too_many = move || format!("more than {most} series match: select fewer");
    answer(&api, &params, list, found, too_many).await
}

pub(crate) async fn names(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let found = |found: &mut Found<String>, labels: &Labels| {
        for (name, _) in labels.iter() {
            found.add(name, ITEM + name.len(), str::to_owned);
        }
        false
    };
    answer(&api, &params, TEXTS, found, String::new).await
}

pub(crate) async fn values(
    State(api): State<Api>,
    name: Result<Path<String>, PathRejection>,
    params: Params,
) -> Result<Response, ApiError> {
    let not_utf8 = |_| ApiError::bad_data("invalid label name: it is not valid UTF-8");
    let Path(name) = name.map_err(not_utf8)?;
    let name = match name.strip_prefix("U__") {
        Some(escaped) => unescape(escaped).unwrap_or(name),
        None => name,
    };
    if name.is_empty() {
        return Err(ApiError::bad_data("invalid label name: \"\""));
    }
    let found = move |found: &mut Found<String>, labels: &Labels| {
        let value = labels.get(&name);
        if !value.is_empty() {
            found.add(value, ITEM + value.len(), str::to_owned);
        }
        false
    };
    answer(&api, &params, TEXTS, found, String::new).await
}

/// How a list is asked for and written.
struct List<T> {
    bad_selector: fn(String) -> ApiError,
    write: fn(&mut Vec<u8>, &T),
}

const TEXTS: List<String> = List {
    bad_selector: |reason| ApiError::bad_data(reason),
    write: |out, text| json::string(out, text),
};

/// The items found, without duplicates.
struct Found<T> {
    items: BTreeSet<T>,
    bytes: usize,
}

impl<T: Ord> Found<T> {
    fn add<Q: Ord + ?Sized>(&mut self, item: &Q, bytes: usize, own: impl FnOnce(&Q) -> T)
    where
        T: std::borrow::Borrow<Q>,
    {
        if !self.items.contains(item) {
            self.items.insert(own(item));
            self.bytes += bytes;
        }
    }
}

/// Answers with what `find` takes from each series that is asked about. It returns whether that is too many.
async fn answer<T: Ord + Send + 'static>(
    api: &Api,
    params: &Params,
    list: List<T>,
    find: impl Fn(&mut Found<T>, &Labels) -> bool + Send + 'static,
    too_many: impl FnOnce() -> String + Send + 'static,
) -> Result<Response, ApiError> {
    let limit = params.limit()?.unwrap_or(usize::MAX);
    let (start, end) = params.range()?;
    let texts = selectors::texts(params).map_err(list.bad_selector)?;
    let source = Arc::clone(api.source());
    let memory = MEMORY.min(api.settings().limits.bytes);
    let trees: usize = texts.iter().map(|text| tree_bytes(text)).sum();
    if trees > memory {
        let most = error::size(memory);
        let message = format!("the selectors would take more than {most}: ask for fewer");
        return Err(ApiError::new(Kind::Execution, message));
    }
    let work = move |running: &Running| {
        let selectors = selectors::parse_narrow(&texts).map_err(list.bad_selector)?;
        let mut found = Found {
            items: BTreeSet::new(),
            bytes: trees,
        };
        let mut refused = None;
        for matchers in each_or_all(&selectors) {
            let selection = Selection {
                matchers,
                start,
                end,
            };
            let each = &mut |labels: &Labels| {
                if running.abandoned() {
                    refused = Some(Refused::Abandoned);
                } else if find(&mut found, labels) {
                    refused = Some(Refused::Count);
                } else if found.bytes > memory {
                    refused = Some(Refused::Memory);
                }
                match refused {
                    Some(_) => ControlFlow::Break(()),
                    None => ControlFlow::Continue(()),
                }
            };
            let read = source.series(&selection, each);
            read.map_err(|error| ApiError::storage(&error))?;
            if refused.is_some() {
                break;
            }
        }
        match refused {
            None => Ok(Listing::new(found.items, limit, list.write)),
            Some(Refused::Abandoned) => Err(ApiError::too_slow()),
            Some(Refused::Count) => Err(ApiError::new(Kind::Execution, too_many())),
            Some(Refused::Memory) => {
                let most = error::size(memory);
                let message = format!("the answer would take more than {most}: ask for fewer");
                Err(ApiError::new(Kind::Execution, message))
            }
        }
    };
    let timeout = api.settings().timeout;
    let (listing, permit) = api.lookup_gate().run(timeout, work).await?;
    Ok(sending::response(listing, Some(permit), timeout))
}

/// Why a request is not answered.
enum Refused {
    Abandoned,
    Count,
    Memory,
}

/// The matchers of each `match[]`, or none once, which select everything.
fn each_or_all(selectors: &[Selector]) -> impl Iterator<Item = &[vigie_promql::Matcher]> {
    let all = selectors.is_empty().then_some([].as_slice());
    selectors.iter().map(Vec::as_slice).chain(all)
}

/// A list that is being written.
struct Listing<T> {
    out: Vec<u8>,
    items: std::iter::Take<IntoIter<T>>,
    write: fn(&mut Vec<u8>, &T),
    /// The end of the response; empty once it is written.
    tail: Vec<u8>,
    first: bool,
}

impl<T> Listing<T> {
    fn new(items: BTreeSet<T>, limit: usize, write: fn(&mut Vec<u8>, &T)) -> Self {
        let mut remarks = Remarks::default();
        if items.len() > limit {
            remarks.truncated();
        }
        let mut tail = vec![b']'];
        remarks.end(&mut tail);
        let mut out = json::HEAD.to_vec();
        out.push(b'[');
        let mut listing = Self {
            out,
            items: items.into_iter().take(limit),
            write,
            tail,
            first: true,
        };
        listing.write_piece();
        listing
    }

    fn write_piece(&mut self) {
        while self.out.len() < PIECE && !self.tail.is_empty() {
            let Some(item) = self.items.next() else {
                self.out.append(&mut self.tail);
                return;
            };
            if !std::mem::take(&mut self.first) {
                self.out.push(b',');
            }
            (self.write)(&mut self.out, &item);
        }
    }
}

impl<T: Send + 'static> Pieces for Listing<T> {
    fn next_piece(&mut self) -> Vec<u8> {
        let piece = std::mem::take(&mut self.out);
        self.write_piece();
        piece
    }

    fn is_written(&self) -> bool {
        self.tail.is_empty()
    }
}

/// Decodes a name in the "values" escaping of OpenMetrics names, which uses only letters, digits and `_`: `__` is
/// `_`, `_2e_` is the character with that code.
fn unescape(escaped: &str) -> Option<String> {
    let mut name = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = rest.find('_') {
        name.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (code, after) = rest.split_once('_')?;
        if code.is_empty() {
            name.push('_');
        } else if code.len() <= 6 {
            name.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        } else {
            return None;
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escaped_names() {
        for (escaped, name) in [
            ("http_2e_status", Some("http.status")),
            ("a__b", Some("a_b")),
            ("_1f980_", Some("🦀")),
            ("plain", Some("plain")),
            ("", Some("")),
            ("a_b", None),
            ("a_zz_", None),
            ("a_d800_", None),
            ("a_00000000e9_", None),
        ] {
            assert_eq!(unescape(escaped).as_deref(), name, "{escaped}");
        }
    }
}
