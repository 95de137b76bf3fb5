//! Pages of groups: `group_limit` and `group_next_token`.

use sha1::{Digest as _, Sha1};

use super::{Rule, RuleGroup};
use crate::error::ApiError;
use crate::params::Params;

/// A group with those of its rules that are asked for.
type Selected<'a> = (&'a RuleGroup, Vec<&'a Rule>);

/// A part of the groups.
pub(super) struct Page<'a> {
    pub(super) groups: Vec<Selected<'a>>,
    /// The token of the next page.
    pub(super) next: Option<String>,
}

/// The groups that the request asks for.
pub(super) fn cut<'a>(
    mut groups: Vec<Selected<'a>>,
    params: &Params,
) -> Result<Page<'a>, ApiError> {
    let limit = params.read("group_limit", |text| match text.parse::<i64>() {
        Ok(limit) if limit > 0 => Ok(usize::try_from(limit).unwrap_or(usize::MAX)),
        Ok(limit) => Err(format!(
            "group_limit needs to be greater than 0, found {limit}"
        )),
        Err(_) => Err(format!("{text:?} is not a whole number")),
    })?;
    let token = params.get("group_next_token");
    if let Some(token) = token {
        if limit.is_none() {
            let reason = "group_limit needs to be present in order to paginate over the groups";
            return Err(ApiError::parameter("group_limit", reason));
        }
        let Some(at) = groups
            .iter()
            .position(|(group, _)| token_of(group) == token)
        else {
            let reason = format!("invalid group_next_token {token:?}. were rule groups changed?");
            return Err(ApiError::parameter("group_next_token", reason));
        };
        groups.drain(..at);
    }
    let limit = limit.unwrap_or(usize::MAX);
    let next = groups.get(limit).map(|(group, _)| token_of(group));
    groups.truncate(limit);
    Ok(Page { groups, next })
}

/// The token of the page that begins with this group, computed as in Prometheus.
fn token_of(group: &RuleGroup) -> String {
    let name = format!("{};{}", group.file, group.name);
    let hash = Sha1::digest(name);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
