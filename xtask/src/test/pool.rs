//! Runs test programs at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::hints;
use super::job::{Ended, Job};

/// Runs the jobs, `at_once` at a time and the longest first, and passes on each result. The programs are killed when the future
/// is dropped.
pub(crate) async fn run(mut jobs: Vec<Job>, at_once: usize, mut done: impl FnMut(Ended)) {
    jobs.sort_by_key(|job| std::cmp::Reverse(hints::seconds(&job.name)));
    // The semaphore is fair: the programs start in this order.
    let permits = Arc::new(Semaphore::new(at_once));
    let mut running = JoinSet::new();
    for job in jobs {
        let permits = Arc::clone(&permits);
        running.spawn(async move {
            let _permit = permits.acquire().await;
            job.run().await
        });
    }
    while let Some(ended) = running.join_next().await {
        if let Ok(ended) = ended {
            done(ended);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    /// A shell script as a test program.
    fn script(text: &str) -> Job {
        Job::of("/bin/sh", &["-c", text])
    }

    #[tokio::test]
    async fn programs_run_at_once_up_to_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().display();
        // Each waits until another one runs, and notes a third one.
        let one = |me: u32| {
            script(&format!(
                "cd {at}; touch run.{me}; until [ $(ls seen.* run.* 2>/dev/null | wc -l) -ge 2 ]; do sleep 0.01; done
                 touch seen.{me}; [ $(ls run.* | wc -l) -le 2 ] || touch many; sleep 0.05; rm run.{me}"
            ))
        };
        let mut ended = 0;
        run((1..=5).map(one).collect(), 2, |job| {
            assert!(job.status.unwrap().success(), "{}", job.output);
            ended += 1;
        })
        .await;
        assert_eq!(ended, 5);
        assert!(!fs::exists(directory.path().join("many")).unwrap());
    }

    #[tokio::test]
    async fn a_failure_does_not_end_the_others() {
        let jobs = vec![script("exit 1"), script("kill -9 $$"), script("echo c")];
        let mut ended = Vec::new();
        run(jobs, 1, |job| {
            ended.push((job.output, job.status.unwrap().success()))
        })
        .await;
        let (passed, failed): (Vec<_>, Vec<_>) =
            ended.into_iter().partition(|(_, success)| *success);
        assert_eq!(passed, [("c\n".to_owned(), true)]);
        assert_eq!(failed.len(), 2);
    }
}
