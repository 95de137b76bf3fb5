//! A lease stored as a Lease object.

use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

use super::client::{Answer, Client};
use super::cluster::Cluster;
use super::error::Error;
use super::record::{self, Lease};
use crate::election::TRIES;
use crate::store::{Record as _, Store};

/// The maximum timeout of a request.
const LATEST: Duration = Duration::from_secs(5);

/// Location and duration of the Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The API server and the account used there.
    pub cluster: Cluster,
    /// The namespace of the Lease; `None` is the Pod's own.
    pub namespace: Option<String>,
    /// The name of the Lease.
    pub name: String,
    /// How long the Lease lasts unless it is renewed. It is renewed three times as often. Kubernetes stores whole
    /// seconds, so other candidates wait up to a second longer.
    pub period: Duration,
}

/// The Lease on the API server.
pub(crate) struct Leases {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) name: String,
    period: Duration,
}

impl Leases {
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let namespace = match settings.namespace {
            Some(namespace) => namespace,
            None => settings.cluster.namespace()?,
        };
        let deadline = (settings.period / TRIES).min(LATEST);
        Ok(Self {
            client: Client::new(settings.cluster, deadline),
            namespace,
            name: settings.name,
            period: settings.period,
        })
    }

    /// The Lease, if it exists.
    pub(crate) async fn get(&mut self) -> Result<Option<Lease>, Error> {
        let what = "reading the Lease";
        let path = self.path();
        let answer = self.client.ask(what, Method::GET, &path, None).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => record(what, answer).map(Some),
        }
    }

    /// The created Lease; `None` if it already exists.
    async fn post(&mut self, lease: &Value) -> Result<Option<Lease>, Error> {
        let what = "creating the Lease";
        let path = self.all();
        let answer = self.client.ask(what, Method::POST, &path, Some(lease));
        written(what, answer.await?)
    }

    /// The written Lease; `None` if another candidate changed it first, or it was deleted.
    async fn put(&mut self, lease: &Value) -> Result<Option<Lease>, Error> {
        let what = "writing the Lease";
        let path = self.path();
        let answer = self
            .client
            .ask(what, Method::PUT, &path, Some(lease))
            .await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => written(what, answer),
        }
    }

    fn all(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
    }

    fn path(&self) -> String {
        format!("{}/{}", self.all(), self.name)
    }
}

impl Store for Leases {
    type Record = Lease;
    type Error = Error;

    fn name(&self) -> &str {
        &self.name
    }

    async fn read(&mut self) -> Result<Option<Lease>, Error> {
        self.get().await
    }

    async fn create(&mut self, me: &str) -> Result<Option<Lease>, Error> {
        let lease = record::new(&self.name, me, self.period, Timestamp::now());
        self.post(&lease).await
    }

    async fn replace(&mut self, record: Lease, me: &str) -> Result<Option<Lease>, Error> {
        let lease = record.held_by(me, self.period, Timestamp::now());
        self.put(&lease).await
    }

    async fn release(&mut self, me: &str) -> Result<(), Error> {
        let found = self.get().await?;
        if let Some(mine) = found.filter(|record| record.holder() == me) {
            // A conflict means that another candidate holds it.
            self.put(&mine.released(Timestamp::now())).await?;
        }
        Ok(())
    }
}

fn written(what: &'static str, answer: Answer) -> Result<Option<Lease>, Error> {
    match answer.status {
        StatusCode::CONFLICT => Ok(None),
        _ => record(what, answer).map(Some),
    }
}

fn record(what: &'static str, answer: Answer) -> Result<Lease, Error> {
    Lease::of(answer.object()?).ok_or(Error::Answer { what })
}
