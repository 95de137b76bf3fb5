//! An address that cannot be used yet, such as one in a file that does not exist yet.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::endpoint::Endpoint;
use crate::error::Error;

type Read = Arc<dyn Fn() -> Result<Endpoint, String> + Send + Sync>;

/// Reads an address at each attempt until one is found, which then stays. Clones share it.
#[derive(Clone)]
pub(super) struct Late {
    shown: String,
    read: Read,
    found: Arc<OnceLock<Endpoint>>,
}

impl Late {
    pub(super) fn new(
        shown: String,
        read: impl Fn() -> Result<Endpoint, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            shown,
            read: Arc::new(read),
            found: Arc::default(),
        }
    }

    pub(super) fn found(&self) -> Option<&Endpoint> {
        self.found.get()
    }

    pub(super) async fn find(&self) -> Result<&Endpoint, Error> {
        if let Some(found) = self.found() {
            return Ok(found);
        }
        let read = Arc::clone(&self.read);
        let reading = tokio::task::spawn_blocking(move || read());
        let stopping = |_| Error::Address("the program is shutting down".into());
        let found = reading.await.map_err(stopping)?.map_err(Error::Address)?;
        Ok(self.found.get_or_init(|| found))
    }

    /// The same, with a change of the address that will be found.
    pub(super) fn changed(
        self,
        change: impl Fn(Endpoint) -> Endpoint + Send + Sync + 'static,
    ) -> Self {
        let Self { shown, read, found } = self;
        Self::new(shown, move || match found.get() {
            Some(found) => Ok(change(found.clone())),
            None => read().map(&change),
        })
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found() {
            Some(found) => found.fmt(f),
            None => f.write_str(&self.shown),
        }
    }
}
