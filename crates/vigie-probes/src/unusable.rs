//! A check whose settings cannot be used.

use std::sync::Arc;
use std::time::Duration;

use crate::check::{BoxFuture, Check, Outcome};
use crate::failure::{Failure, FailureKind};

const ADVICE: &str = "run `vigie check` to see the setting; it is read again at the next start";
const RETRY_ADVICE: &str =
    "run `vigie check` to see the setting; the file is read again at each run";

/// Builds the check, or returns the reason why that is impossible; it may block.
type Build = Arc<dyn Fn() -> Result<Box<dyn Check>, String> + Send + Sync>;

/// Fails on each run with a reason, so that a wrong setting is reported like any other failure and does not prevent
/// the start. With [`Unusable::retry`] it becomes the configured check as soon as that can be built.
pub struct Unusable {
    name: String,
    failure: Failure,
    build: Option<Build>,
    built: Option<Box<dyn Check>>,
}

impl Unusable {
    /// A check of this name that fails for this reason.
    pub fn new(name: impl Into<String>, reason: &str) -> Self {
        Self {
            name: name.into(),
            failure: Failure::new(FailureKind::Other, reason).advise(Some(ADVICE)),
            build: None,
            built: None,
        }
    }

    /// Tries to build the check on each run. The reason must contain no secret.
    #[must_use]
    pub fn retry(
        mut self,
        build: impl Fn() -> Result<Box<dyn Check>, String> + Send + Sync + 'static,
    ) -> Self {
        self.build = Some(Arc::new(build));
        self
    }

    async fn try_to_build(&mut self) {
        let Some(build) = self.build.clone() else {
            return;
        };
        match tokio::task::spawn_blocking(move || build()).await {
            Ok(Ok(check)) => self.built = Some(check),
            Ok(Err(reason)) => {
                self.failure = Failure::new(FailureKind::Other, reason).advise(Some(RETRY_ADVICE));
            }
            // The program is shutting down.
            Err(_) => {}
        }
    }
}

impl Check for Unusable {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> String {
        match &self.built {
            Some(check) => check.target(),
            None => self.name.clone(),
        }
    }

    fn run(&mut self, deadline: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            if self.built.is_none() {
                self.try_to_build().await;
            }
            match &mut self.built {
                Some(check) => check.run(deadline).await,
                None => Err(self.failure.clone()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn becomes_the_configured_check() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        let mut check = Unusable::new("database", "nothing yet").retry(move || {
            match std::fs::read_to_string(&path) {
                Ok(text) if !text.is_empty() => Ok(Box::new(Unusable::new("other", &text))),
                _ => Err("the file is empty".into()),
            }
        });
        let run = async |check: &mut Unusable| {
            let outcome = check.run(Duration::from_secs(1)).await;
            outcome.unwrap_err().text().to_owned()
        };
        assert_eq!(run(&mut check).await, "the file is empty");
        std::fs::write(file.path(), "from the file").unwrap();
        assert_eq!(run(&mut check).await, "from the file");
        assert_eq!((check.name(), &*check.target()), ("database", "other"));
    }
}
