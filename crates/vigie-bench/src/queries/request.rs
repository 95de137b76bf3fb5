//! Requests to the HTTP API of Prometheus.

use std::net::SocketAddr;

use url::form_urlencoded;

use super::data;

/// A request. The times are those that no sample has: there the windows of Prometheus 2 and 3 hold the same.
#[derive(Clone, Debug)]
pub(super) struct Request {
    method: &'static str,
    path: String,
    parameters: Vec<(&'static str, String)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Times {
    /// Once, at the end.
    End,
    /// This many times, every so many seconds, up to the end.
    Range { count: i64, step: i64 },
}

impl Request {
    pub(super) fn query(expression: &str, times: Times) -> Self {
        let end = data::END - 8;
        let (path, times) = match times {
            Times::End => ("query", vec![("time", end)]),
            Times::Range { count, step } => {
                let start = end - (count - 1) * step;
                let times = vec![("start", start), ("end", end), ("step", step)];
                ("query_range", times)
            }
        };
        let times = times
            .into_iter()
            .map(|(name, time)| (name, time.to_string()));
        let query = ("query", expression.to_owned());
        Self {
            method: "POST",
            path: format!("/api/v1/{path}"),
            parameters: std::iter::once(query).chain(times).collect(),
        }
    }

    /// The values of a label of a metric in the last hour, as for a variable of a dashboard.
    pub(super) fn label_values(label: &str, metric: &str) -> Self {
        Self {
            method: "GET",
            path: format!("/api/v1/label/{label}/values"),
            parameters: vec![
                ("match[]", metric.to_owned()),
                ("start", (data::END - 3_600).to_string()),
                ("end", data::END.to_string()),
            ],
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.parameters.push((name, value.to_owned()));
        self
    }

    /// The query, or the selector.
    pub(super) fn expression(&self) -> &str {
        self.parameters.first().map_or("", |(_, value)| value)
    }

    pub(super) fn text(&self, addr: SocketAddr) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(&self.parameters);
        let form = form.finish();
        let Self { method, path, .. } = self;
        match *method {
            "GET" => format!("GET {path}?{form} HTTP/1.1\r\nhost: {addr}\r\n\r\n"),
            _ => format!(
                "{method} {path} HTTP/1.1\r\nhost: {addr}\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
                form.len()
            ),
        }
    }
}
