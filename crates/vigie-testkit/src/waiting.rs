//! Conditions that tests wait for.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

/// The deadline of the conditions that tests wait for. It is generous, since the machine may be busy; a test that passes
/// does not wait for it.
pub const SOON: Duration = Duration::from_secs(120);

/// The shortest and the longest time between two checks of [`eventually`].
const PAUSE: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(100)];

/// Repeats the check until it is `Ok`, and returns the value. A check that takes long is repeated less often, so that
/// many tests can wait at once.
///
/// # Panics
/// With the last `Err` on timeout, or if a check does not return by then.
#[track_caller]
pub fn eventually<T, E: Display>(
    within: Duration,
    mut check: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + within;
        let mut last = String::from("never answered");
        loop {
            let begun = Instant::now();
            if begun >= deadline {
                break;
            }
            match timeout_at(deadline, check()).await {
                Ok(Ok(value)) => return value,
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => break,
            }
            let [least, most] = PAUSE;
            sleep((3 * begun.elapsed()).clamp(least, most)).await;
        }
        panic!("{caller}: not within {within:?}: {last}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn eventually_is_patient() {
        let mut asked = 0;
        let answer = eventually(SOON, async || {
            asked += 1;
            if asked == 3 {
                Ok("yes")
            } else {
                Err("not yet")
            }
        });
        assert_eq!(answer.await, "yes");
    }

    #[tokio::test]
    #[should_panic(expected = "the reason")]
    async fn eventually_gives_up_with_the_last_reason() {
        eventually(Duration::from_millis(30), async || {
            Err::<(), _>("the reason")
        })
        .await;
    }
}
