//! The parameters of a request, from its URL and its form.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use http::Method;
use http::header::CONTENT_TYPE;
use url::form_urlencoded;

use crate::api::Api;
use crate::error::{ApiError, Kind};
use crate::{multipart, time};

/// A client has this long to send its form.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// The parameters, those of the form before those of the URL.
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// The first value of a parameter; an empty one counts as missing.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The value of a parameter, parsed by `read`.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ApiError> {
        let value = self.get(name).map(read).transpose();
        value.map_err(|reason| ApiError::parameter(name, reason))
    }

    /// An optional time.
    pub(crate) fn time(&self, name: &str, default: i64) -> Result<i64, ApiError> {
        let read = |text: &str| {
            let time = time::time(text);
            time.map_err(|reason| format!("invalid time value for '{name}': {reason}"))
        };
        Ok(self.read(name, read)?.unwrap_or(default))
    }

    /// A required time.
    pub(crate) fn required_time(&self, name: &str) -> Result<i64, ApiError> {
        let text = self.get(name).unwrap_or_default();
        time::time(text).map_err(|reason| ApiError::parameter(name, reason))
    }

    /// The range from `start` to `end`, unbounded by default.
    pub(crate) fn range(&self) -> Result<(i64, i64), ApiError> {
        Ok((self.time("start", time::MIN)?, self.time("end", time::MAX)?))
    }

    /// The maximum number of items requested.
    pub(crate) fn limit(&self) -> Result<Option<usize>, ApiError> {
        let limit = self.read("limit", |text| match text.parse::<i64>() {
            Ok(limit) if limit < 0 => Err("limit must be non-negative".to_owned()),
            Ok(limit) => Ok(usize::try_from(limit).unwrap_or(usize::MAX)),
            Err(_) => Err(format!("{text:?} is not a whole number")),
        })?;
        Ok(limit.filter(|limit| *limit > 0))
    }

    fn add(&mut self, encoded: &[u8]) {
        self.0.extend(form_urlencoded::parse(encoded).into_owned());
    }
}

impl FromRequest<Api> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        let mut params = Self(Vec::new());
        let (head, body) = request.into_parts();
        let content_type = head.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let encoding = content_type.and_then(Encoding::of);
        if head.method == Method::POST
            && let Some(encoding) = encoding
        {
            let largest = api.settings().form_bytes();
            let body = tokio::time::timeout(FORM_TIMEOUT, to_bytes(body, largest)).await;
            let too_late = |_| ApiError::new(Kind::Timeout, "the form did not arrive in time");
            let too_large = |_| {
                let message = format!("the form is cut short or longer than {largest} bytes");
                ApiError::new(Kind::TooLarge, message)
            };
            let body = body.map_err(too_late)?.map_err(too_large)?;
            match encoding {
                Encoding::Url => params.add(&body),
                Encoding::Multipart(boundary) => {
                    params.0.extend(multipart::fields(&body, boundary))
                }
            }
        }
        params.add(head.uri.query().unwrap_or_default().as_bytes());
        Ok(params)
    }
}

/// The encoding of a form.
enum Encoding<'a> {
    Url,
    /// Parts with this boundary.
    Multipart(&'a str),
}

impl<'a> Encoding<'a> {
    /// Other media types have no parameters, as in Prometheus.
    fn of(content_type: &'a str) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        match kind.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Some(Self::Url),
            "multipart/form-data" => {
                multipart::parameter(parameters, "boundary").map(Self::Multipart)
            }
            _ => None,
        }
    }
}
