//! Answers of services, and the failures that they mean.

use std::time::Duration;

use vigie_notify::deliver::{Cause, Settings};
use vigie_testkit::receivers::{Answer, Service};

use super::services::{ALL, Pair, SECRET, message, settings, slow};

fn http(status: u16, body: &str) -> Answer {
    Answer::Http(status, Vec::new(), body.to_owned())
}

async fn cause(pair: &Pair, answer: Answer) -> (Cause, Option<u64>, String) {
    pair.server.answer(answer);
    let failure = pair.send(&message(vec![slow()], vec![])).await.unwrap_err();
    let wait = failure.retry_after.map(|wait| wait.as_secs());
    (failure.cause, wait, failure.text)
}

#[tokio::test]
async fn statuses() {
    for (service, _) in ALL {
        let pair = Pair::new(service).await;
        for (status, expected) in [
            (400, Cause::Refused),
            (401, Cause::Credentials),
            (403, Cause::Credentials),
            (404, Cause::NotFound),
            (410, Cause::NotFound),
            (413, Cause::Refused),
            (429, Cause::RateLimited),
            (500, Cause::Server),
            (503, Cause::Server),
            (304, Cause::Refused),
        ] {
            let (found, _, text) = cause(&pair, http(status, "")).await;
            assert_eq!(found, expected, "{service:?} {status}");
            assert!(text.contains(&status.to_string()), "{text}");
        }
        let limited = |value: &str| {
            let header = ("retry-after", value.to_owned());
            Answer::Http(429, vec![header], String::new())
        };
        let (_, wait, _) = cause(&pair, limited("17")).await;
        assert_eq!(wait, Some(17), "{service:?}");
        let (_, wait, _) = cause(&pair, limited("Sat, 06 Nov 2094 08:49:37 GMT")).await;
        assert_eq!(wait, Some(86_400), "{service:?}");
        // It is well after all of that.
        pair.deliver(&message(vec![slow()], vec![])).await;
    }
}

#[tokio::test]
async fn answers_of_each_service() {
    use Service::{Discord, Ntfy, PagerDuty, Pushover, Slack, Teams, Telegram, Webhook};
    let page = "<html><title>Log in</title></html>";
    for (service, status, body, expected, wait) in [
        (
            Slack,
            200,
            r#"{"ok":false,"error":"invalid_auth"}"#,
            Cause::Credentials,
            None,
        ),
        (
            Slack,
            200,
            r#"{"ok":false,"error":"channel_not_found"}"#,
            Cause::NotFound,
            None,
        ),
        (
            Slack,
            200,
            r#"{"ok":false,"error":"ratelimited"}"#,
            Cause::RateLimited,
            None,
        ),
        (
            Slack,
            200,
            r#"{"ok":false,"error":"msg_too_long"}"#,
            Cause::Refused,
            None,
        ),
        (Slack, 200, page, Cause::Answer, None),
        (Slack, 404, "no_service", Cause::NotFound, None),
        (Discord, 200, page, Cause::Answer, None),
        (
            Discord,
            429,
            r#"{"message":"…","retry_after":64.57,"global":false}"#,
            Cause::RateLimited,
            Some(64),
        ),
        (
            Discord,
            404,
            r#"{"message":"Unknown Webhook","code":10015}"#,
            Cause::NotFound,
            None,
        ),
        (Teams, 200, page, Cause::Answer, None),
        (
            Telegram,
            200,
            r#"{"ok":false,"description":"x"}"#,
            Cause::Refused,
            None,
        ),
        (Telegram, 200, page, Cause::Answer, None),
        (
            Telegram,
            400,
            r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#,
            Cause::NotFound,
            None,
        ),
        (
            Telegram,
            429,
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 8","parameters":{"retry_after":8}}"#,
            Cause::RateLimited,
            Some(8),
        ),
        (PagerDuty, 200, page, Cause::Answer, None),
        (
            PagerDuty,
            400,
            r#"{"status":"invalid event"}"#,
            Cause::Refused,
            None,
        ),
        (
            Pushover,
            200,
            r#"{"status":0,"errors":["x"]}"#,
            Cause::Refused,
            None,
        ),
        (Pushover, 200, page, Cause::Answer, None),
        (
            Pushover,
            400,
            r#"{"token":"invalid","status":0}"#,
            Cause::Credentials,
            None,
        ),
        (
            Pushover,
            400,
            r#"{"user":"invalid","status":0}"#,
            Cause::Credentials,
            None,
        ),
        (Ntfy, 200, page, Cause::Answer, None),
        (Ntfy, 200, "{}", Cause::Answer, None),
        (Webhook, 422, "bad", Cause::Refused, None),
    ] {
        let pair = Pair::new(service).await;
        let (found, found_wait, text) = cause(&pair, http(status, body)).await;
        assert_eq!(
            (found, found_wait),
            (expected, wait),
            "{service:?} {body} {text}"
        );
    }
    for (service, status, body) in [
        (Slack, 200, "ok"),
        (Slack, 200, r#"{"ok":true}"#),
        (Discord, 204, ""),
        (Discord, 200, r#"{"id":"1"}"#),
        (Teams, 202, ""),
        (Webhook, 200, page),
        (Webhook, 299, "\0"),
    ] {
        let pair = Pair::new(service).await;
        pair.server.answer(http(status, body));
        assert_eq!(
            pair.send(&message(vec![slow()], vec![])).await,
            Ok(()),
            "{service:?} {body}"
        );
    }
}

#[tokio::test]
async fn no_answer_is_not_a_refusal() {
    let brief = Settings {
        timeout: Duration::from_secs(2),
        ..settings()
    };
    let pair = Pair::with(Service::Slack, brief).await;
    assert_eq!(cause(&pair, Answer::Close).await.0, Cause::NoAnswer);
    assert_eq!(cause(&pair, Answer::Garbage).await.0, Cause::Answer);
    let (found, _, text) = cause(&pair, Answer::Hang).await;
    assert_eq!(found, Cause::NoAnswer, "{text}");
    assert!(text.contains("before the deadline"), "{text}");
    // The status of a webhook counts, however long its text is.
    let pair = Pair::new(Service::Webhook).await;
    pair.server.answer(Answer::Endless);
    assert_eq!(pair.send(&message(vec![slow()], vec![])).await, Ok(()));

    let pair = Pair::new(Service::Discord).await;
    let gone = pair.sender;
    drop(pair.server);
    let mut message = message(vec![slow()], vec![]);
    message.integration = "discord/0".into();
    assert_eq!(
        gone.send(&message).await.unwrap_err().cause,
        Cause::Unreachable
    );
    assert_eq!(
        gone.reach("critical", "discord/0").await.unwrap_err().cause,
        Cause::Unreachable
    );
}

#[tokio::test]
async fn failures_show_no_secret() {
    for (service, _) in ALL {
        let pair = Pair::new(service).await;
        pair.deliver(&message(vec![slow()], vec![])).await;
        let echo = pair.server.last().unwrap();
        // A server that quotes the request.
        let body = format!("{} {:?} {}", echo.path, echo.headers, echo.body);
        for status in [500, 200, 302] {
            let location = ("location", format!("http://127.0.0.1:1{}", echo.path));
            pair.server
                .answer(Answer::Http(status, vec![location], body.clone()));
            let sent = pair.send(&message(vec![slow()], vec![])).await;
            let text = sent
                .err()
                .map(|failure| format!("{failure} {failure:?}"))
                .unwrap_or_default();
            let secrets = SECRET.split('/').chain([
                "0123456789abcdef",
                "TOKEN:right",
                "azGDORePK8gMaC0QOYAMyEEuzJnyUi",
                "secret-topic",
                "tk_secret99",
            ]);
            for secret in secrets {
                assert!(!text.contains(secret), "{service:?}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn reachable_services_get_no_message() {
    for (service, integration) in ALL {
        let pair = Pair::new(service).await;
        assert_eq!(
            pair.sender.reach("critical", integration).await,
            Ok(()),
            "{service:?}"
        );
        assert!(pair.server.posted().is_empty(), "{service:?}");
    }
}
